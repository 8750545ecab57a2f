package io.javisor.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/**
 * A platform thread as the kernel knows it. The kernel reuses a thread's number when the thread has ended: whoever keeps one
 * of these makes sure that the thread still lives while it signals.
 *
 * @param process the process's number
 * @param thread the thread's number
 */
public record HostThread(int process, int thread) {
    /** First real-time signal that the C library leaves free (SIGRTMIN of glibc). */
    public static final int FIRST_REALTIME_SIGNAL = 34;
    /** Last real-time signal. */
    public static final int LAST_REALTIME_SIGNAL = 64;

    private static final int SIG_BLOCK = 0;
    // Kernel sets have 64 bits; the C library reads up to 1,024.
    private static final int SIGNAL_SET_BYTES = 128;
    private static final int CPU_SET_BYTES = 8192 / 8;

    /**
     * The current thread, which must be a platform thread.
     *
     * @throws IllegalStateException in a virtual thread, which has no kernel thread of its own
     */
    public static HostThread current() {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("a virtual thread has no kernel thread of its own: use a platform thread");
        }
        CallState state = CallState.current();
        return new HostThread(ThreadCalls.getpid(state), ThreadCalls.gettid(state));
    }

    /**
     * Sends a signal to this thread (tgkill(2)).
     *
     * @return whether the thread was there to receive it
     */
    public boolean signal(int signal) {
        int result = ThreadCalls.tgkill(CallState.current(), process, thread, signal);
        if (result < 0 && result != -Errno.ESRCH) {
            throw new LinuxException("tgkill", process + ", " + thread + ", " + signal, -result);
        }
        return result == 0;
    }

    /** Blocks a signal in the current thread, for the thread's life: it stays pending when it comes. */
    public static void block(int signal) {
        current();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(SIGNAL_SET_BYTES, 8);
            set.set(ValueLayout.JAVA_LONG, 0, 1L << (signal - 1));
            int result = ThreadCalls.sigmask(CallState.current(), SIG_BLOCK, set, MemorySegment.NULL);
            if (result < 0) {
                throw new LinuxException("pthread_sigmask", "SIG_BLOCK " + signal, -result);
            }
        }
    }

    /** The signals that are blocked in the current thread: bit n − 1 stands for signal n. */
    public static long blocked() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(SIGNAL_SET_BYTES, 8);
            int result = ThreadCalls.sigmask(CallState.current(), SIG_BLOCK, MemorySegment.NULL, set);
            if (result < 0) {
                throw new LinuxException("pthread_sigmask", "", -result);
            }
            return set.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * Takes a pending, blocked signal from the current thread without waiting. Allocates nothing.
     *
     * @return whether there was one
     */
    public static boolean takePending(int signal) {
        CallState state = CallState.current();
        // 128 bytes of scratch are the set; the timeout of zero is a constant beside it.
        MemorySegment set = state.scratch();
        set.fill((byte) 0);
        set.set(ValueLayout.JAVA_LONG, 0, 1L << (signal - 1));
        int result;
        do {
            result = ThreadCalls.sigtimedwait(state, set, Zero.TIME);
        } while (result == -Errno.EINTR);
        if (result < 0 && result != -Errno.EAGAIN) {
            throw new LinuxException("rt_sigtimedwait", "signal " + signal, -result);
        }
        return result == signal;
    }

    /** A struct timespec of zero, made when it is first needed. */
    private static final class Zero {
        static final MemorySegment TIME = Arena.ofAuto().allocate(16, 8);

        private Zero() {}
    }

    /** Lets this thread run on the given CPUs only. */
    public void setAffinity(BitSet cpus) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(CPU_SET_BYTES, 8);
            byte[] bits = cpus.toByteArray();
            if (bits.length > CPU_SET_BYTES) {
                throw new IllegalArgumentException("CPU number from " + CPU_SET_BYTES * 8 + " on: " + cpus);
            }
            MemorySegment.copy(bits, 0, mask, ValueLayout.JAVA_BYTE, 0, bits.length);
            int result = ThreadCalls.setAffinity(CallState.current(), thread, CPU_SET_BYTES, mask);
            if (result < 0) {
                throw new LinuxException("sched_setaffinity", thread + ", CPUs " + cpus, -result);
            }
        }
    }

    /** The CPUs that this thread may run on. */
    public BitSet affinity() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(CPU_SET_BYTES, 8);
            int result = ThreadCalls.getAffinity(CallState.current(), thread, CPU_SET_BYTES, mask);
            if (result < 0) {
                throw new LinuxException("sched_getaffinity", String.valueOf(thread), -result);
            }
            return BitSet.valueOf(mask.toArray(ValueLayout.JAVA_BYTE));
        }
    }
}
