package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import io.javisor.lab.junit.LabTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Machines that are closed, whatever they were doing, leave this process as it was. */
@LabTest(guests = "6.12-cloud")
class LeavesNothingTest {
    private static final int MACHINES = 100;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** What the kernel says this process holds. */
    record Holdings(long descriptors, long guestMappings, long threads) {
        static Holdings now() throws IOException {
            try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"));
                    Stream<String> maps = Files.lines(Path.of("/proc/self/maps"));
                    Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
                return new Holdings(
                        fds.count(),
                        maps.filter(line -> line.contains("memfd:") || line.contains("kvm"))
                                .count(),
                        threads.filter(LeavesNothingTest::isOurs).count());
            }
        }
    }

    /** Threads of machines; the JVM's own and its pools' come and go. */
    private static boolean isOurs(Path task) {
        try {
            String name = Files.readString(task.resolve("comm"));
            return name.contains("vcpu") || name.startsWith("javisor");
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    private static void liveOnce(int i, Path initrd) {
        try (VirtualMachine vm = VirtualMachine.builder("brief-" + i)
                .vcpus(1 + i % 3)
                .linux(l -> l.kernel(GuestFiles.kernel("6.12-cloud")).initrd(initrd))
                .build()) {
            switch (i % 4) {
                case 0 -> vm.start();
                case 1 -> vm.start().pause();
                case 2 -> {
                    vm.start().pause();
                    vm.resume();
                    vm.kill();
                }
                default -> {} // never started
            }
        }
    }

    @Test
    void aHundredMachines() throws Exception {
        Path initrd = GuestFiles.initrd("#!/bin/busybox sh\nexec /bin/busybox sleep 1000\n");
        for (int i = 0; i < 8; i++) {
            liveOnce(i, initrd);
        }
        Holdings before = Holdings.now();
        for (int i = 0; i < MACHINES; i++) {
            liveOnce(i, initrd);
        }
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!Holdings.now().equals(before) && System.nanoTime() < deadline) {
            Thread.sleep(100); // the kernel ends threads a moment after they were joined
        }
        assertThat(Holdings.now()).isEqualTo(before);
    }
}
