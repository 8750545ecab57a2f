package io.javisor.api.console;

import io.javisor.devices.ByteSink;
import io.javisor.devices.Serial16550;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A machine's console: its output since it was made, of which the last part is kept, and its input. Safe from any thread; calls
 * that wait are friendly to virtual threads. The guest is never made to wait for a reader.
 */
public final class Console implements AutoCloseable {
    /** Bytes of history that are kept unless the constructor is told otherwise: 256 KiB, some 3,000 lines. */
    public static final int DEFAULT_HISTORY = 256 * 1024;

    private static final int FIRST_HISTORY = 4 * 1024;
    private static final long SEARCH_INTERVAL_NANOS = TimeUnit.MICROSECONDS.toNanos(200);
    private static final int EVIDENCE_LINES = 25;

    private final String name;
    private final int limit;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private byte[] ring;
    private long written;
    private final AtomicLong seen = new AtomicLong(); // the same, for who asks without the lock, as often as it likes
    private long mark;
    private int waiting;
    private boolean closed;
    private @Nullable Serial16550 port;

    /** @param name of the machine, for error messages */
    public Console(String name) {
        this(name, DEFAULT_HISTORY);
    }

    /**
     * A console with a history of its own length.
     *
     * @param name of the machine, for error messages
     * @param history bytes of output to keep, at least 1; taken from the heap only as the guest prints
     */
    public Console(String name, int history) {
        if (history < 1) {
            throw new IllegalArgumentException("console history of " + history + " bytes");
        }
        this.name = name;
        this.limit = history;
        this.ring = new byte[Math.min(history, FIRST_HISTORY)];
    }

    /** Where the serial port's output goes. */
    public ByteSink sink() {
        return this::take;
    }

    /** Sends {@link #input()} to this port from now on: that of the machine's present run. */
    public void connect(Serial16550 to) {
        lock.lock();
        try {
            port = to;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Begins a new run: {@link #text()}, {@link #tail} and the waits look only at what comes after. Readers see no seam. */
    public void mark() {
        lock.lock();
        try {
            mark = written;
        } finally {
            lock.unlock();
        }
    }

    private void take(byte value) {
        lock.lock();
        try {
            if (written >= ring.length && ring.length < limit) {
                grow();
            }
            ring[(int) (written % ring.length)] = value;
            written++;
            seen.setRelease(written);
            if (waiting > 0) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Called before the first wrap, so that positions below the old length stay where they are. */
    private void grow() {
        if (written == ring.length) {
            ring = Arrays.copyOf(ring, (int) Math.min(limit, 2L * ring.length));
        }
    }

    /** All bytes that the guest has printed, since the console was made. */
    public long written() {
        return seen.getAcquire();
    }

    /** What the guest has printed in this run, as far as the history holds it, as UTF-8. */
    public String text() {
        return new String(since(Long.MIN_VALUE), StandardCharsets.UTF_8);
    }

    /** The last lines of this run, as UTF-8 without carriage returns. */
    public String tail(int lines) {
        String all = text().replace("\r", "");
        int at = all.endsWith("\n") ? all.length() - 1 : all.length();
        for (int i = 0; i < lines && at >= 0; i++) {
            at = all.lastIndexOf('\n', at - 1);
        }
        return all.substring(at + 1);
    }

    private byte[] since(long from) {
        lock.lock();
        try {
            long start = Math.max(Math.max(from, mark), oldest());
            byte[] copy = new byte[(int) (written - start)];
            copyOut(start, copy, 0, copy.length);
            return copy;
        } finally {
            lock.unlock();
        }
    }

    private long oldest() {
        return Math.max(0, written - ring.length);
    }

    private void copyOut(long from, byte[] to, int offset, int length) {
        int at = (int) (from % ring.length);
        int first = Math.min(length, ring.length - at);
        System.arraycopy(ring, at, to, offset, first);
        System.arraycopy(ring, 0, to, offset + first, length - first);
    }

    /** A reader of everything from here on. Close it when done, or forget it: it holds nothing of the console. */
    public ConsoleReader reader() {
        return new ConsoleReader(this, written());
    }

    /** A reader that begins with the oldest byte of the history. */
    public ConsoleReader readerFromStart() {
        return new ConsoleReader(this, 0);
    }

    /**
     * Copies out what there is at a reader's position, waiting for something if {@code nanos} allows.
     *
     * @return the position of the first byte copied and how many: 0 if the time was up, −1 at the end
     */
    Piece read(ConsoleReader reader, byte[] into, int offset, int length, long nanos) throws InterruptedException {
        Objects.checkFromIndexSize(offset, length, into.length);
        long from = reader.position();
        lock.lockInterruptibly();
        try {
            long left = nanos;
            while (from >= written && !closed && from < reader.end() && left > 0 && length > 0) {
                left = await(left);
            }
            if (from >= Math.min(written, reader.end())) {
                return new Piece(from, length > 0 && (closed || from >= reader.end()) ? -1 : 0);
            }
            long start = Math.max(from, oldest());
            int n = (int) Math.min(length, written - start);
            copyOut(start, into, offset, n);
            return new Piece(start, n);
        } finally {
            lock.unlock();
        }
    }

    /** Wakes readers to look at their end again. */
    void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Bytes that a reader at a position can have at once. */
    int available(long from) {
        lock.lock();
        try {
            return (int) (written - Math.min(written, Math.max(from, oldest())));
        } finally {
            lock.unlock();
        }
    }

    record Piece(long start, int length) {}

    @SuppressWarnings("WaitNotInLoop") // the callers loop
    private long await(long nanos) throws InterruptedException {
        waiting++;
        try {
            return changed.awaitNanos(nanos);
        } finally {
            waiting--;
        }
    }

    /**
     * Waits until this run's output contains a match, or contains one already.
     *
     * @return false if the time was up, or the console closed, first
     * @throws HypervisorException with code {@code interrupted}
     */
    public boolean awaitMatch(Pattern pattern, Duration timeout) {
        return search(pattern, timeout) != null;
    }

    /** Waits until this run's output contains a text; like {@link #awaitMatch}. */
    public boolean awaitText(String text, Duration timeout) {
        return awaitMatch(Pattern.compile(text, Pattern.LITERAL), timeout);
    }

    /**
     * Waits until this run's output contains a match, and gives it.
     *
     * @throws HypervisorException with code {@code timeout} and the console's last lines, or {@code interrupted}
     */
    public Matcher expect(Pattern pattern, Duration timeout) {
        Matcher found = search(pattern, timeout);
        if (found == null) {
            String tail = tail(EVIDENCE_LINES).stripTrailing();
            throw new HypervisorException(
                    "timeout",
                    "waited " + timeout.toMillis() + " ms for the console of \"" + name + "\" to show \"" + pattern
                            + "\"; " + (tail.isEmpty() ? "it is empty" : "its last lines:\n" + tail),
                    null);
        }
        return found;
    }

    private @Nullable Matcher search(Pattern pattern, Duration timeout) {
        long deadline = System.nanoTime() + saturated(timeout);
        long searched = -1;
        boolean first = true;
        try {
            while (true) {
                boolean last;
                lock.lockInterruptibly();
                try {
                    while (searched == written && !closed && deadline - System.nanoTime() > 0) {
                        await(deadline - System.nanoTime());
                    }
                    last = closed || deadline - System.nanoTime() <= 0;
                    searched = written;
                } finally {
                    lock.unlock();
                }
                long begun = System.nanoTime();
                Matcher matcher = pattern.matcher(text());
                if (matcher.find()) {
                    return matcher;
                }
                if (last) {
                    return null;
                }
                if (first) {
                    first = false; // that was what was there; the next byte is looked at as it comes
                    continue;
                }
                // A guest prints byte by byte: let some gather, and spend at most a tenth of the time searching.
                long pause = Math.max(SEARCH_INTERVAL_NANOS, 9 * (System.nanoTime() - begun));
                TimeUnit.NANOSECONDS.sleep(Math.clamp(deadline - System.nanoTime(), 0, pause));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HypervisorException(
                    "interrupted", "interrupted while waiting for the console of \"" + name + "\"", null);
        }
    }

    private static long saturated(Duration timeout) {
        return timeout.compareTo(Duration.ofDays(36_500)) > 0
                ? Duration.ofDays(36_500).toNanos()
                : timeout.toNanos();
    }

    /**
     * What is typed to the guest. Writing waits until the guest has read most of it; it fails with an IOException while no run
     * is under way. Closing it does nothing.
     */
    public OutputStream input() {
        return new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                write(new byte[] {(byte) value}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                int sent = 0;
                while (true) {
                    Serial16550 to = connected();
                    if (to == null) {
                        throw new IOException("machine \"" + name + "\" has no console: it is not running");
                    }
                    try {
                        sent += to.send(bytes, offset + sent, length - sent, Long.MAX_VALUE);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw (IOException) new InterruptedIOException("interrupted while typing").initCause(e);
                    }
                    if (sent == length) {
                        return;
                    }
                    disconnect(to);
                }
            }
        };
    }

    /** Types text, as UTF-8; add the newline yourself. Waits as {@link #input()} does. */
    public void type(String text) throws IOException {
        input().write(text.getBytes(StandardCharsets.UTF_8));
    }

    private @Nullable Serial16550 connected() {
        lock.lock();
        try {
            return closed ? null : port;
        } finally {
            lock.unlock();
        }
    }

    private void disconnect(Serial16550 from) {
        lock.lock();
        try {
            if (port == from) {
                port = null;
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Copies all output from here on to a stream, on a virtual thread of its own, until the console or the copy is closed.
     * What is lost because the stream is slow is said in the stream.
     */
    public ConsoleCopy copyTo(OutputStream to) {
        return new ConsoleCopy(reader(), to, name);
    }

    /** Ends the output: readers see its end once they have read what there is. The history stays readable. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
