package io.javisor.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.stream.Stream;

/** The machine that the numbers come from. */
final class HostDescription {
    private HostDescription() {}

    static String text() {
        return "%s, %s; %d processors, %s; Linux %s, KVM by %s; %s %s; load %s at the start"
                .formatted(
                        LocalDate.now(ZoneOffset.UTC),
                        line("/proc/cpuinfo", "model name"),
                        Runtime.getRuntime().availableProcessors(),
                        line("/proc/meminfo", "MemTotal"),
                        read("/proc/sys/kernel/osrelease"),
                        modules(),
                        System.getProperty("java.vm.name"),
                        System.getProperty("java.vm.version"),
                        read("/proc/loadavg").replaceAll(" .*", ""));
    }

    private static String modules() {
        try (Stream<Path> all = Files.list(Path.of("/sys/module"))) {
            String found = all.map(p -> p.getFileName().toString())
                    .filter(n -> n.startsWith("kvm_"))
                    .sorted()
                    .toList()
                    .toString();
            return found.substring(1, found.length() - 1);
        } catch (IOException e) {
            return "an unknown module";
        }
    }

    private static String line(String file, String key) {
        return read(file)
                .lines()
                .filter(l -> l.startsWith(key))
                .findFirst()
                .map(l -> l.substring(l.indexOf(':') + 1).strip())
                .orElse("?");
    }

    private static String read(String file) {
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException e) {
            return "?";
        }
    }
}
