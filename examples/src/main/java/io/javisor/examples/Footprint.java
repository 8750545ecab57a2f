package io.javisor.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What this process holds of the host.
 *
 * @param descriptors open file descriptors, without those that the JVM opens for itself as it goes (classes, randomness)
 * @param guestMappings mappings of guest memory
 * @param vcpuThreads threads that run vCPUs
 */
record Footprint(long descriptors, long guestMappings, long vcpuThreads) {
    static Footprint now() {
        try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"));
                Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return new Footprint(
                    fds.filter(Footprint::isOurs).count(),
                    maps.filter(line -> line.contains("/memfd:") || line.contains("kvm"))
                            .count(),
                    Thread.getAllStackTraces().keySet().stream()
                            .filter(t -> t.getName().contains(" vcpu"))
                            .count());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isOurs(Path descriptor) {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            return !(target.endsWith(".jar")
                    || target.endsWith("/lib/modules")
                    || target.endsWith("random")
                    || target.startsWith("/proc/"));
        } catch (IOException e) {
            return false; // the one that lists the others
        }
    }

    String since(Footprint before) {
        return String.format(
                "%+d descriptors, %+d mappings of guest memory, %+d vCPU threads",
                descriptors - before.descriptors,
                guestMappings - before.guestMappings,
                vcpuThreads - before.vcpuThreads);
    }
}
