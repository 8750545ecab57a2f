package io.javisor.examples;

import io.javisor.api.Host;
import io.javisor.api.HostReport;
import io.javisor.api.MachineStatistics;
import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecResult;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Shows what Javisor does, on a stock kernel, with live values only. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Boots a stock Debian kernel, talks to it and closes it without a trace; says what it sees.")
final class DemoCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @CommandLine.Mixin
    private final MachineOptions machine = new MachineOptions();

    @CommandLine.Mixin
    private final LabOptions lab = new LabOptions();

    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        machine.check(spec.commandLine());
        HostReport host = Host.check();
        say(out, LabOptions.isInside() ? "lab" : "host", Reports.summary(host));
        if (lab.needed(machine, err)) {
            return lab.runInside(spec.commandLine(), machine, Optional.empty());
        }
        Footprint before = Footprint.now();
        try (VirtualMachine vm = (host.hyperV() ? machine.growing() : machine.builder()).build()) {
            long started = System.nanoTime();
            vm.start();
            vm.await(Wait.forShell(), PATIENCE);
            long ready = System.nanoTime();
            MachineStatistics boot = vm.statistics();
            say(
                    out,
                    "boot",
                    "%s, %s and %d vCPU: a shell %d ms after start(), %,d exits to Java",
                    machine.kernelText(),
                    MemorySize.format(machine.memory()),
                    machine.vcpus(),
                    (ready - started) / 1_000_000,
                    boot.exitTotal());
            say(out, "guest", "%s", text(vm, "uname -srvm"));
            say(
                    out,
                    "guest",
                    "runs on %s; clock source %s; %s processors; %s kB of memory",
                    text(vm, "dmesg | sed -n 's/.*Hypervisor detected: //p'"),
                    text(vm, "cat /sys/devices/system/clocksource/clocksource0/current_clocksource"),
                    text(vm, "grep -c ^processor /proc/cpuinfo"),
                    text(vm, "sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo"));
            ExecResult result = vm.exec("sh", "-c", "echo 6 7 | awk '{print $1 * $2}'; exit 3");
            say(
                    out,
                    "exec",
                    "awk says %s, exit code %d, in %d ms",
                    result.stdoutText().strip(),
                    result.exitCode(),
                    result.time().toMillis());
            if (vm.spec().dynamicMemory().isPresent()) {
                new MemoryShow(vm, out).run();
            }
            long closing = System.nanoTime();
            var outcome = vm.shutdown(Duration.ofSeconds(20));
            say(
                    out,
                    "close",
                    "power button: %s after %d ms",
                    outcome.getClass().getSimpleName(),
                    (System.nanoTime() - closing) / 1_000_000);
        }
        say(out, "left", "%s", Footprint.now().since(before));
        return ExitCode.OK;
    }

    private static String text(VirtualMachine vm, String command) {
        return vm.exec("sh", "-c", command).stdoutText().strip();
    }

    @SuppressWarnings("AnnotateFormatMethod") // the one format annotation there is would be a dependency for one line
    private static void say(PrintWriter out, String topic, String format, Object... values) {
        out.printf(Locale.ROOT, "%-6s ", topic);
        out.println(values.length == 0 ? format : String.format(Locale.ROOT, format, values));
        out.flush();
    }
}
