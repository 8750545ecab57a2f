package io.javisor.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What the kernel says that this process holds. */
final class ProcessFiles {
    private ProcessFiles() {}

    /** Where a descriptor's number leads now, or empty. */
    static String target(int fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
        } catch (IOException e) {
            return "";
        }
    }

    /** Descriptors whose target contains a text. */
    static long descriptors(String text) throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.map(f -> target(Integer.parseInt(f.getFileName().toString())))
                    .filter(t -> t.contains(text))
                    .count();
        }
    }

    /** Whether something is mapped at an address. */
    static boolean isMapped(long address) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.map(l -> l.substring(0, l.indexOf(' ')).split("-"))
                    .anyMatch(range -> Long.compareUnsigned(Long.parseUnsignedLong(range[0], 16), address) <= 0
                            && Long.compareUnsigned(Long.parseUnsignedLong(range[1], 16), address) > 0);
        }
    }

    /** Lines of /proc/self/maps that contain a text. */
    static long mappings(String text) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(l -> l.contains(text)).count();
        }
    }
}
