package io.javisor.api.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;

/**
 * A position in a console's output. Reading waits for output and ends when the console is closed. A reader that falls behind by
 * more than the console's history continues with the oldest byte that is still there; {@link #lost()} says what it missed. For
 * one thread at a time, except {@link #close()} and {@link #lost()}.
 */
public final class ConsoleReader extends InputStream {
    private final Console console;
    private volatile long position;
    private volatile long lost;
    private volatile long end = Long.MAX_VALUE;
    private volatile boolean closed;

    ConsoleReader(Console console, long position) {
        this.console = console;
        this.position = position;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        return read(into, offset, length, Long.MAX_VALUE);
    }

    /**
     * Reads what there is, waiting for the first byte at most so long.
     *
     * @return bytes read: 0 if the time was up, −1 at the end
     */
    public int read(byte[] into, int offset, int length, Duration timeout) throws IOException {
        return read(into, offset, length, timeout.toNanos());
    }

    // Only the reading thread writes position and lost.
    @SuppressWarnings("NonAtomicVolatileUpdate")
    private int read(byte[] into, int offset, int length, long nanos) throws IOException {
        if (closed) {
            throw new IOException("console reader is closed");
        }
        try {
            Console.Piece piece = console.read(this, into, offset, length, nanos);
            if (piece.length() > 0) {
                lost += piece.start() - position;
                position = piece.start() + piece.length();
            }
            return piece.length();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while reading a console").initCause(e);
        }
    }

    @Override
    public int available() {
        return console.available(position);
    }

    /** Bytes that this reader missed so far because it was too slow. */
    public long lost() {
        return lost;
    }

    /** Position of the next byte. */
    long position() {
        return position;
    }

    /** Where the reader's output ends, though the console may go on. */
    long end() {
        return end;
    }

    /** Ends the reader's output with what has been printed by now. */
    void finish() {
        end = console.written();
        console.wake();
    }

    /** Makes later reads fail; one that waits returns the end. */
    @Override
    public void close() {
        closed = true;
        end = 0;
        console.wake();
    }
}
