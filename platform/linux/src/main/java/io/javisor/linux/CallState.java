package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Where a call leaves errno, with a little scratch memory beside it; for one thread at a time. Every thread has one of its
 * own ({@link #current()}); a hot loop takes one and passes it along, so that no call looks it up again.
 */
public final class CallState {
    private static final int SCRATCH_BYTES = 128;
    // One small block per thread, given back when the thread is collected; holds no values between calls.
    private static final ThreadLocal<CallState> CURRENT = ThreadLocal.withInitial(CallState::new);

    private final MemorySegment segment;
    private final MemorySegment scratch;

    private CallState() {
        MemorySegment block = Arena.ofAuto().allocate(SCRATCH_BYTES + 64, 64);
        segment = block.asSlice(0, Libc.CAPTURE_LAYOUT.byteSize());
        scratch = block.asSlice(64, SCRATCH_BYTES);
    }

    /** The current thread's. */
    public static CallState current() {
        return CURRENT.get();
    }

    MemorySegment segment() {
        return segment;
    }

    /**
     * 128 bytes of native memory, 64-byte aligned, for the small structure of one call: the thread's next call to anything in
     * this package may overwrite it.
     */
    public MemorySegment scratch() {
        return scratch;
    }

    int errno() {
        return segment.get(JAVA_INT, Libc.ERRNO);
    }
}
