package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The system calls of threads and signals, in the kernel's convention: a result, or a negative errno. */
final class ThreadCalls {
    private static final MethodHandle GETPID = Libc.function("getpid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle GETTID = Libc.function("gettid", FunctionDescriptor.of(JAVA_INT));
    // By number: C libraries came late to a wrapper.
    private static final MethodHandle TGKILL =
            Libc.variadic("syscall", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle SIGMASK =
            Libc.function("pthread_sigmask", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    private static final MethodHandle SIGTIMEDWAIT =
            Libc.function("sigtimedwait", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));
    private static final MethodHandle SETAFFINITY =
            Libc.function("sched_setaffinity", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    private static final MethodHandle GETAFFINITY =
            Libc.function("sched_getaffinity", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    private static final MethodHandle TIMER_CREATE =
            Libc.variadic("syscall", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS));
    private static final MethodHandle TIMER_SETTIME = Libc.variadic(
            "syscall", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS));
    private static final MethodHandle TIMER_DELETE =
            Libc.variadic("syscall", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    // asm/unistd_64.h
    private static final long NR_TIMER_CREATE = 222;
    private static final long NR_TIMER_SETTIME = 223;
    private static final long NR_TIMER_DELETE = 226;
    private static final long NR_TGKILL = 234;

    private ThreadCalls() {}

    static int getpid(CallState state) {
        try {
            return (int) GETPID.invokeExact(state.segment());
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int gettid(CallState state) {
        try {
            return (int) GETTID.invokeExact(state.segment());
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int tgkill(CallState state, int process, int thread, int signal) {
        try {
            return (int) Libc.answer(state, (long)
                    TGKILL.invokeExact(state.segment(), NR_TGKILL, (long) process, (long) thread, (long) signal));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    /** Returns 0 or a negative errno; pthread functions return the errno itself. */
    static int sigmask(CallState state, int how, MemorySegment set, MemorySegment old) {
        try {
            return -(int) SIGMASK.invokeExact(state.segment(), how, set, old);
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int sigtimedwait(CallState state, MemorySegment set, MemorySegment timeout) {
        try {
            return (int) Libc.answer(
                    state, (int) SIGTIMEDWAIT.invokeExact(state.segment(), set, MemorySegment.NULL, timeout));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int setAffinity(CallState state, int thread, long bytes, MemorySegment mask) {
        try {
            return (int) Libc.answer(state, (int) SETAFFINITY.invokeExact(state.segment(), thread, bytes, mask));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int getAffinity(CallState state, int thread, long bytes, MemorySegment mask) {
        try {
            return (int) Libc.answer(state, (int) GETAFFINITY.invokeExact(state.segment(), thread, bytes, mask));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int timerCreate(CallState state, int clock, MemorySegment event, MemorySegment id) {
        try {
            return (int) Libc.answer(
                    state, (long) TIMER_CREATE.invokeExact(state.segment(), NR_TIMER_CREATE, (long) clock, event, id));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int timerSettime(CallState state, int id, MemorySegment value) {
        try {
            return (int) Libc.answer(state, (long) TIMER_SETTIME.invokeExact(
                    state.segment(), NR_TIMER_SETTIME, (long) id, 0L, value, MemorySegment.NULL));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int timerDelete(CallState state, int id) {
        try {
            return (int)
                    Libc.answer(state, (long) TIMER_DELETE.invokeExact(state.segment(), NR_TIMER_DELETE, (long) id));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }
}
