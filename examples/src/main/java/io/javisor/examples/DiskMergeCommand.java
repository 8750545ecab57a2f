package io.javisor.examples;

import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageWork;
import io.javisor.storage.disk.ParentPolicy;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code javisor disk merge}. */
@Command(
        name = "merge",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Writes what a differencing disk has into its parent, which then shows the same. The differencing disk stays as it"
                    + " is; other children of the parent become invalid."
        })
final class DiskMergeCommand implements Callable<Integer> {
    @Parameters(paramLabel = "CHILD", description = "The differencing disk.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path child;

    @Option(
            names = "--parents",
            paramLabel = "FOLDER",
            description = "Where parents may lie, besides the child's own folder; may be repeated.")
    private List<Path> folders = List.of();

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        ParentPolicy own = ParentPolicy.sameFolder();
        ParentPolicy more = ParentPolicy.within(folders.toArray(Path[]::new));
        try (var progress = new ProgressLine(spec.commandLine().getErr())) {
            Path parent = ImageWork.merge(
                    child, DiskOptions.DEFAULT.withParents((c, p) -> own.admits(c, p) || more.admits(c, p)), progress);
            spec.commandLine().getOut().println("merged into " + parent);
            spec.commandLine().getOut().flush();
        }
        return ExitCode.OK;
    }
}
