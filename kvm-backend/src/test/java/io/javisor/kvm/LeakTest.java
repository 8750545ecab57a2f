package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a life leaves behind: nothing. */
class LeakTest {
    private static final int[] CODE = {0xEE, 0xF4}; // out dx, al; hlt

    @Test
    void thousandMachinesLeaveNoDescriptorsAndNoMappings() throws IOException {
        TinyGuest.assumeKvm();
        for (int i = 0; i < 20; i++) {
            life();
        }
        long descriptors = descriptors();
        long mappings = mappings();
        for (int i = 0; i < 1_000; i++) {
            life();
        }
        assertThat(descriptors()).isEqualTo(descriptors);
        // The JVM maps memory of its own as it goes.
        assertThat(mappings()).isLessThan(mappings + 50);
    }

    private static void life() {
        try (TinyGuest guest = new TinyGuest(CODE)) {
            assertThat(guest.cpu.run()).isInstanceOf(Exit.IoOut.class);
        }
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.map(LeakTest::target)
                    .filter(t -> t.contains("kvm") || t.contains("memfd") || t.contains("anon_inode"))
                    .count();
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static long mappings() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.count();
        }
    }
}
