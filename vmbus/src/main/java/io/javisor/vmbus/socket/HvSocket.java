package io.javisor.vmbus.socket;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;

/**
 * A byte stream to a program in the guest. Safe from any thread; reads and writes block, which virtual threads do cheaply; an
 * interrupt ends the wait with an InterruptedIOException and leaves the socket usable. Reads of several threads share the
 * bytes, writes of several threads may interleave.
 */
public final class HvSocket implements ByteChannel {
    private final SocketEnd end;
    private final int localPort;
    private final int remotePort;

    HvSocket(SocketEnd end, int localPort, int remotePort) {
        this.end = end;
        this.localPort = localPort;
        this.remotePort = remotePort;
    }

    /** The host's port; an unsigned number. */
    public int localPort() {
        return localPort;
    }

    /** The guest's port; an unsigned number. */
    public int remotePort() {
        return remotePort;
    }

    /**
     * Reads at least one byte, unless the buffer is full.
     *
     * @return bytes read, or -1 if the guest has ended its direction
     * @throws ClosedChannelException if this side is closed
     * @throws IOException if the guest went away without ending its direction
     */
    @Override
    public int read(ByteBuffer into) throws IOException {
        try {
            return end.read(into);
        } catch (InterruptedException e) {
            throw interrupted("reading from");
        }
    }

    /**
     * Writes all of the buffer. That it returns means only that the bytes are on their way.
     *
     * @throws ClosedChannelException if this side or its output is closed
     * @throws IOException if the guest went away
     */
    @Override
    public int write(ByteBuffer from) throws IOException {
        try {
            return end.write(from, Long.MAX_VALUE);
        } catch (InterruptedException e) {
            throw interrupted("writing to");
        }
    }

    /**
     * Writes as much of the buffer as finds room within a time.
     *
     * @param limit how long to wait for room
     * @return bytes written; fewer than all if the guest did not read in time
     * @throws ClosedChannelException if this side or its output is closed
     * @throws IOException if the guest went away
     */
    public int write(ByteBuffer from, Duration limit) throws IOException {
        try {
            return end.write(from, limit.toNanos());
        } catch (InterruptedException e) {
            throw interrupted("writing to");
        }
    }

    /**
     * Whether the program in the guest has read all that was written; also if it never will, because the socket is closed. Not
     * to be asked on a reactor.
     *
     * @throws InterruptedIOException if the thread is interrupted
     */
    public boolean isDrained() throws InterruptedIOException {
        try {
            return end.isDrained();
        } catch (InterruptedException e) {
            throw interrupted("asking");
        }
    }

    private static InterruptedIOException interrupted(String what) {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted while " + what + " the guest");
    }

    /** Ends this side's direction; reading goes on. The guest reads what was written, and then the end. Idempotent. */
    public void shutdownOutput() {
        end.shutdownOutput();
    }

    /** Whether neither side has closed it. */
    @Override
    public boolean isOpen() {
        return end.isOpen();
    }

    /**
     * Closes it: what was written still goes out, what the guest sends from now on is dropped. Does not wait; the guest is given
     * ten seconds to read. Idempotent.
     */
    @Override
    public void close() {
        end.close();
    }
}
