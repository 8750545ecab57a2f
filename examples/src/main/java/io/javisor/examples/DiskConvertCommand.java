package io.javisor.examples;

import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.ImageWork;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code javisor disk convert}. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Copies a disk, with all that its parents have, into an image of another format or layout.")
final class DiskConvertCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "SOURCE", description = "The image to read.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path source;

    @Parameters(
            index = "1",
            paramLabel = "TARGET",
            description = "The image to make, which must not be there yet; its name says the format.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path target;

    @Option(
            names = "--format",
            paramLabel = "raw|vhd|vhdx",
            description = "Format of the source, if its name does not say it.")
    private @Nullable String format;

    @Option(names = "--sector", paramLabel = "512|4096", description = "Sectors of a raw source (default: 512).")
    private int sector = 512;

    @Option(names = "--fixed", description = "Take all of the target's storage at once.")
    private boolean fixed;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        DiskOptions how = DiskOptions.DEFAULT.withSectorBytes(sector);
        try (var progress = new ProgressLine(spec.commandLine().getErr())) {
            if (format != null) {
                how = how.withFormat(DriveArgument.format(format));
            }
            ImageWork.convert(source, how, target, fixed ? ImageSpec.Layout.FIXED : ImageSpec.Layout.DYNAMIC, progress);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return ExitCode.OK;
    }
}
