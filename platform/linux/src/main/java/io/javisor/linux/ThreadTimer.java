package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A timer that sends a signal to the thread that made it (timer_create(2) with SIGEV_THREAD_ID); to be armed by that thread,
 * closed by any. The kernel knows the thread by more than its number: once the thread has ended, the timer signals nobody.
 * Arming allocates nothing.
 */
public final class ThreadTimer implements AutoCloseable {
    private static final int CLOCK_MONOTONIC = 1;
    private static final int SIGEV_THREAD_ID = 4;
    // struct sigevent: value@0, signo@8, notify@12, thread@16, 64 bytes
    private static final int SIGEVENT_BYTES = 64;
    private static final long SECOND = 1_000_000_000L;

    private final int id;
    private boolean closed;

    /**
     * Makes a timer for the current platform thread, not armed.
     *
     * @param signal what it sends; the thread has it blocked
     */
    public ThreadTimer(int signal) {
        HostThread thread = HostThread.current();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(SIGEVENT_BYTES, 8);
            event.set(JAVA_INT, 8, signal);
            event.set(JAVA_INT, 12, SIGEV_THREAD_ID);
            event.set(JAVA_INT, 16, thread.thread());
            MemorySegment number = arena.allocate(JAVA_INT);
            int result = ThreadCalls.timerCreate(CallState.current(), CLOCK_MONOTONIC, event, number);
            if (result < 0) {
                throw new LinuxException("timer_create", "CLOCK_MONOTONIC, signal " + signal, -result);
            }
            id = number.get(JAVA_INT, 0);
        }
    }

    /**
     * Arms it for one expiry, or disarms it.
     *
     * @param nanos from now; 0 disarms
     */
    public synchronized void arm(long nanos) {
        if (closed) {
            throw new IllegalStateException("timer is closed");
        }
        CallState state = CallState.current();
        // struct itimerspec: interval, then value, each seconds and nanoseconds
        MemorySegment value = state.scratch();
        value.setAtIndex(JAVA_LONG, 0, 0);
        value.setAtIndex(JAVA_LONG, 1, 0);
        value.setAtIndex(JAVA_LONG, 2, nanos / SECOND);
        value.setAtIndex(JAVA_LONG, 3, nanos % SECOND);
        int result = ThreadCalls.timerSettime(state, id, value);
        if (result < 0) {
            throw new LinuxException("timer_settime", nanos + " ns", -result);
        }
    }

    /** Disarms and deletes it. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            ThreadCalls.timerDelete(CallState.current(), id);
        }
    }
}
