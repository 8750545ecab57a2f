package io.javisor.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A loop device, which only root can make. */
class BlockDeviceTest extends DiskContract {
    @TempDir
    Path folder;

    private Path device = Path.of("/dev/none");

    private static String losetup(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<String>(List.of("/sbin/losetup"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assumeTrue(process.exitValue() == 0, "no loop devices here, so block devices are not tested: " + said);
        return said;
    }

    @BeforeEach
    void makeDevice() throws Exception {
        assumeTrue(
                Files.isExecutable(Path.of("/sbin/losetup")) && Files.isWritable(Path.of("/dev/loop-control")),
                "no loop devices for this user, so block devices are not tested");
        Path file = folder.resolve("file");
        DiskImage.create(file, ImageSpec.dynamic(ImageFormat.RAW, SIZE));
        device = Path.of(losetup("--find", "--show", file.toString()));
    }

    @AfterEach
    void removeDevice() throws Exception {
        if (!device.endsWith("none")) {
            losetup("--detach", device.toString());
        }
    }

    @Override
    protected Disk open(boolean readOnly) {
        return DiskImage.open(device, DiskOptions.DEFAULT.withReadOnly(readOnly));
    }

    @Test
    void aDeviceHasOneWriter() {
        try (Disk disk = open(false)) {
            assertThat(disk.size()).isEqualTo(SIZE);
            assertThatThrownBy(() -> open(false))
                    .isInstanceOfSatisfying(
                            DiskException.class, e -> assertThat(e.kind()).isEqualTo(DiskException.Kind.BUSY));
        }
    }

    @Test
    void directTransfersGoPastThePageCache() {
        try (Disk disk =
                DiskImage.open(device, DiskOptions.DEFAULT.withDirect(true).withSectorBytes(4096))) {
            byte[] data = new byte[8192];
            data[4096] = 7;
            disk.write(4096, IoMemory.of(data), true);
            assertThat(read(disk, 4096, 8192)).isEqualTo(data);
        }
    }
}
