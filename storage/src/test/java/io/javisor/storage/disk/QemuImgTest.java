package io.javisor.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What another implementation writes is read, and the other way round. */
class QemuImgTest {
    private static final int SIZE = 20 << 20;

    @TempDir
    Path folder;

    @BeforeAll
    static void qemuImgIsThere() {
        boolean there = Files.isExecutable(Path.of("/usr/bin/qemu-img"));
        assumeTrue(there, "qemu-img is not installed (Debian: apt install qemu-utils): interoperability is not tested");
    }

    private String qemuImg(Object... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<String>(List.of("/usr/bin/qemu-img"));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        Path out = folder.resolve("out");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String text = Files.readString(out, StandardCharsets.UTF_8);
        assertThat(process.exitValue()).as("%s: %s", command, text).isZero();
        return text;
    }

    /** Random bytes with holes. */
    private Path raw() throws IOException {
        Path path = folder.resolve("raw");
        byte[] all = new byte[SIZE];
        var random = new Random(11);
        for (int i = 0; i < 12; i++) {
            byte[] part = new byte[512 * (1 + random.nextInt(800))];
            random.nextBytes(part);
            System.arraycopy(part, 0, all, 512 * random.nextInt((SIZE - part.length) / 512), part.length);
        }
        return Files.write(path, all);
    }

    @ParameterizedTest
    @CsvSource({
        "vhdx,vhdx,'subformat=dynamic'",
        "vhdx,vhdx,'subformat=fixed'",
        "vhdx,vhdx,'subformat=dynamic,block_size=1M,block_state_zero=off'",
        "vpc,vhd,'subformat=dynamic,force_size=on'",
        "vpc,vhd,'subformat=fixed,force_size=on'",
        "vpc,vhd,'subformat=dynamic'"
    })
    void readsWhatQemuImgWrites(String format, String extension, String options) throws Exception {
        Path raw = raw();
        Path image = folder.resolve("theirs." + extension);
        qemuImg("convert", "-f", "raw", "-O", format, "-o", options, raw, image);
        byte[] wanted = Files.readAllBytes(raw);
        try (Disk disk = DiskImage.open(image)) {
            // Without force_size a VHD's size is rounded up to its geometry.
            assertThat(disk.size()).isGreaterThanOrEqualTo(SIZE);
            assertThat(DiskContract.read(disk, 0, SIZE)).isEqualTo(wanted);
            workOn(disk, wanted);
        }
        Files.write(raw, wanted);
        if (format.equals("vhdx")) {
            qemuImg("check", "-f", format, image);
        }
        qemuImg("compare", "-f", "raw", "-F", format, raw, image);
    }

    private static void workOn(Disk disk, byte[] model) {
        var random = new Random(12);
        for (int i = 0; i < 60; i++) {
            byte[] part = new byte[512 * (1 + random.nextInt(300))];
            int at = 512 * random.nextInt((SIZE - part.length) / 512);
            if (i % 5 == 0) {
                disk.zero(at, part.length, true);
            } else {
                random.nextBytes(part);
                disk.write(at, IoMemory.of(part), i % 20 == 0);
            }
            System.arraycopy(part, 0, model, at, part.length);
        }
    }

    @ParameterizedTest
    @CsvSource({"VHDX,DYNAMIC,vhdx,vhdx", "VHDX,FIXED,vhdx,vhdx", "VHD,DYNAMIC,vhd,vpc", "VHD,FIXED,vhd,vpc"})
    void qemuImgReadsWhatWeWrite(ImageFormat format, ImageSpec.Layout layout, String extension, String theirs)
            throws Exception {
        Path image = folder.resolve("ours." + extension);
        DiskImage.create(
                image,
                layout == ImageSpec.Layout.FIXED
                        ? ImageSpec.fixed(format, SIZE)
                        : ImageSpec.dynamic(format, SIZE).withBlockBytes(1 << 20));
        byte[] model = new byte[SIZE];
        try (Disk disk = DiskImage.open(image)) {
            workOn(disk, model);
        }
        Path raw = Files.write(folder.resolve("raw"), model);
        if (format == ImageFormat.VHDX) {
            assertThat(qemuImg("check", "-f", theirs, image)).contains("No errors");
        }
        assertThat(qemuImg("compare", "-f", "raw", "-F", theirs, raw, image)).contains("identical");
        assertThat(qemuImg("info", "-f", theirs, image)).contains("(" + SIZE + " bytes)");
    }

    @Test
    void qemuImgReplaysOurLog() throws Exception {
        Path image = folder.resolve("ours.vhdx");
        Path crashed = folder.resolve("crashed.vhdx");
        DiskImage.create(image, ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withBlockBytes(1 << 20));
        byte[] model = new byte[SIZE];
        try (Disk disk = DiskImage.open(image)) {
            workOn(disk, model);
            disk.flush();
            Files.copy(image, crashed);
        }
        // As if the last commit had not got home: the BAT's first page goes back to what it was before all.
        try (var file = Files.newByteChannel(crashed, java.nio.file.StandardOpenOption.WRITE)) {
            file.position(3 << 20);
            file.write(java.nio.ByteBuffer.allocate(4096));
        }
        qemuImg("check", "-f", "vhdx", "-r", "all", crashed);
        Path raw = Files.write(folder.resolve("raw"), model);
        assertThat(qemuImg("compare", "-f", "raw", "-F", "vhdx", raw, crashed)).contains("identical");
    }
}
