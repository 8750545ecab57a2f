package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The system calls of address space, in the kernel's convention: a result, or a negative errno. */
final class MemoryCalls {
    private static final MethodHandle MMAP = Libc.function(
            "mmap64", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    // The same with a pointer, whose scope stays alive: MAP_FIXED must not hit what came after an unmapped range.
    private static final MethodHandle MMAP_OVER = Libc.function(
            "mmap64", FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP =
            Libc.function("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle MADVISE =
            Libc.function("madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    private MemoryCalls() {}

    static long mmap(CallState state, long address, long length, int protection, int flags, int fd, long offset) {
        try {
            return Libc.answer(
                    state, (long) MMAP.invokeExact(state.segment(), address, length, protection, flags, fd, offset));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long mmapOver(
            CallState state, MemorySegment over, long length, int protection, int flags, int fd, long offset) {
        try {
            return Libc.answer(
                    state, (long) MMAP_OVER.invokeExact(state.segment(), over, length, protection, flags, fd, offset));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int munmap(CallState state, long address, long length) {
        try {
            return (int) Libc.answer(state, (int) MUNMAP.invokeExact(state.segment(), address, length));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int madvise(CallState state, MemorySegment range, long length, int advice) {
        try {
            return (int) Libc.answer(state, (int) MADVISE.invokeExact(state.segment(), range, length, advice));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }
}
