package io.javisor.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What the kernel says that this process holds for machines.
 *
 * @param descriptors of KVM, memory files, events and the like
 * @param mappings of guest memory and of vCPUs' pages
 * @param threads of machines; the JVM's own and its pools' come and go
 */
record Holdings(long descriptors, long mappings, long threads) {
    static Holdings now() throws IOException {
        try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"));
                Stream<String> maps = Files.lines(Path.of("/proc/self/maps"));
                Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            return new Holdings(
                    fds.map(Holdings::target)
                            .filter(t -> t.contains("kvm") || t.contains("memfd") || t.contains("anon_inode"))
                            .filter(t -> !t.contains("eventpoll")) // the JVM polls sockets of virtual threads with some
                            .count(),
                    maps.filter(l -> l.contains("memfd:") || l.contains("kvm")).count(),
                    tasks.map(Holdings::name)
                            .filter(n -> n.contains("vcpu") || n.contains("gdb"))
                            .count());
        }
    }

    /** What it holds when what was closed before has ended too. */
    static Holdings atRest() throws Exception {
        Holdings last = now();
        while (true) {
            Thread.sleep(200);
            Holdings now = now();
            if (now.equals(last)) {
                return now;
            }
            last = now;
        }
    }

    /** Waits until this is what the process holds: the kernel ends threads a moment after they were joined. */
    static Holdings settled(Holdings wanted) throws Exception {
        long deadline = System.nanoTime() + 30_000_000_000L;
        Holdings now = now();
        while (!now.equals(wanted) && System.nanoTime() < deadline) {
            Thread.sleep(50);
            now = now();
        }
        return now;
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static String name(Path task) {
        try {
            return Files.readString(task.resolve("comm"));
        } catch (IOException e) {
            return "";
        }
    }
}
