package io.javisor.examples;

import io.javisor.api.DriveSpec;
import io.javisor.api.Host;
import io.javisor.api.HostReport;
import io.javisor.lab.Lab;
import io.javisor.lab.LabCommand;
import io.javisor.lab.LabProcess;
import io.javisor.lab.LabSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Where a machine runs: on this host, or inside the lab; and the way in. */
final class LabOptions {
    /** Set for the javisor that runs inside. */
    private static final String INSIDE = "JAVISOR_INSIDE_LAB";

    /** What the lab's own kernel and JVM need, besides the guest's memory. */
    private static final long OWN_MEMORY = 1536L << 20;

    private static final long MEMORY_STEP = 256L << 20;

    /** What a command inside may take to start and to end, beyond its own limit. */
    private static final Duration GRACE = Duration.ofMinutes(2);

    @Option(
            names = "--lab",
            negatable = true,
            description =
                    "Run inside the lab, a nested machine with a /dev/kvm of its own; --no-lab: on this host, whatever"
                            + " it can do. Default: the lab if this host can't carry a stock kernel.")
    private @Nullable Boolean lab;

    /** Whether this process runs inside the lab. */
    static boolean isInside() {
        return System.getenv(INSIDE) != null;
    }

    /** Decides, and says so in one line if it is the lab. */
    boolean needed(MachineOptions machine, PrintWriter err) {
        return needed(List.of(machine), err);
    }

    /** The same for several machines, which all run in the same place. */
    boolean needed(List<MachineOptions> machines, PrintWriter err) {
        if (isInside() || Boolean.FALSE.equals(lab)) {
            return false;
        }
        Optional<String> why =
                Boolean.TRUE.equals(lab) ? Optional.of("--lab was given") : unfit(Host.check(), machines);
        why.ifPresent(reason -> {
            err.println("javisor: running inside the lab: " + reason);
            err.flush();
        });
        return why.isPresent();
    }

    private static Optional<String> unfit(HostReport host, List<MachineOptions> machines) {
        for (MachineOptions machine : machines) {
            for (String adapter : machine.fibreChannelHosts()) {
                if (!Files.exists(Path.of("/sys/class/fc_host", adapter))) {
                    return Optional.of("this host has no Fibre Channel adapter " + adapter);
                }
            }
        }
        return host.unfitForStockKernels()
                .or(() -> !host.hyperV() && machines.stream().anyMatch(MachineOptions::needsHyperV)
                        ? Optional.of(
                                "disks, networks and dynamic memory need a VMBus, and KVM here lacks the Hyper-V enlightenments")
                        : Optional.empty());
    }

    /**
     * Runs the same command inside, with this process's standard streams, and gives its exit code.
     *
     * @param limit what the command inside holds itself to; a lab that is far behind it is ended from outside
     */
    int runInside(CommandLine line, MachineOptions machine, Optional<Duration> limit)
            throws IOException, InterruptedException {
        return runInside(line, machine, new GdbOptions(), limit);
    }

    /** The same for several machines, which write to more folders than those of their disks. */
    int runInside(CommandLine line, List<MachineOptions> machines, Set<Path> folders, Optional<Duration> limit)
            throws IOException, InterruptedException {
        return runInside(line, machines, folders, new GdbOptions(), limit);
    }

    /** The same, and carries debuggers in. */
    int runInside(CommandLine line, MachineOptions machine, GdbOptions gdb, Optional<Duration> limit)
            throws IOException, InterruptedException {
        return runInside(line, List.of(machine), Set.of(), gdb, limit);
    }

    private static int runInside(
            CommandLine line,
            List<MachineOptions> machines,
            Set<Path> folders,
            GdbOptions gdb,
            Optional<Duration> limit)
            throws IOException, InterruptedException {
        machines.forEach(machine -> machine.spec().prefetch()); // there is no network inside
        List<DriveSpec> drives = machines.stream()
                .flatMap(machine -> machine.spec().images().stream())
                .toList();
        try (HeldDisks _ = new HeldDisks(drives);
                Lab inside = Lab.start(specFor(machines, folders));
                GdbRelay _ = gdb.relayInto(inside)) {
            LabProcess process = inside.start(LabCommand.of(commandFor(line).toArray(String[]::new))
                    .in(Path.of("").toAbsolutePath())
                    .with(INSIDE, "1")
                    .with(
                            LabSan.WANTED,
                            machines.stream()
                                            .anyMatch(
                                                    m -> !m.fibreChannelHosts().isEmpty())
                                    ? "1"
                                    : ""));
            Thread.ofPlatform().daemon().name("stdin").start(() -> pump(System.in, process.getOutputStream(), true));
            Thread output = pumping("stdout", process.getInputStream(), System.out);
            Thread errors = pumping("stderr", process.getErrorStream(), System.err);
            if (limit.isPresent() && !process.waitFor(limit.get().plus(GRACE).toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                line.getErr().println("javisor: the lab did not end the run in time, and has been ended");
                return ExitCode.TIMEOUT;
            }
            output.join();
            errors.join();
            return process.waitFor();
        }
    }

    private static Thread pumping(String name, InputStream from, OutputStream to) {
        return Thread.ofPlatform().daemon().name(name).start(() -> pump(from, to, false));
    }

    private static LabSpec specFor(List<MachineOptions> machines, Set<Path> folders) {
        long guests = 0;
        var pages = new TreeMap<Long, Long>();
        for (MachineOptions machine : machines) {
            long huge = machine.shape().hugePageSize();
            guests += huge == 0 ? machine.memory() : 2 * machine.memory();
            if (huge != 0) {
                // Any node of the guest may lie on either of the lab's.
                pages.merge(huge, 2 * ((machine.memory() + huge - 1) / huge), Long::sum);
            }
        }
        long perNode = (guests + OWN_MEMORY) / 2;
        long rounded = Math.max(1024L << 20, (perNode + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP);
        return LabSpec.of(l -> {
            l.memoryPerNode(rounded);
            pages.forEach((size, count) -> {
                l.kernelArgument("hugepagesz=" + (size >> 20) + "M");
                l.kernelArgument("hugepages=" + count);
            });
            // What the guests write to their disks has to reach this machine's files.
            machines.forEach(machine -> machine.writtenFolders().forEach(l::writable));
            folders.forEach(l::writable);
        });
    }

    /** This program again, by the JVM that runs it, with the same arguments and {@code --no-lab}. */
    private static List<String> commandFor(CommandLine line) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xlog:disable",
                "-Xlog:all=error:stderr",
                "-Xlog:aot*=off:stderr", // a cache that does not fit is not used, and that is all
                "--enable-native-access=io.javisor.linux",
                // The cache of classes that this JVM was started with, if it was.
                System.getProperty("javisor.jvm-option", "-Xshare:auto")));
        command.addAll(List.of("-p", System.getProperty("jdk.module.path"), "-m"));
        command.add("io.javisor.examples/" + JavisorCommand.class.getName());
        command.addAll(line.getParent().getParseResult().originalArgs().stream()
                .filter(a -> !a.equals("--lab"))
                .toList());
        return command;
    }

    private static void pump(InputStream from, OutputStream to, boolean closing) {
        byte[] buffer = new byte[1 << 14];
        try {
            for (int n; (n = from.read(buffer)) >= 0; ) {
                to.write(buffer, 0, n);
                to.flush();
            }
            if (closing) {
                to.close();
            }
        } catch (IOException e) {
            // One side has ended: the process's exit code tells the rest.
        }
    }
}
