package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The system calls of sockets that Java has none of, in the kernel's convention: a result, or a negative errno. */
final class SocketCalls {
    static final int NON_BLOCKING = 0x800;
    static final int CLOSE_ON_EXEC = 0x80000;
    static final int DATAGRAM = 2;
    static final int RAW = 3;

    private static final MethodHandle SOCKET =
            Libc.function("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle BIND = addressed("bind");
    private static final MethodHandle CONNECT = addressed("connect");
    private static final MethodHandle SETSOCKOPT = Libc.function(
            "setsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    // The three last pointers are none of the function's parameters: they ride in unused argument registers, so that
    // the
    // Linker keeps the scopes of the memory behind the message header alive during the call.
    private static final MethodHandle RECVMSG = Libc.function(
            "recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, ADDRESS, ADDRESS));

    private static final MethodHandle IF_NAMETOINDEX =
            Libc.function("if_nametoindex", FunctionDescriptor.of(JAVA_INT, ADDRESS));

    private SocketCalls() {}

    private static MethodHandle addressed(String name) {
        return Libc.function(name, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    }

    static int socket(CallState state, int family, int type, int protocol) {
        try {
            return (int) Libc.answer(state, (int)
                    SOCKET.invokeExact(state.segment(), family, type | NON_BLOCKING | CLOSE_ON_EXEC, protocol));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int bind(CallState state, int fd, MemorySegment address) {
        try {
            return (int)
                    Libc.answer(state, (int) BIND.invokeExact(state.segment(), fd, address, (int) address.byteSize()));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int connect(CallState state, int fd, MemorySegment address) {
        try {
            return (int) Libc.answer(
                    state, (int) CONNECT.invokeExact(state.segment(), fd, address, (int) address.byteSize()));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int setsockopt(CallState state, int fd, int level, int option, MemorySegment value) {
        try {
            return (int) Libc.answer(state, (int)
                    SETSOCKOPT.invokeExact(state.segment(), fd, level, option, value, (int) value.byteSize()));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long recvmsg(
            CallState state,
            int fd,
            MemorySegment message,
            MemorySegment vectors,
            MemorySegment into,
            MemorySegment control) {
        try {
            return Libc.answer(
                    state, (long) RECVMSG.invokeExact(state.segment(), fd, message, 0, vectors, into, control));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    /** An interface's number; 0 if there is none of the name. */
    static int ifNameToIndex(CallState state, MemorySegment name) {
        try {
            return (int) IF_NAMETOINDEX.invokeExact(state.segment(), name);
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }
}
