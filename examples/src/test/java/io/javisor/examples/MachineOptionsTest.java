package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.storage.disk.DiskException;
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
    void theLabCannotReachDevices() {
        assertThatThrownBy(() -> options("--disk", "/dev/null,readonly").writtenFolders())
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("/dev/null can't be reached from the lab");
    }
}
