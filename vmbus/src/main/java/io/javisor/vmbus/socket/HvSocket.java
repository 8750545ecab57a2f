package io.javisor.vmbus.socket;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;

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
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while reading from the guest");
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
            return end.write(from);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while writing to the guest");
        }
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
