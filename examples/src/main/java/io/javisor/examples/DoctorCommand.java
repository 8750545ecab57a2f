package io.javisor.examples;

import io.javisor.api.Host;
import io.javisor.api.HostReport;
import io.javisor.numa.host.HostTopology;
import io.javisor.numa.host.NumaDoctor;
import io.javisor.numa.host.NumaDrawing;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Says what this host can do. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Says what this host can do, what each missing capability costs, and the remedy.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:machines can run here", "69:they can't; the remedy is printed"})
final class DoctorCommand implements Callable<Integer> {
    @Option(names = "--json", description = "For programs: the same as JSON.")
    private boolean json;

    @Option(names = "--numa", description = "Draw the host's NUMA nodes, and say what makes them slow.")
    private boolean numa;

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (numa) {
            HostTopology host = HostTopology.read();
            NumaDrawing.draw(host).forEach(out::println);
            NumaDoctor.examine(host).forEach(out::println);
            out.flush();
            return ExitCode.OK;
        }
        HostReport report = Host.check();
        out.println(json ? Reports.json(report) : Reports.text(report));
        out.flush();
        return report.usable() ? ExitCode.OK : ExitCode.HOST;
    }
}
