package io.javisor.examples;

import io.javisor.storage.disk.ImageWork;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code javisor disk compact}. */
@Command(
        name = "compact",
        mixinStandardHelpOptions = true,
        description = "Makes an image's file as small as its contents allow.")
final class DiskCompactCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The image.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path file;

    @Override
    public Integer call() {
        ImageWork.compact(file);
        return ExitCode.OK;
    }
}
