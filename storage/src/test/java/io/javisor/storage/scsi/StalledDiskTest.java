package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.disk.MeteredDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that take a disk long are told. */
class StalledDiskTest {
    @TempDir
    private Path folder;

    @Test
    void aWriteThatIsHeldIsTold() throws Exception {
        Path file = Files.write(folder.resolve("disk.raw"), new byte[1 << 20]);
        var held = new HeldDisk(DiskImage.open(file, DiskOptions.DEFAULT));
        List<MeteredDisk.Stall> told = new CopyOnWriteArrayList<>();
        try (var metered = new MeteredDisk(held)) {
            metered.onStall(told::add);
            Thread writer = Thread.ofPlatform().start(() -> metered.write(0, IoMemory.of(new byte[4096]), false));
            held.begun.await();
            assertThat(told).isEmpty(); // at its end only
            Thread.sleep(MeteredDisk.STALL.plusMillis(1));
            held.goOn.countDown();
            writer.join();
            assertThat(told).singleElement().satisfies(stall -> {
                assertThat(stall.operation()).isEqualTo("write");
                assertThat(stall.nanos()).isGreaterThanOrEqualTo(MeteredDisk.STALL.toNanos());
                assertThat(stall.done()).isTrue();
            });
        }
    }
}
