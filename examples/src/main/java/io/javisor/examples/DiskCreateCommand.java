package io.javisor.examples;

import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code javisor disk create}. */
@Command(
        name = "create",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Makes an image that grows as it is written, unless --fixed is given.")
final class DiskCreateCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "FILE", description = "The image, which must not be there yet.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path file;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "SIZE",
            converter = MachineOptions.SizeConverter.class,
            description = "Size of the disk, as 512M, 40G or 2T; with --parent the parent's, unless given.")
    private @Nullable Long size;

    @Option(names = "--format", paramLabel = "raw|vhd|vhdx", description = "Format, if the name does not say it.")
    private @Nullable String format;

    @Option(names = "--fixed", description = "Take all of its storage at once.")
    private boolean fixed;

    @Option(names = "--parent", paramLabel = "FILE", description = "Make a differencing disk over this VHD or VHDX.")
    private @Nullable Path parent;

    @Option(
            names = "--block",
            paramLabel = "SIZE",
            converter = MachineOptions.SizeConverter.class,
            description = "Unit of allocation: of VHDX 1M to 256M, of VHD up to 256M; a power of 2.")
    private @Nullable Long block;

    @Option(names = "--sector", paramLabel = "512|4096", description = "Sectors of a VHDX (default: 512).")
    private @Nullable Integer sector;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        try {
            DiskImage.create(file, describe());
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return ExitCode.OK;
    }

    private ImageSpec describe() {
        if (parent != null && fixed) {
            throw new IllegalArgumentException("--parent and --fixed exclude each other");
        }
        if (parent == null && size == null) {
            throw new IllegalArgumentException("no size; write javisor disk create FILE 40G");
        }
        long bytes = size == null ? 0 : size;
        ImageFormat kind = format == null ? ImageFormat.of(file) : DriveArgument.format(format);
        ImageSpec image;
        if (parent != null) {
            image = ImageSpec.differencing(parent).withSize(bytes);
        } else {
            image = fixed ? ImageSpec.fixed(kind, bytes) : ImageSpec.dynamic(kind, bytes);
        }
        if (block != null) {
            image = image.withBlockBytes((int) Math.min(block, Integer.MAX_VALUE));
        }
        return sector == null ? image : image.withSectorBytes(sector);
    }
}
