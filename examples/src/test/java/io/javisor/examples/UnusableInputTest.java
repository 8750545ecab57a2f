package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Options and files that can't be used are refused with 64 and a line that names them, before anything starts. */
class UnusableInputTest {
    @TempDir
    private Path folder;

    private void refused(Ran ran, String... words) {
        assertThat(ran.exitCode()).as(ran.err()).isEqualTo(64);
        assertThat(ran.err()).startsWith("javisor: ").contains(words).doesNotContain("\tat ");
    }

    private Ran runKernel(Path kernel) throws IOException {
        Path initrd = Files.write(folder.resolve("initrd"), new byte[16]);
        return Ran.javisor("run", "--lab", "--kernel", kernel.toString(), "--initrd", initrd.toString());
    }

    @Test
    void aMissingKernel() throws IOException {
        refused(runKernel(folder.resolve("vmlinuz-none")), "vmlinuz-none", "no such file");
    }

    @Test
    void aFolder() throws IOException {
        refused(runKernel(folder), "not a file");
    }

    @Test
    void junk() throws IOException {
        byte[] bytes = new byte[1 << 20];
        new Random(1).nextBytes(bytes);
        refused(runKernel(Files.write(folder.resolve("junk"), bytes)), "junk");
    }

    @Test
    void anEmptyFile() throws IOException {
        refused(runKernel(Files.createFile(folder.resolve("empty"))), "empty");
    }

    /** A setup header that announces more than the file has (Documentation/arch/x86/boot.rst: syssize in units of 16 bytes). */
    @Test
    void aTruncatedKernel() throws IOException {
        ByteBuffer image = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1F1, (byte) 1).putInt(0x1F4, 0x10000).putShort(0x1FE, (short) 0xAA55);
        image.put(0x200, (byte) 0xEB)
                .put(0x201, (byte) 0x6A)
                .putInt(0x202, 0x53726448)
                .putShort(0x206, (short) 0x20F);
        image.put(0x211, (byte) 1).putShort(0x236, (short) 1);
        refused(runKernel(Files.write(folder.resolve("short"), image.array())), "short");
    }

    @Test
    void aPackageThatIsNoKernel() {
        refused(Ran.javisor("run", "--no-lab", "--debian", "no-such-kernel/x"), "no-such-kernel/x", "6.12-cloud");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--memory=lots",
                "--memory=3K",
                "--memory=-1G",
                "--vcpus=0",
                "--vcpus=many",
                "--timeout=0",
                "--timeout=-3",
                "--no-such-option",
                "--numa=vcpus=x",
                "--name=",
            })
    void badOptions(String option) {
        refused(Ran.javisor("run", "--lab", option), option.substring(2).replaceAll("=.*", ""));
    }
}
