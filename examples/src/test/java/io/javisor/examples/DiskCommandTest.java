package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.IoMemory;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code javisor disk}, as a person at a shell sees it. */
class DiskCommandTest {
    private static final byte[] TEXT =
            "what a machine wrote".repeat(1024).getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    @TempDir
    private Path folder;

    private String out = "";
    private String err = "";

    private int javisor(Object... words) {
        var to = new StringWriter();
        var errors = new StringWriter();
        CommandLine line = JavisorCommand.commandLine();
        line.setOut(new PrintWriter(to, true)).setErr(new PrintWriter(errors, true));
        String[] arguments = new String[words.length];
        for (int i = 0; i < words.length; i++) {
            arguments[i] = words[i].toString();
        }
        int code = line.execute(arguments);
        out = to.toString();
        err = errors.toString();
        return code;
    }

    private static void write(Path image, long at) {
        try (Disk disk = DiskImage.open(image)) {
            disk.write(at, IoMemory.of(TEXT), true);
        }
    }

    private static byte[] read(Path image, long at) {
        try (Disk disk = DiskImage.open(image)) {
            IoMemory memory = IoMemory.allocate(TEXT.length);
            disk.read(at, memory);
            return memory.toByteArray();
        }
    }

    @Test
    void makesConvertsAndResizesWhatKeepsItsContents() {
        Path vhdx = folder.resolve("a.vhdx");
        assertThat(javisor("disk", "create", vhdx, "64M", "--block", "1M", "--sector", "4096"))
                .isZero();
        write(vhdx, 1 << 20);
        assertThat(javisor("disk", "info", vhdx)).isZero();
        assertThat(out).contains("vhdx, dynamic", "64 MiB (67108864 bytes)", "sectors   4096 bytes", "blocks    1 MiB");
        Path raw = folder.resolve("b.raw");
        assertThat(javisor("disk", "convert", vhdx, raw)).as(err).isZero();
        assertThat(raw).hasSize(64 << 20);
        Path vhd = folder.resolve("c.vhd");
        assertThat(javisor("disk", "convert", raw, vhd, "--fixed")).as(err).isZero();
        assertThat(read(vhd, 1 << 20)).isEqualTo(TEXT);
        assertThat(javisor("disk", "resize", vhd, "96M")).as(err).isZero();
        assertThat(javisor("disk", "info", "--json", vhd)).isZero();
        assertThat(out).contains("\"format\": \"vhd\"", "\"layout\": \"fixed\"", "\"size\": 100663296");
        assertThat(javisor("disk", "resize", vhd, "512K")).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("has contents");
        assertThat(javisor("disk", "resize", vhd, "512K", "--cut")).isZero();
        assertThat(javisor("disk", "check", vhd)).isZero();
        assertThat(out).contains("sound");
    }

    @Test
    void mergesADifferencingDiskIntoItsParent() {
        Path parent = folder.resolve("parent.vhdx");
        Path child = folder.resolve("child.vhdx");
        javisor("disk", "create", parent, "32M");
        write(parent, 0);
        assertThat(javisor("disk", "create", "--parent", parent, child)).as(err).isZero();
        write(child, 8 << 20);
        assertThat(javisor("disk", "merge", child)).as(err).isZero();
        assertThat(out).contains("merged into").contains("parent.vhdx");
        assertThat(read(parent, 8 << 20)).isEqualTo(TEXT);
        assertThat(read(parent, 0)).isEqualTo(TEXT);
        assertThat(javisor("disk", "compact", parent)).isZero();
        assertThat(read(parent, 8 << 20)).isEqualTo(TEXT);
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        Path image = folder.resolve("a.vhdx");
        assertThat(javisor("disk", "create", image)).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("no size", "see javisor disk create --help");
        assertThat(javisor("disk", "create", image, "3")).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("whole sectors");
        javisor("disk", "create", image, "8M");
        assertThat(javisor("disk", "create", image, "8M")).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("EEXIST", "choose another name");
        Path bad = Files.writeString(folder.resolve("bad.vhdx"), "no image");
        assertThat(javisor("disk", "check", bad)).isEqualTo(ExitCode.DAMAGED);
        assertThat(out).contains("problem:", "offset", "damaged: 1 problem");
        assertThat(javisor("disk", "info", bad)).isEqualTo(ExitCode.USAGE);
        assertThat(javisor("disk", "info", "--format", "qcow2", bad)).isEqualTo(ExitCode.USAGE);
        assertThat(javisor("disk")).isEqualTo(ExitCode.USAGE);
        try (Disk inUse = DiskImage.open(image)) {
            assertThat(javisor("disk", "resize", image, "16M")).isEqualTo(ExitCode.HOST);
            assertThat(err).contains("in use").contains(String.valueOf(inUse.toString()));
        }
    }
}
