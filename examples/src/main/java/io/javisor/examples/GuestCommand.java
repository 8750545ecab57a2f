package io.javisor.examples;

import io.javisor.api.Outcome;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.api.exec.ExecResult;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.time.Duration;

/**
 * A shell command in a guest, and what its end means for whoever started javisor.
 *
 * @param command for /bin/sh
 * @param out takes its standard output
 * @param errors takes its standard error
 * @param err takes what javisor has to say
 * @param deadline by {@link System#nanoTime}; {@link Long#MAX_VALUE} for none
 */
record GuestCommand(String command, OutputStream out, OutputStream errors, PrintWriter err, long deadline) {
    /** What happens between a machine's states. */
    interface Step {
        void now() throws IOException;
    }

    /**
     * Runs it in a machine that has been started.
     *
     * @param before is done once the guest's shell is there
     * @param after is done once the command has ended by itself
     * @return the command's exit code, or the one that says why there is none
     */
    int run(VirtualMachine vm, Step before, Step after) throws IOException {
        try {
            vm.await(Wait.forShell(), left(deadline));
            before.now();
            ExecResult result = vm.exec(ExecRequest.command("/bin/sh", "-c", command)
                    .timeout(left(deadline))
                    .build());
            out.write(result.stdout());
            out.flush();
            errors.write(result.stderr());
            errors.flush();
            if (result.timedOut()) {
                err.println("javisor: the command did not end within the time given");
                return ExitCode.TIMEOUT;
            }
            after.now();
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
    static int code(Outcome outcome, PrintWriter err) {
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

    /** What is left until a deadline. */
    static Duration left(long deadline) {
        return deadline == Long.MAX_VALUE
                ? Duration.ofDays(3650)
                : Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
    }
}
