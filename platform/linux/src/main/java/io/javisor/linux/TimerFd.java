package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * A kernel timer on the monotonic clock that is readable when it has expired (timerfd_create(2)), non-blocking and
 * close-on-exec; safe from any thread. Arming and draining allocate nothing.
 */
public final class TimerFd implements AutoCloseable {
    private static final int CLOCK_MONOTONIC = 1;
    private static final int NON_BLOCKING = 0x800;
    private static final int CLOSE_ON_EXEC = 0x80000;
    private static final int ABSOLUTE = 1;
    private static final long SECOND = 1_000_000_000L;

    private final Descriptor descriptor;

    /** Makes a timer that is not armed. */
    public TimerFd() {
        int fd = EventCalls.timerfdCreate(CallState.current(), CLOCK_MONOTONIC, NON_BLOCKING | CLOSE_ON_EXEC);
        if (fd < 0) {
            throw new LinuxException("timerfd_create", "CLOCK_MONOTONIC", -fd);
        }
        descriptor = Descriptor.adopt(fd, "timerfd");
    }

    /** The descriptor, for calls that take one. Closed with this. */
    public Descriptor descriptor() {
        return descriptor;
    }

    /**
     * Arms it relative to now.
     *
     * @param nanos until the first expiry, from 1
     * @param periodNanos between later expiries; 0 for none
     */
    public void arm(long nanos, long periodNanos) {
        if (nanos < 1 || periodNanos < 0) {
            throw new IllegalArgumentException("arm " + nanos + " ns, every " + periodNanos + " ns");
        }
        set(0, nanos, periodNanos);
    }

    /**
     * Arms it for a time of {@link System#nanoTime()}, which reads the same clock; a time in the past expires at once.
     *
     * @param nanoTime the time of the only expiry
     */
    public void armAt(long nanoTime) {
        set(ABSOLUTE, Math.max(1, nanoTime), 0);
    }

    /** Disarms it and forgets what it has counted. */
    public void disarm() {
        set(0, 0, 0);
    }

    private void set(int flags, long nanos, long periodNanos) {
        CallState state = CallState.current();
        // struct itimerspec: interval, then value, each seconds and nanoseconds
        MemorySegment value = state.scratch();
        value.setAtIndex(JAVA_LONG, 0, periodNanos / SECOND);
        value.setAtIndex(JAVA_LONG, 1, periodNanos % SECOND);
        value.setAtIndex(JAVA_LONG, 2, nanos / SECOND);
        value.setAtIndex(JAVA_LONG, 3, nanos % SECOND);
        int fd = descriptor.acquire();
        try {
            int result = EventCalls.timerfdSettime(state, fd, flags, value);
            if (result < 0) {
                throw new LinuxException("timerfd_settime", nanos + " ns, every " + periodNanos + " ns", -result);
            }
        } finally {
            descriptor.release();
        }
    }

    /**
     * Takes what has expired.
     *
     * @return expiries since the last drain or arming; 0 if none
     */
    public long drain() {
        return EventFd.drain(descriptor);
    }

    /** Waits until it has expired, without draining it; returns whether it has. */
    public boolean await(Duration timeout) {
        return EventFd.await(descriptor, timeout);
    }

    /** Closes it. Idempotent. */
    @Override
    public void close() {
        descriptor.close();
    }
}
