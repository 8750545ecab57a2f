package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Waits for many descriptors at once (epoll(7)). Any thread may add, modify and remove; one thread at a time waits and reads
 * the results, which are valid until its next wait. Waiting allocates nothing. Closing does not wake a waiting thread: add an
 * {@link EventFd} for that.
 *
 * <p>struct epoll_event is packed on x86-64: events@0, data@4, 12 bytes.
 */
public final class Epoll implements AutoCloseable {
    /** Can be read (EPOLLIN). */
    public static final int READABLE = 0x1;
    /** Can be written (EPOLLOUT). */
    public static final int WRITABLE = 0x4;
    /** An error stands on the descriptor (EPOLLERR); always reported. */
    public static final int ERROR = 0x8;
    /** The other end is gone (EPOLLHUP); always reported. */
    public static final int HANG_UP = 0x10;
    /** The other end stopped writing (EPOLLRDHUP). */
    public static final int READ_HANG_UP = 0x2000;
    /** Report changes, not states (EPOLLET). */
    public static final int EDGE = 1 << 31;
    /** Report once, until modified (EPOLLONESHOT). */
    public static final int ONE_SHOT = 1 << 30;

    private static final int CLOSE_ON_EXEC = 0x80000;
    private static final int ADD = 1;
    private static final int REMOVE = 2;
    private static final int MODIFY = 3;
    private static final int EVENT_BYTES = 12;

    private final Descriptor descriptor;
    private final MemorySegment results;
    private final int capacity;

    /**
     * @param capacity most results of one wait, from 1
     */
    public Epoll(int capacity) {
        if (capacity < 1 || capacity > 1 << 16) {
            throw new IllegalArgumentException("capacity " + capacity + " is not in 1..65536");
        }
        int fd = EventCalls.epollCreate(CallState.current(), CLOSE_ON_EXEC);
        if (fd < 0) {
            throw new LinuxException("epoll_create1", "", -fd);
        }
        this.descriptor = Descriptor.adopt(fd, "epoll");
        this.capacity = capacity;
        this.results = Arena.ofAuto().allocate((long) capacity * EVENT_BYTES, 8);
    }

    /**
     * Watches a descriptor. Remove it before it is closed.
     *
     * @param events the constants of this class, or-ed
     * @param token what {@link #token} returns for it
     */
    public void add(Descriptor watched, int events, long token) {
        control(ADD, watched, events, token);
    }

    /** Changes what a watched descriptor is watched for. */
    public void modify(Descriptor watched, int events, long token) {
        control(MODIFY, watched, events, token);
    }

    /** Stops watching. */
    public void remove(Descriptor watched) {
        control(REMOVE, watched, 0, 0);
    }

    private void control(int operation, Descriptor watched, int events, long token) {
        CallState state = CallState.current();
        MemorySegment event = state.scratch();
        event.set(JAVA_INT, 0, events);
        event.set(JAVA_LONG_UNALIGNED, 4, token);
        int epoll = descriptor.acquire();
        try {
            int fd = watched.acquire();
            try {
                int result = EventCalls.epollCtl(state, epoll, operation, fd, event);
                if (result < 0) {
                    throw new LinuxException("epoll_ctl", "operation " + operation + ", " + watched, -result);
                }
            } finally {
                watched.release();
            }
        } finally {
            descriptor.release();
        }
    }

    /**
     * Waits for events.
     *
     * @param timeoutMillis at most so long; −1 waits for ever, 0 not at all
     * @return how many results there are; 0 also if a signal came first
     */
    public int await(int timeoutMillis) {
        int epoll = descriptor.acquire();
        try {
            int n = EventCalls.epollWait(CallState.current(), epoll, results, capacity, timeoutMillis);
            if (n >= 0) {
                return n;
            }
            if (n == -Errno.EINTR) {
                return 0;
            }
            throw new LinuxException("epoll_wait", descriptor.toString(), -n);
        } finally {
            descriptor.release();
        }
    }

    /** The events of a result of the last wait. */
    public int events(int index) {
        return results.get(JAVA_INT_UNALIGNED, (long) index * EVENT_BYTES);
    }

    /** The token of a result of the last wait. */
    public long token(int index) {
        return results.get(JAVA_LONG_UNALIGNED, (long) index * EVENT_BYTES + 4);
    }

    /** Closes it. Idempotent. */
    @Override
    public void close() {
        descriptor.close();
    }
}
