package io.javisor.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path root;

    private void file(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @Test
    void theKernelsFilesAreRead() throws IOException {
        file("proc/meminfo", "MemTotal:       16384 kB\nMemFree:  100 kB\nMemAvailable:    8192 kB\n");
        file(
                "proc/pressure/memory",
                "some avg10=7.25 avg60=0.00 avg300=0.00 total=1\nfull avg10=1.00 avg60=0 total=1\n");
        file("sys/devices/system/node/node0/meminfo", "Node 0 MemFree: 1000 kB\nNode 0 Inactive(file): 2000 kB\n");
        file("sys/devices/system/node/node2/meminfo", "Node 2 MemFree: 500 kB\nNode 2 Active(file): 500 kB\n");
        HostMemory host = HostMemory.read(root);
        assertThat(host.total()).isEqualTo(16 << 20);
        assertThat(host.available()).isEqualTo(8 << 20);
        assertThat(host.pressure()).isEqualTo(7.25);
        assertThat(host.nodes()).containsExactly(6L << 20, 0L, 2L << 20);
    }

    @Test
    void aHostWithoutPressureOrNodesIsRead() throws IOException {
        file("proc/meminfo", "MemTotal:       16384 kB\nMemAvailable:    8192 kB\n");
        assertThat(HostMemory.read(root)).isEqualTo(new HostMemory(16 << 20, 8 << 20, 0, List.of(8L << 20)));
    }

    @Test
    void thisHostHasMemory() {
        HostMemory host = HostMemory.read();
        assertThat(host.available()).isBetween(1L << 20, host.total());
    }

    @Test
    void theHostTakesMoreWhileItsTasksWaitAndGivesItBack() {
        var reserve = new HostReserve(100);
        HostMemory calm = new HostMemory(40_000, 0, 0, List.of(0L));
        HostMemory strained = new HostMemory(40_000, 0, 20, List.of(0L));
        assertThat(reserve.next(calm)).isEqualTo(100);
        assertThat(reserve.next(strained)).isEqualTo(500);
        assertThat(reserve.next(strained)).isEqualTo(900);
        assertThat(reserve.next(new HostMemory(40_000, 0, 3, List.of(0L))))
                .as("keeps it")
                .isEqualTo(900);
        for (int i = 0; i < 100; i++) {
            reserve.next(strained);
        }
        assertThat(reserve.next(strained)).as("a quarter at most").isEqualTo(10_100);
        for (int i = 0; i < 100; i++) {
            reserve.next(calm);
        }
        assertThat(reserve.next(calm)).isEqualTo(100);
    }
}
