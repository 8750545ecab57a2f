package io.javisor.examples;

import io.javisor.api.MachineState;
import io.javisor.api.ResetAction;
import io.javisor.api.VirtualMachine;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs a machine, or several, in the foreground. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Runs a machine in the foreground: its console on stdout, stdin to the guest; or several, given in a file.",
            "Without --kernel a stock Debian kernel boots; without --initrd and --kernel, a busybox with a shell."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the guest powered off (with --exec: the command's own code; with --machines: that of the first machine of the "
                    + "file that has another than 0)",
            "64:bad options, or input files that can't be used",
            "69:this host can't do it; the remedy is printed",
            "70:the guest panicked or triple-faulted",
            "71:the guest reset itself, with --no-reboot",
            "75:the time given with --timeout is over"
        })
final class RunCommand implements Callable<Integer> {
    private static final Set<String> BESIDE_MACHINES = Set.of("--machines", "--timeout", "--lab", "--no-lab");

    @CommandLine.Mixin
    private final MachineOptions machine = new MachineOptions();

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "End the machine after this time, with exit code 75.")
    private @Nullable Double timeout;

    @Option(
            names = "--exec",
            paramLabel = "COMMAND",
            description = {
                "Run this in the guest's shell, give its output and its exit code, then power off.",
                "The guest needs a shell on its second serial port; the built initramfs has one."
            })
    private @Nullable String exec;

    @Option(
            names = "--machines",
            paramLabel = "FILE",
            description = {
                "Run several machines, each a line of this file: NAME: OPTIONS, as --net switch=lan --exec 'COMMAND'.",
                "They share switches by name; \"switch NAME: capacity=BITS capture=FILE\" says what one is like. Lines of output",
                "begin with the machine's name. Commands begin when all guests are ready, and all end after the last command."
            })
    private @Nullable Path machines;

    @Option(names = "--no-reboot", description = "End when the guest resets itself, with exit code 71.")
    private boolean noReboot;

    @CommandLine.Mixin
    private final StateOptions state = new StateOptions();

    @CommandLine.Mixin
    private final GdbOptions gdb = new GdbOptions();

    @CommandLine.Mixin
    private final LabOptions lab = new LabOptions();

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        PrintWriter err = spec.commandLine().getErr();
        if (timeout != null && !(timeout > 0 && timeout < 1e9)) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--timeout must be more than 0 seconds");
        }
        if (machines != null) {
            return several(machines, err);
        }
        machine.check(spec.commandLine());
        state.check(spec.commandLine(), machine, exec != null || timeout != null);
        gdb.check(spec.commandLine(), state.restores());
        if (lab.needed(machine, err)) {
            return lab.runInside(spec.commandLine(), machine, gdb, limit());
        }
        long deadline = deadline();
        try (LabSan san = LabSan.open();
                VirtualMachine vm = make()) {
            san.present(vm);
            return exec == null ? interactive(vm, deadline, err) : executed(vm, exec, deadline, err);
        }
    }

    private Optional<Duration> limit() {
        return Optional.ofNullable(timeout).map(seconds -> Duration.ofMillis((long) (seconds * 1000)));
    }

    private long deadline() {
        return timeout == null ? Long.MAX_VALUE : System.nanoTime() + (long) (timeout * 1e9);
    }

    private int several(Path file, PrintWriter err) throws IOException, InterruptedException {
        CommandLine line = spec.commandLine();
        for (CommandLine.Model.OptionSpec given : line.getParseResult().matchedOptions()) {
            if (!BESIDE_MACHINES.contains(given.longestName())) {
                throw new CommandLine.ParameterException(
                        line, given.longestName() + " can't be given with --machines: it belongs into the file");
            }
        }
        MachinesRun run;
        try {
            run = new MachinesRun(MachinesFile.read(file), deadline(), err);
        } catch (NoSuchFileException e) {
            throw new CommandLine.ParameterException(line, "can't read " + file + ": no such file", e);
        } catch (IOException | IllegalArgumentException e) {
            throw new CommandLine.ParameterException(line, String.valueOf(e.getMessage()), e);
        }
        if (lab.needed(run.machines(), err)) {
            return lab.runInside(line, run.machines(), run.writtenFolders(), limit());
        }
        return run.run(line);
    }

    private VirtualMachine make() {
        VirtualMachine restored = state.restored(spec.commandLine(), machine);
        return restored != null
                ? restored
                : machine.builder()
                        .onReset(noReboot ? ResetAction.STOP : ResetAction.RESTART)
                        .build();
    }

    private void begin(VirtualMachine vm, PrintWriter err) {
        if (gdb.open(vm, err)) {
            vm.startUnderDebugger();
        } else if (vm.state() == MachineState.PAUSED) {
            vm.resume(); // it was restored
        } else {
            vm.start();
        }
    }

    private int interactive(VirtualMachine vm, long deadline, PrintWriter err) {
        try (Terminal terminal = Terminal.raw()) {
            vm.console().copyTo(System.out);
            begin(vm, err);
            Thread.ofPlatform()
                    .daemon()
                    .name("stdin")
                    .start(() -> pump(terminal.input(), vm.console().input()));
            return GuestCommand.code(vm.awaitStop(GuestCommand.left(deadline)), err);
        } catch (HypervisorException e) {
            if (e.code().equals("timeout") && state.saves()) {
                state.save(vm, err);
                return ExitCode.OK;
            }
            if (e.code().equals("timeout")) {
                err.println("javisor: the guest did not end within the time given; its processors:");
                vm.registers().forEach(err::println);
                return ExitCode.TIMEOUT;
            }
            throw e;
        } finally {
            System.out.flush();
        }
    }

    private int executed(VirtualMachine vm, String command, long deadline, PrintWriter err) throws IOException {
        begin(vm, err);
        return new GuestCommand(command, System.out, System.err, err, deadline).run(vm, () -> {}, () -> {
            machine.shape().report(vm, err);
            state.save(vm, err);
        });
    }

    private static void pump(InputStream from, OutputStream to) {
        byte[] buffer = new byte[4096];
        try {
            for (int n; (n = from.read(buffer)) >= 0; ) {
                to.write(buffer, 0, n);
                to.flush();
            }
        } catch (IOException e) {
            // The machine or the terminal has gone: there is nobody left to read.
        }
    }
}
