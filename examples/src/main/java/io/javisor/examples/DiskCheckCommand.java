package io.javisor.examples;

import io.javisor.api.MemorySize;
import io.javisor.storage.disk.CheckReport;
import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.disk.ImageWork;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code javisor disk check}. */
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = "Checks an image's structures; the file stays as it is.")
final class DiskCheckCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The image.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path file;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        CheckReport report;
        try {
            report = ImageWork.check(file);
        } catch (DiskFormatException e) {
            report = new CheckReport(List.of(String.valueOf(e.getMessage())), List.of(), 0, 0);
        }
        report.problems().forEach(problem -> out.println("problem: " + problem));
        report.notes().forEach(note -> out.println("note: " + note));
        if (report.leakedBytes() > 0) {
            out.println("note: " + MemorySize.format(report.leakedBytes())
                    + " of the file are unused; javisor disk compact gives them back");
        }
        out.println(
                report.isSound()
                        ? "sound, " + MemorySize.format(report.usedBytes()) + " in use"
                        : "damaged: " + report.problems().size()
                                + (report.problems().size() == 1 ? " problem" : " problems"));
        out.flush();
        return report.isSound() ? ExitCode.OK : ExitCode.DAMAGED;
    }
}
