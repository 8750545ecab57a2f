package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the options say of disks, for machines that run in the lab. */
class MachineOptionsTest {
    @TempDir
    private Path folder;

    private static MachineOptions options(String... words) {
        var options = new MachineOptions();
        new CommandLine(CommandLine.Model.CommandSpec.create()
                        .addMixin("machine", CommandLine.Model.CommandSpec.forAnnotatedObject(options)))
                .parseArgs(words);
        return options;
    }

    @Test
    void theLabIsGivenTheFoldersOfFilesThatAreWritten() throws Exception {
        Path real = Files.createDirectory(folder.resolve("real"));
        Path a = Files.createFile(real.resolve("a.raw"));
        Path b = Files.createFile(folder.resolve("b.raw"));
        Path link = Files.createSymbolicLink(folder.resolve("link.raw"), a);
        MachineOptions options = options(
                "--disk", link.toString(), "--disk", b + ",overlay", "--disk", b + ",readonly", "--dvd", b.toString());
        assertThat(options.writtenFolders()).containsExactly(real.toRealPath());
        assertThat(options.needsHyperV()).isTrue();
        assertThat(options().writtenFolders()).isEmpty();
        assertThat(options().needsHyperV()).isFalse();
    }

    @Test
    void filesAreLockedHereWhileTheyAreUsedInTheLab() throws Exception {
        Path written = folder.resolve("a.vhdx");
        DiskImage.create(written, ImageSpec.dynamic(ImageFormat.VHDX, 8 << 20));
        byte[] before = Files.readAllBytes(written);
        Path read = Files.write(folder.resolve("b.raw"), new byte[4096]);
        MachineOptions options = options("--disk", written.toString(), "--disk", read + ",overlay");
        try (HeldDisks _ = options.holdDisks()) {
            assertThatThrownBy(() -> DiskImage.open(written)).hasMessageContaining("in use");
            assertThatThrownBy(() -> DiskImage.open(read)).hasMessageContaining("in use");
            DiskImage.open(read, DiskOptions.DEFAULT.withReadOnly(true)).close();
            assertThatThrownBy(options::holdDisks).hasMessageContaining("in use");
        }
        assertThat(Files.readAllBytes(written)).isEqualTo(before);
        DiskImage.open(written).close();
    }

    @Test
    void theLabCannotReachDevices() {
        assertThatThrownBy(() -> options("--disk", "/dev/null,readonly").writtenFolders())
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("/dev/null can't be reached from the lab");
    }
}
