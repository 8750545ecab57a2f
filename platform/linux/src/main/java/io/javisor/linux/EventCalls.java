package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The system calls of events and timers, in the kernel's convention: a result, or a negative errno. */
final class EventCalls {
    private static final MethodHandle EVENTFD =
            Libc.function("eventfd", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle POLL =
            Libc.function("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    private static final MethodHandle EPOLL_CREATE =
            Libc.function("epoll_create1", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle EPOLL_CTL =
            Libc.function("epoll_ctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle EPOLL_WAIT =
            Libc.function("epoll_wait", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle TIMERFD_CREATE =
            Libc.function("timerfd_create", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle TIMERFD_SETTIME =
            Libc.function("timerfd_settime", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));

    private EventCalls() {}

    static int eventfd(CallState state, int initial, int flags) {
        try {
            return (int) Libc.answer(state, (int) EVENTFD.invokeExact(state.segment(), initial, flags));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int poll(CallState state, MemorySegment descriptors, long count, int timeoutMillis) {
        try {
            return (int) Libc.answer(state, (int) POLL.invokeExact(state.segment(), descriptors, count, timeoutMillis));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int epollCreate(CallState state, int flags) {
        try {
            return (int) Libc.answer(state, (int) EPOLL_CREATE.invokeExact(state.segment(), flags));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int epollCtl(CallState state, int epoll, int operation, int fd, MemorySegment event) {
        try {
            return (int) Libc.answer(state, (int) EPOLL_CTL.invokeExact(state.segment(), epoll, operation, fd, event));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int epollWait(CallState state, int epoll, MemorySegment events, int count, int timeoutMillis) {
        try {
            return (int) Libc.answer(
                    state, (int) EPOLL_WAIT.invokeExact(state.segment(), epoll, events, count, timeoutMillis));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int timerfdCreate(CallState state, int clock, int flags) {
        try {
            return (int) Libc.answer(state, (int) TIMERFD_CREATE.invokeExact(state.segment(), clock, flags));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int timerfdSettime(CallState state, int fd, int flags, MemorySegment value) {
        try {
            return (int) Libc.answer(
                    state, (int) TIMERFD_SETTIME.invokeExact(state.segment(), fd, flags, value, MemorySegment.NULL));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }
}
