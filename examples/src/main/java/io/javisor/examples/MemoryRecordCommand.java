package io.javisor.examples;

import io.javisor.memory.simulation.DemandSampler;
import io.javisor.memory.simulation.DemandTrace;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code javisor memory record}. */
@Command(
        name = "record",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Runs a command and records, second by second, the memory that it and its descendants need;"
                + " or records the whole host or a control group for a time.")
final class MemoryRecordCommand implements Callable<Integer> {
    @Option(
            names = "--name",
            paramLabel = "TEXT",
            description = "What is recorded, for those who read the trace (default: the command).")
    private @Nullable String name;

    @Option(
            names = "--cgroup",
            paramLabel = "FOLDER",
            description = "Records a control group (version 2), for --seconds or while the command runs.")
    private @Nullable Path controlGroup;

    @Option(names = "--host", description = "Records what the whole host has committed, likewise.")
    private boolean host;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "Records for so long where there is no command (default: ${DEFAULT-VALUE}).")
    private int seconds = 60;

    @Option(
            names = "--period",
            paramLabel = "SECONDS",
            description = "Seconds between two samples (default: ${DEFAULT-VALUE}).")
    private int period = 1;

    @Parameters(index = "0", paramLabel = "FILE", description = "Where the trace is written to.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path file;

    @Parameters(index = "1..*", paramLabel = "COMMAND", description = "What is run.")
    private List<String> command = List.of();

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        check();
        Process running = command.isEmpty() ? null : start();
        DemandSampler sampler = sampler(running);
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        BooleanSupplier goesOn = running == null ? () -> System.nanoTime() - end < 0 : running::isAlive;
        String what = name != null ? name : command.isEmpty() ? sampler.measured() : String.join(" ", command);
        DemandTrace trace = sampler.record(what.replace('\n', ' '), Duration.ofSeconds(period), goesOn);
        try {
            Files.writeString(file, trace.format());
        } catch (IOException e) {
            throw new HypervisorException("trace-file", "can't write " + file + ": " + e, null);
        }
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "%d samples, at most %d MiB%n", trace.samples().size(), trace.peak() >> 20);
        if (running != null && running.waitFor() != 0) {
            out.println("the command ended with exit code " + running.exitValue());
        }
        out.flush();
        return ExitCode.OK;
    }

    private void check() {
        if (host && controlGroup != null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--host and --cgroup exclude each other");
        }
        if (command.isEmpty() && !host && controlGroup == null) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "what is to be recorded? A command, --host or --cgroup");
        }
        if (period < 1 || period > 3_600 || seconds < 1) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "--period is 1 to 3600 seconds, --seconds at least 1");
        }
    }

    private Process start() {
        try {
            // Its output is not ours: what this command prints can be relied on.
            return new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "can't run " + command + ": " + e.getMessage());
        }
    }

    private DemandSampler sampler(@Nullable Process running) {
        if (host) {
            return DemandSampler.ofHost();
        }
        Path group = controlGroup;
        if (group != null) {
            if (!Files.isReadable(group.resolve("memory.current"))) {
                throw new CommandLine.ParameterException(
                        spec.commandLine(), group + " is no control group of version 2 that has a memory.current");
            }
            return DemandSampler.ofControlGroup(group);
        }
        if (running == null) {
            throw new IllegalStateException("checked before");
        }
        return DemandSampler.ofProcesses(running.toHandle());
    }
}
