package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/**
 * Owns the Linker: makes the method handles of C functions, each with errno captured, and the memory segments of raw
 * addresses. The functions themselves stand in small groups that are linked on first use, because linking costs time at
 * start-up.
 */
final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
    static final StructLayout CAPTURE_LAYOUT = Linker.Option.captureStateLayout();
    static final long ERRNO = CAPTURE_LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private Libc() {}

    /** A C function; the handle's first parameter is the segment that receives errno. */
    static MethodHandle function(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(address(name), type, CAPTURE);
    }

    /** A C function whose parameters from {@code fixed} on are variadic. */
    static MethodHandle variadic(String name, int fixed, FunctionDescriptor type) {
        return LINKER.downcallHandle(address(name), type, CAPTURE, Linker.Option.firstVariadicArg(fixed));
    }

    private static MemorySegment address(String name) {
        return LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new LinuxException("dlsym", "\"" + name + "\"", Errno.ENOSYS));
    }

    /** The memory at an address that belongs to this process, alive until the arena closes, which runs the cleanup. */
    static MemorySegment view(long address, long size, Arena arena, Runnable cleanup) {
        return MemorySegment.ofAddress(address).reinterpret(size, arena, ignored -> cleanup.run());
    }

    /** A result in the kernel's convention: what the function returned, or the negative errno instead of −1. */
    static long answer(CallState state, long result) {
        return result == -1 ? -state.errno() : result;
    }

    /** Rethrows what a method handle threw: only unchecked throwables reach here. */
    static RuntimeException rethrow(Throwable t) {
        switch (t) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new AssertionError(t);
        }
    }

    /** ioctl(2), apart from the rest because a vCPU's run loop depends on it and on nothing else here. */
    static final class Ioctl {
        private static final MethodHandle VALUE =
                variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
        private static final MethodHandle POINTER =
                variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));

        private Ioctl() {}

        static int ioctl(CallState state, int fd, long request, long value) {
            try {
                int result = (int) VALUE.invokeExact(state.segment(), fd, request, value);
                return result == -1 ? -state.errno() : result;
            } catch (Throwable t) {
                throw rethrow(t);
            }
        }

        static int ioctl(CallState state, int fd, long request, MemorySegment pointer) {
            try {
                int result = (int) POINTER.invokeExact(state.segment(), fd, request, pointer);
                return result == -1 ? -state.errno() : result;
            } catch (Throwable t) {
                throw rethrow(t);
            }
        }
    }
}
