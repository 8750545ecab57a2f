package io.javisor.examples;

import io.javisor.memory.simulation.DemandTrace;
import io.javisor.memory.simulation.RecordedDemand;
import io.javisor.memory.simulation.Simulation;
import io.javisor.memory.simulation.SimulationReport;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code javisor memory simulate}. */
@Command(
        name = "simulate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Lives through days of hosts full of machines, under the balancer's policies, and prints how they fared.")
final class MemorySimulateCommand implements Callable<Integer> {
    @Option(names = "--machines", paramLabel = "N", description = "Machines on a host (default: ${DEFAULT-VALUE}).")
    private int machines = 1_024;

    @Option(names = "--hours", paramLabel = "N", description = "Hours of a day (default: ${DEFAULT-VALUE}).")
    private int hours = 24;

    @Option(
            names = "--period",
            paramLabel = "SECONDS",
            description =
                    "Seconds between two rounds, 1 to 30; real hosts have one each second (default: ${DEFAULT-VALUE}).")
    private int period = 5;

    @Option(
            names = "--document",
            paramLabel = "FILE",
            description = "Writes the report into this document, between the marks that are there.")
    private @Nullable Path document;

    @Parameters(
            paramLabel = "TRACE",
            description = "Recorded demand that the machines have in turn (default: the standard days).")
    private List<Path> traces = List.of();

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        if (machines < 1 || machines > 100_000 || hours < 1 || hours > 24 || period < 1 || period > 60) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "--machines is 1 to 100000, --hours 1 to 24, --period 1 to 60");
        }
        PrintWriter out = spec.commandLine().getOut();
        int seconds = hours * 3_600;
        List<Simulation> days = traces.isEmpty()
                ? Simulation.standard(machines, seconds, period)
                : List.of(Simulation.recorded(recorded(), machines, seconds, period));
        long begun = System.nanoTime();
        String table = SimulationReport.table(days, SimulationReport.policies());
        double took = (System.nanoTime() - begun) / 1e9;
        out.print(table);
        out.printf(
                Locale.ROOT,
                "%d days in %.1f s%n",
                days.size() * SimulationReport.policies().size(),
                took);
        out.flush();
        Path into = document;
        if (into != null) {
            try {
                SimulationReport.write(into, table);
            } catch (IOException e) {
                throw new HypervisorException("report-document", String.valueOf(e.getMessage()), null);
            }
        }
        return ExitCode.OK;
    }

    private List<RecordedDemand> recorded() {
        var all = new ArrayList<RecordedDemand>();
        for (Path file : traces) {
            try {
                all.add(new RecordedDemand(DemandTrace.read(file)));
            } catch (IOException e) {
                throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
            }
        }
        return all;
    }
}
