package io.javisor.partition.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IoBusTest {
    /** Gives the offset of what is read. */
    private static final class Echo implements IoDevice {
        @Override
        public long read(long offset, int size) {
            return offset;
        }

        @Override
        public void write(long offset, int size, long value) {}
    }

    @Test
    void accessesAreCountedByDeviceAndDirection() {
        var bus = new IoBus("port");
        bus.claim("one", 0x10, 8, new Echo());
        bus.claim("two", 0x20, 8, new Echo());
        bus.claim("two", 0x30, 8, new Echo()); // another range of the same
        assertThat(bus.read(0x13, 1)).isEqualTo(3);
        bus.write(0x10, 4, 0);
        bus.write(0x17, 1, 0);
        bus.read(0x20, 1);
        bus.read(0x30, 1);
        assertThat(bus.read(0x50, 1)).isEqualTo(-1);
        bus.write(0x16, 4, 0); // across its end
        assertThat(bus.accesses())
                .containsEntry("one", new Accesses(1, 2))
                .containsEntry("two", new Accesses(2, 0))
                .containsEntry(IoBus.UNCLAIMED, new Accesses(1, 1))
                .hasSize(3);
        assertThat(bus.deviceAt(0x17)).isEqualTo("one");
        assertThat(bus.deviceAt(0x18)).isEqualTo(IoBus.UNCLAIMED);
    }

    @Test
    void noAccessIsLostBetweenThreads() throws InterruptedException {
        var bus = new IoBus("MMIO");
        bus.claim("one", 0, 8, new Echo());
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            threads.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 50_000; i++) {
                    bus.read(0, 1);
                    bus.write(0, 1, i);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(bus.accesses()).containsEntry("one", new Accesses(200_000, 200_000));
    }
}
