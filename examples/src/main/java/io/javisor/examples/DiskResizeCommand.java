package io.javisor.examples;

import io.javisor.storage.disk.ImageWork;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code javisor disk resize}. */
@Command(
        name = "resize",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Changes the size of a disk; file systems and partitions on it keep theirs.")
final class DiskResizeCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "FILE", description = "The image.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path file;

    @Parameters(
            index = "1",
            paramLabel = "SIZE",
            converter = MachineOptions.SizeConverter.class,
            description = "The new size of the disk.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Long size;

    @Option(names = "--cut", description = "Even if what lies beyond the new end is lost.")
    private boolean cut;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        try {
            ImageWork.resize(file, size, cut);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return ExitCode.OK;
    }
}
