package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * How many descriptors this process may have open (RLIMIT_NOFILE, getrlimit(2)).
 *
 * @param soft what counts now
 * @param hard how far the process may raise the soft limit by itself
 */
public record OpenFileLimit(long soft, long hard) {
    private static final int RLIMIT_NOFILE = 7;
    private static final MethodHandle GETRLIMIT =
            Libc.function("getrlimit64", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle SETRLIMIT =
            Libc.function("setrlimit64", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));

    /** The limit now. */
    public static OpenFileLimit get() {
        CallState state = CallState.current();
        MemorySegment limit = state.scratch();
        try {
            int result = (int) Libc.answer(state, (int) GETRLIMIT.invokeExact(state.segment(), RLIMIT_NOFILE, limit));
            if (result < 0) {
                throw new LinuxException("getrlimit", "RLIMIT_NOFILE", -result);
            }
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
        return new OpenFileLimit(limit.getAtIndex(JAVA_LONG, 0), limit.getAtIndex(JAVA_LONG, 1));
    }

    /**
     * Makes this the process's limit.
     *
     * @throws LinuxException EPERM if the hard limit is above the process's and the process is not privileged, EINVAL if the
     *     soft limit is above the hard one
     */
    public void set() {
        CallState state = CallState.current();
        MemorySegment limit = state.scratch();
        limit.setAtIndex(JAVA_LONG, 0, soft);
        limit.setAtIndex(JAVA_LONG, 1, hard);
        try {
            int result = (int) Libc.answer(state, (int) SETRLIMIT.invokeExact(state.segment(), RLIMIT_NOFILE, limit));
            if (result < 0) {
                throw new LinuxException("setrlimit", "RLIMIT_NOFILE, " + soft + ", " + hard, -result);
            }
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }
}
