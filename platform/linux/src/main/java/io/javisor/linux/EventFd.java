package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * A kernel event counter (eventfd(2)), non-blocking and close-on-exec; safe from any thread. Signals add up until they are
 * drained. Signalling and draining allocate nothing.
 */
public final class EventFd implements AutoCloseable {
    private static final int NON_BLOCKING = 0x800;
    private static final int CLOSE_ON_EXEC = 0x80000;
    private static final short POLLIN = 1;

    private final Descriptor descriptor;

    /** Makes a counter of zero. */
    public EventFd() {
        int fd = EventCalls.eventfd(CallState.current(), 0, NON_BLOCKING | CLOSE_ON_EXEC);
        if (fd < 0) {
            throw new LinuxException("eventfd2", "0", -fd);
        }
        descriptor = Descriptor.adopt(fd, "eventfd");
    }

    /** The descriptor, for calls that take one. Closed with this. */
    public Descriptor descriptor() {
        return descriptor;
    }

    /** Adds one; a full counter (2⁶⁴ − 2) stays as it is, since it is signalled already. */
    public void signal() {
        CallState state = CallState.current();
        MemorySegment value = state.scratch();
        value.set(JAVA_LONG, 0, 1);
        int fd = descriptor.acquire();
        try {
            long n;
            do {
                n = FileCalls.write(state, fd, value, Long.BYTES);
            } while (n == -Errno.EINTR);
            if (n < 0 && n != -Errno.EAGAIN) {
                throw new LinuxException("write", descriptor.toString(), (int) -n);
            }
        } finally {
            descriptor.release();
        }
    }

    /**
     * Takes what has been signalled.
     *
     * @return the counter, which is now zero; 0 if nothing was signalled
     */
    public long drain() {
        return drain(descriptor);
    }

    static long drain(Descriptor descriptor) {
        CallState state = CallState.current();
        MemorySegment value = state.scratch();
        int fd = descriptor.acquire();
        try {
            long n;
            do {
                n = FileCalls.read(state, fd, value, Long.BYTES);
            } while (n == -Errno.EINTR);
            if (n == Long.BYTES) {
                return value.get(JAVA_LONG, 0);
            }
            if (n == -Errno.EAGAIN) {
                return 0;
            }
            throw new LinuxException("read", descriptor.toString(), (int) -n);
        } finally {
            descriptor.release();
        }
    }

    /**
     * Waits until it is signalled, without draining it.
     *
     * @param timeout how long at most; rounded up to milliseconds
     * @return whether it is signalled
     */
    public boolean await(Duration timeout) {
        return await(descriptor, timeout);
    }

    static boolean await(Descriptor descriptor, Duration timeout) {
        CallState state = CallState.current();
        MemorySegment poll = state.scratch();
        long deadline = System.nanoTime() + timeout.toNanos();
        int fd = descriptor.acquire();
        try {
            for (; ; ) {
                poll.set(JAVA_INT, 0, fd);
                poll.set(JAVA_SHORT, 4, POLLIN);
                poll.set(JAVA_SHORT, 6, (short) 0);
                long left = Math.max(0, deadline - System.nanoTime());
                int millis = (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
                int n = EventCalls.poll(state, poll, 1, millis);
                if (n > 0) {
                    return true;
                }
                if (n < 0 && n != -Errno.EINTR) {
                    throw new LinuxException("poll", descriptor.toString(), -n);
                }
                if (n == 0 && System.nanoTime() - deadline >= 0) {
                    return false;
                }
            }
        } finally {
            descriptor.release();
        }
    }

    /** Closes it. Idempotent. */
    @Override
    public void close() {
        descriptor.close();
    }
}
