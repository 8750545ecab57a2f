package io.javisor.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A command that runs in the lab, as a {@link Process}: it blocks when nobody reads what it writes. Closing its standard
 * input ends that for the command, too. {@link #waitFor()} throws {@link LabException} if the lab ends before it.
 */
public final class LabProcess extends Process {
    private final int slot;
    private final Control control;
    private final SocketChannel in;
    private final SocketChannel out;
    private final SocketChannel err;
    private final byte[] greeting;
    private final OutputStream stdin;
    private final MarkedInputStream stdout;
    private final MarkedInputStream stderr;
    private final CompletableFuture<Integer> exit = new CompletableFuture<>();
    private final AtomicInteger open = new AtomicInteger(3);
    private final Runnable onRelease;

    /** Connects a slot's ports. */
    LabProcess(int slot, Path sockets, Control control, LabCommand command, Runnable onRelease) throws IOException {
        this.slot = slot;
        this.control = control;
        this.onRelease = onRelease;
        // Not a word that a command could know, and not one that text begins with.
        String marker = "\u001e" + UUID.randomUUID();
        byte[] bytes = marker.getBytes(StandardCharsets.US_ASCII);
        Path outSocket = sockets.resolve("out." + slot);
        Path errSocket = sockets.resolve("err." + slot);
        in = connect(sockets.resolve("in." + slot));
        out = connect(outSocket);
        err = connect(errSocket);
        stdout = new MarkedInputStream(Channels.newInputStream(out), bytes, early -> ended(early, outSocket, bytes));
        stderr = new MarkedInputStream(Channels.newInputStream(err), bytes, early -> ended(early, errSocket, bytes));
        stdin = new HalfClosing(in);
        greeting = (marker + "\n" + command.toShell() + "\n").getBytes(StandardCharsets.US_ASCII);
    }

    /** Starts the command; its exit may be told at any time from now on. */
    void begin() throws IOException {
        control.send("run " + slot);
        stdin.write(greeting);
    }

    private static SocketChannel connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return channel;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** The session in the lab has said how the command ended. */
    void exited(int code) {
        exit.complete(code);
        release();
    }

    /** The lab itself has ended. */
    void lost(LabException reason) {
        exit.completeExceptionally(reason);
        closeAll();
    }

    /** Gives up its output, so that what it still writes does not block it. */
    public void abandon() {
        stdout.close();
        stderr.close();
    }

    /** Ends a command that may not have begun. */
    void discard() {
        destroyForcibly();
        closeAll();
        abandon();
    }

    /** A stream is at its end. If it broke (an interrupt closes its socket), the command would block: read on for it. */
    private void ended(boolean early, Path socket, byte[] marker) {
        if (!early || exit.isCompletedExceptionally()) {
            release();
            return;
        }
        Thread.ofVirtual().name("lab-drain").start(() -> {
            try (SocketChannel again = connect(socket)) {
                // The marker may have been lost with what was on its way; the exit comes after it.
                var _ = exit.whenCompleteAsync(
                        (_, _) -> close(again), CompletableFuture.delayedExecutor(2, TimeUnit.SECONDS));
                var rest = new MarkedInputStream(Channels.newInputStream(again), marker, _ -> release());
                rest.transferTo(OutputStream.nullOutputStream());
            } catch (IOException e) {
                // Closed as above, or the lab has ended.
                destroyForcibly();
            }
        });
    }

    /** After the exit and the ends of both streams, the slot is free for the next command. */
    private void release() {
        if (open.decrementAndGet() == 0) {
            closeAll();
            onRelease.run();
        }
    }

    private void closeAll() {
        close(in);
        close(out);
        close(err);
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing is left to lose: the stream has been read, or the lab is gone.
        }
    }

    @Override
    public OutputStream getOutputStream() {
        return stdin;
    }

    @Override
    public InputStream getInputStream() {
        return stdout;
    }

    @Override
    public InputStream getErrorStream() {
        return stderr;
    }

    @Override
    public int waitFor() throws InterruptedException {
        try {
            return exit.get();
        } catch (ExecutionException e) {
            throw unwrap(e);
        }
    }

    @Override
    public boolean waitFor(long timeout, TimeUnit unit) throws InterruptedException {
        try {
            exit.get(timeout, unit);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw unwrap(e);
        }
    }

    @Override
    public int exitValue() {
        if (!exit.isDone()) {
            throw new IllegalThreadStateException("the command still runs");
        }
        return exit.join();
    }

    @Override
    public boolean isAlive() {
        return !exit.isDone();
    }

    /** Sends SIGTERM to the command and what it started in its session. */
    @Override
    public void destroy() {
        signal("TERM");
    }

    /** Sends SIGKILL to the command and what it started in its session. */
    @Override
    public Process destroyForcibly() {
        signal("KILL");
        return this;
    }

    /** Sends a signal ({@code "INT"}) to the command and what it started in its session. */
    public void signal(String name) {
        if (!name.matches("[A-Z0-9]+")) {
            throw new IllegalArgumentException("not a signal: " + name);
        }
        if (isAlive()) {
            control.send("signal " + slot + " " + name);
        }
    }

    private static LabException unwrap(ExecutionException e) {
        return e.getCause() instanceof LabException lab
                ? lab
                : new LabException("lab-ended", "the lab lost a command", null, e.getCause());
    }

    /**
     * Closes only the sending half of a socket: QEMU reads what is still in it, then sees its end. If the whole of it were
     * closed, QEMU would drop what the guest has not yet taken.
     */
    private static final class HalfClosing extends OutputStream {
        private final SocketChannel channel;
        private final OutputStream stream;

        HalfClosing(SocketChannel channel) {
            this.channel = channel;
            this.stream = Channels.newOutputStream(channel);
        }

        @Override
        public void write(int b) throws IOException {
            stream.write(b);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            stream.write(bytes, offset, length);
        }

        @Override
        public void close() throws IOException {
            if (channel.isOpen()) {
                channel.shutdownOutput();
            }
        }
    }
}
