package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Time that was really spent on a processor (clock_gettime(2)), guests' time included; finer than the JVM's own. */
public final class ProcessorTime {
    private static final MethodHandle CLOCK_GETTIME =
            Libc.function("clock_gettime", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    // linux/time.h
    private static final int CLOCK_PROCESS_CPUTIME_ID = 2;
    private static final int CLOCK_THREAD_CPUTIME_ID = 3;
    private static final long SECOND = 1_000_000_000L;

    private ProcessorTime() {}

    /** Nanoseconds of all threads of this process, those that have ended too. */
    public static long ofProcess() {
        return read(CLOCK_PROCESS_CPUTIME_ID);
    }

    /** Nanoseconds of the current platform thread. */
    public static long ofThread() {
        return read(CLOCK_THREAD_CPUTIME_ID);
    }

    private static long read(int clock) {
        CallState state = CallState.current();
        MemorySegment time = state.scratch(); // struct timespec: seconds, nanoseconds
        int result;
        try {
            result = (int) Libc.answer(state, (int) CLOCK_GETTIME.invokeExact(state.segment(), clock, time));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
        if (result < 0) {
            throw new LinuxException("clock_gettime", "clock " + clock, -result);
        }
        return time.get(JAVA_LONG, 0) * SECOND + time.get(JAVA_LONG, 8);
    }
}
