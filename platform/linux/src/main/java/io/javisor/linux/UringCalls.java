package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The system calls of io_uring, which glibc has no functions for, in the kernel's convention: a result, or a negative errno. */
final class UringCalls {
    private static final long SETUP_NUMBER = 425;
    private static final long ENTER_NUMBER = 426;

    private static final MethodHandle SETUP =
            Libc.variadic("syscall", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS));
    // The last two: no signal mask, and its size.
    private static final MethodHandle ENTER = Libc.variadic(
            "syscall",
            1,
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    private UringCalls() {}

    static int setup(CallState state, int entries, MemorySegment parameters) {
        try {
            return (int) Libc.answer(
                    state, (long) SETUP.invokeExact(state.segment(), SETUP_NUMBER, (long) entries, parameters));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int enter(CallState state, int fd, int submit, int await, int flags) {
        try {
            return (int) Libc.answer(state, (long) ENTER.invokeExact(
                    state.segment(), ENTER_NUMBER, (long) fd, (long) submit, (long) await, (long) flags, 0L, 0L));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }
}
