package io.javisor.examples;

import io.javisor.api.MachineState;
import io.javisor.api.Outcome;
import io.javisor.api.ResetAction;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecResult;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs one machine in the foreground. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Runs one machine in the foreground: its console on stdout, stdin to the guest.",
            "Without --kernel a stock Debian kernel boots; without --initrd and --kernel, a busybox with a shell."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the guest powered off (with --exec: the command's own code)",
            "64:bad options, or input files that can't be used",
            "69:this host can't do it; the remedy is printed",
            "70:the guest panicked or triple-faulted",
            "71:the guest reset itself, with --no-reboot",
            "75:the time given with --timeout is over"
        })
final class RunCommand implements Callable<Integer> {
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
        machine.check(spec.commandLine());
        state.check(spec.commandLine(), machine, exec != null || timeout != null);
        gdb.check(spec.commandLine(), state.restores());
        if (lab.needed(machine, err)) {
            return lab.runInside(
                    spec.commandLine(),
                    machine,
                    gdb,
                    Optional.ofNullable(timeout).map(seconds -> Duration.ofMillis((long) (seconds * 1000))));
        }
        long deadline = timeout == null ? Long.MAX_VALUE : System.nanoTime() + (long) (timeout * 1e9);
        try (VirtualMachine vm = make()) {
            return exec == null ? interactive(vm, deadline, err) : executed(vm, exec, deadline, err);
        }
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
            return code(vm.awaitStop(left(deadline)), err);
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
        try {
            begin(vm, err);
            vm.await(Wait.forShell(), left(deadline));
            ExecResult result = vm.exec(ExecRequest.command("/bin/sh", "-c", command)
                    .timeout(left(deadline))
                    .build());
            System.out.write(result.stdout());
            System.out.flush();
            System.err.write(result.stderr());
            System.err.flush();
            if (result.timedOut()) {
                err.println("javisor: the command did not end within the time given");
                return ExitCode.TIMEOUT;
            }
            machine.shape().report(vm, err);
            state.save(vm, err);
            return result.exitCode();
        } catch (ExecException e) {
            err.println("javisor: " + e.getMessage());
            return vm.outcome().map(o -> code(o, err)).orElse(ExitCode.TIMEOUT);
        } catch (HypervisorException e) {
            if (!e.code().equals("timeout") && !e.code().equals("guest-stopped")) {
                throw e;
            }
            err.println("javisor: " + e.getMessage());
            return vm.outcome().map(o -> code(o, err)).orElse(ExitCode.TIMEOUT);
        }
    }

    /** What an outcome means for the caller; says so where it is a failure. */
    private static int code(Outcome outcome, PrintWriter err) {
        return switch (outcome) {
            case Outcome.PoweredOff _ -> ExitCode.OK;
            case Outcome.Killed _ -> ExitCode.OK;
            case Outcome.Reset _ -> {
                err.println("javisor: the guest reset itself");
                yield ExitCode.RESET;
            }
            case Outcome.Panicked p -> {
                err.println("javisor: the guest panicked: " + p.message());
                yield ExitCode.GUEST_FAILED;
            }
            case Outcome.TripleFault t -> {
                err.println("javisor: triple fault on vCPU " + t.vcpu() + "\n" + t.registers());
                yield ExitCode.GUEST_FAILED;
            }
            case Outcome.Failed f -> throw f.error();
        };
    }

    private static Duration left(long deadline) {
        return deadline == Long.MAX_VALUE
                ? Duration.ofDays(3650)
                : Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
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
