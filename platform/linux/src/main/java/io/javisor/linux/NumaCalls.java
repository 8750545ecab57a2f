package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The system calls of memory placement, in the kernel's convention: a result, or a negative errno. The C library has no
 * wrappers for them, so they go by number (asm/unistd_64.h).
 */
final class NumaCalls {
    private static final long NR_MBIND = 237;
    private static final long NR_SET_MEMPOLICY = 238;
    private static final long NR_GET_MEMPOLICY = 239;
    private static final long NR_MOVE_PAGES = 279;

    // mbind(start, length, mode, mask, maxnode, flags)
    private static final MethodHandle MBIND = Libc.variadic(
            "syscall",
            1,
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG));
    // set_mempolicy(mode, mask, maxnode)
    private static final MethodHandle SET_MEMPOLICY =
            Libc.variadic("syscall", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG));
    // get_mempolicy(mode, mask, maxnode, address, flags)
    private static final MethodHandle GET_MEMPOLICY = Libc.variadic(
            "syscall", 1, FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG));
    // move_pages(pid, count, pages, nodes, status, flags); the last pointer is the range, kept alive: the pages are
    // bare
    // addresses in an array
    private static final MethodHandle MOVE_PAGES = Libc.variadic(
            "syscall",
            1,
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));

    private NumaCalls() {}

    static int mbind(
            CallState state, MemorySegment range, long length, int mode, MemorySegment mask, long bits, int flags) {
        try {
            return (int) Libc.answer(state, (long)
                    MBIND.invokeExact(state.segment(), NR_MBIND, range, length, (long) mode, mask, bits, (long) flags));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int setMempolicy(CallState state, int mode, MemorySegment mask, long bits) {
        try {
            return (int) Libc.answer(state, (long)
                    SET_MEMPOLICY.invokeExact(state.segment(), NR_SET_MEMPOLICY, (long) mode, mask, bits));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int getMempolicy(
            CallState state, MemorySegment mode, MemorySegment mask, long bits, MemorySegment address, int flags) {
        try {
            return (int) Libc.answer(state, (long) GET_MEMPOLICY.invokeExact(
                    state.segment(), NR_GET_MEMPOLICY, mode, mask, bits, address, (long) flags));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int movePages(
            CallState state,
            long count,
            MemorySegment pages,
            MemorySegment nodes,
            MemorySegment status,
            int flags,
            MemorySegment keptAlive) {
        try {
            return (int) Libc.answer(state, (long) MOVE_PAGES.invokeExact(
                    state.segment(), NR_MOVE_PAGES, 0L, count, pages, nodes, status, (long) flags, keptAlive));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }
}
