package io.javisor.examples;

import io.javisor.api.VirtualMachine;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** How a debugger gets to the guest. */
final class GdbOptions {
    @Option(
            names = "--gdb",
            paramLabel = "PORT",
            description = {
                "Let gdb in on this port of the loopback interface: target remote localhost:PORT.",
                "Symbols have their addresses with nokaslr on the kernel's command line only (--append nokaslr)."
            })
    private @Nullable Integer port;

    @Option(names = "--gdb-wait", description = "With --gdb: the guest waits at its first instruction for gdb.")
    private boolean wait;

    void check(CommandLine line, boolean restores) {
        if (port != null && (port < 1 || port > 65_535)) {
            throw new CommandLine.ParameterException(line, "--gdb takes a port, 1 to 65535");
        }
        if (wait && port == null) {
            throw new CommandLine.ParameterException(line, "--gdb-wait needs --gdb");
        }
        if (wait && restores) {
            throw new CommandLine.ParameterException(
                    line, "--gdb-wait is for a guest that starts, --restore goes on with one");
        }
    }

    /** Carries connections into a lab, if there is to be a debugger. */
    @Nullable
    GdbRelay relayInto(io.javisor.lab.Lab inside) {
        return port == null ? null : GdbRelay.listen(port, inside);
    }

    /** Lets a debugger in; whether the guest shall wait for it. */
    boolean open(VirtualMachine vm, PrintWriter err) {
        if (port == null) {
            return false;
        }
        vm.debugger(port);
        err.println("javisor: gdb: target remote localhost:" + port + (wait ? " (the guest waits for it)" : ""));
        err.flush();
        return wait;
    }
}
