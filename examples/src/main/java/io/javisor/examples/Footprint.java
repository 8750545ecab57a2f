package io.javisor.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What this process holds of the host.
 *
 * @param descriptors open file descriptors
 * @param guestMappings mappings of guest memory
 * @param vcpuThreads threads that run vCPUs
 */
record Footprint(long descriptors, long guestMappings, long vcpuThreads) {
    static Footprint now() {
        try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"));
                Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return new Footprint(
                    fds.count(),
                    maps.filter(line -> line.contains("/memfd:") || line.contains("kvm"))
                            .count(),
                    Thread.getAllStackTraces().keySet().stream()
                            .filter(t -> t.getName().contains(" vcpu"))
                            .count());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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
