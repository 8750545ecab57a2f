package io.javisor.examples;

import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecResult;
import java.time.Duration;

/** Runs programs in a guest: with standard input, an environment and a time-out; and hears how they end. */
public final class ExecInGuest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private ExecInGuest() {}

    /** Takes no arguments. */
    public static void main(String[] arguments) {
        try (var vm = VirtualMachine.builder("exec")
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);

            ExecResult sorted = vm.exec(
                    ExecRequest.command("sort", "-n").stdin("10\n9\n8\n").build());
            IO.println("sorted: " + sorted.stdoutText().replace('\n', ' '));

            ExecResult greeting = vm.exec(ExecRequest.command("sh", "-c", "echo hello $NAME; exit 3")
                    .env("NAME", "guest")
                    .build());
            IO.println(greeting.stdoutText().strip() + ", exit code " + greeting.exitCode());

            try {
                vm.exec(ExecRequest.command("sleep", "1000")
                        .timeout(Duration.ofMillis(500))
                        .build());
            } catch (ExecException e) { // e.captured() has what the program had printed until then
                IO.println(e.code() + ": " + e.getMessage());
            }

            IO.println("ended: " + vm.shutdown(PATIENCE));
        }
    }
}
