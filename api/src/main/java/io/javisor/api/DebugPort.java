package io.javisor.api;

import io.javisor.kvm.gdb.GdbServer;
import io.javisor.kvm.gdb.GdbTarget;
import io.javisor.partition.HypervisorException;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Where a machine lets debuggers in; safe from any thread. */
final class DebugPort implements AutoCloseable {
    private @Nullable GdbServer server;
    private boolean closed;

    /** Opens it, in the place of one that is open. */
    synchronized GdbServer open(String machine, int port, Supplier<Optional<GdbTarget>> guest, Runnable kill) {
        if (closed) {
            throw new HypervisorException("closed", "can't debug machine \"" + machine + "\": it is CLOSED", null);
        }
        if (server != null) {
            server.close();
        }
        GdbServer opened = GdbServer.listen(machine, port, guest, kill);
        server = opened;
        return opened;
    }

    synchronized void requireOpen(String machine) {
        if (server == null) {
            throw new HypervisorException(
                    "no-debugger",
                    "machine \"" + machine + "\" is to wait for a debugger, and nothing lets one in",
                    "call debugger(port) before");
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (server != null) {
            server.close();
        }
    }
}
