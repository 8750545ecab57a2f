package io.javisor.kvm.gdb;

import io.javisor.partition.HypervisorException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Waits for debuggers on a loopback port and serves one at a time: {@code target remote localhost:PORT} in gdb. When it goes, the
 * guest goes on. Safe from any thread.
 */
public final class GdbServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(GdbServer.class.getName());

    /** A debugger that comes while another is there waits a little; the second is refused by the system. */
    private static final int BACKLOG = 1;

    private static final long PAUSE_NANOS = 50_000_000;

    private final String name;
    private final ServerSocket socket;
    private final Supplier<Optional<GdbTarget>> guest;
    private final Runnable kill;
    private final Thread thread;
    private volatile @Nullable Socket connected;
    private volatile boolean closed;

    private GdbServer(String name, ServerSocket socket, Supplier<Optional<GdbTarget>> guest, Runnable kill) {
        this.name = name;
        this.socket = socket;
        this.guest = guest;
        this.kill = kill;
        this.thread = Thread.ofPlatform().daemon().name(name + " gdb").unstarted(this::serve);
    }

    /**
     * Begins to listen.
     *
     * @param name of the machine, for threads and messages
     * @param port of the loopback interface, 0 for any free one
     * @param guest what a debugger that comes shall debug; empty if nothing runs, and the debugger is sent away
     * @param kill what gdb's {@code kill} does
     * @throws HypervisorException code {@code gdb-port} if the port can't be had
     */
    public static GdbServer listen(String name, int port, Supplier<Optional<GdbTarget>> guest, Runnable kill) {
        ServerSocket socket = null;
        try {
            socket = new ServerSocket();
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
        } catch (IOException | IllegalArgumentException e) {
            closeQuietly(socket);
            throw new HypervisorException(
                    "gdb-port",
                    "can't listen for gdb on the loopback port " + port + ": " + e.getMessage(),
                    null,
                    0,
                    "choose another port, or 0 for any free one",
                    e);
        }
        var server = new GdbServer(name, socket, guest, kill);
        server.thread.start();
        return server;
    }

    /** The port that it listens on. */
    public int port() {
        return socket.getLocalPort();
    }

    private void serve() {
        while (!closed) {
            try (Socket debugger = socket.accept()) {
                connected = debugger;
                if (!closed) {
                    converse(debugger);
                }
            } catch (IOException e) {
                if (!closed) {
                    LOG.log(Level.DEBUG, name + ": a debugger has gone: " + e.getMessage());
                    LockSupport.parkNanos(PAUSE_NANOS); // where the process is out of descriptors
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.log(Level.WARNING, name + ": a debugger's session failed", e);
            } finally {
                connected = null;
            }
        }
    }

    private void converse(Socket debugger) throws IOException, InterruptedException {
        debugger.setTcpNoDelay(true);
        Optional<GdbTarget> target = guest.get();
        if (target.isPresent()) {
            var stream =
                    new PacketStream(new BufferedInputStream(debugger.getInputStream()), debugger.getOutputStream());
            new GdbSession(stream, target.get(), kill).run();
        }
    }

    private static void closeQuietly(java.io.@Nullable Closeable what) {
        if (what != null) {
            try {
                what.close();
            } catch (IOException e) {
                // nothing is left to do with it
            }
        }
    }

    /** Ends the present session, whose guest goes on, and listens no more. Idempotent. */
    @Override
    public void close() {
        closed = true;
        closeQuietly(socket);
        closeQuietly(connected);
        thread.interrupt();
    }
}
