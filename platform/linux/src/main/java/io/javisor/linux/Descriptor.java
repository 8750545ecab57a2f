package io.javisor.linux;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;

/**
 * One owned file descriptor; safe from any thread. Each use counts, and the number goes back to the kernel when the
 * descriptor is closed <em>and</em> its last use has ended: a close that races a use never lets the use reach a number that
 * meanwhile belongs to another file. Closing does not wake a thread that is blocked in the kernel on this descriptor.
 */
public final class Descriptor implements AutoCloseable {
    private static final int CLOSED = 1 << 30;
    private static final VarHandle USES;

    static {
        try {
            USES = MethodHandles.lookup().findVarHandle(Descriptor.class, "uses", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int fd;
    private final String name;

    @SuppressWarnings("UnusedVariable") // by USES: uses in progress, plus CLOSED
    private volatile int uses;

    private volatile boolean locked;

    private Descriptor(int fd, String name) {
        this.fd = fd;
        this.name = name;
    }

    /**
     * Takes ownership of a number that the kernel has just returned.
     *
     * @param fd the number
     * @param name what it is, for messages: {@code "KVM VM"}
     */
    public static Descriptor adopt(int fd, String name) {
        if (fd < 0) {
            throw new IllegalArgumentException("no file descriptor: " + fd);
        }
        return new Descriptor(fd, name);
    }

    /**
     * Begins a use: the number stays this descriptor's until the matching {@link #release()}.
     *
     * @return the number
     * @throws IllegalStateException if it is closed
     */
    public int acquire() {
        for (; ; ) {
            int before = (int) USES.getVolatile(this);
            if ((before & CLOSED) != 0) {
                throw new IllegalStateException(name + " is closed");
            }
            if (USES.weakCompareAndSet(this, before, before + 1)) {
                return fd;
            }
        }
    }

    /** Ends a use that {@link #acquire()} began. */
    public void release() {
        int before = (int) USES.getAndAdd(this, -1);
        if (before == CLOSED + 1) {
            giveBack();
        }
    }

    /** Whether it has been closed. */
    public boolean isClosed() {
        return ((int) USES.getVolatile(this) & CLOSED) != 0;
    }

    /**
     * ioctl(2) with a value.
     *
     * @param call the request's name, for the message
     * @return what the kernel returned, not negative
     * @throws LinuxException if the kernel refuses
     */
    public int ioctl(String call, long request, long value) {
        int result = tryIoctl(CallState.current(), request, value);
        if (result < 0) {
            throw new LinuxException(call, value == 0 ? name : name + ", 0x" + Long.toHexString(value), -result);
        }
        return result;
    }

    /**
     * ioctl(2) with a pointer to a structure.
     *
     * @param call the request's name, for the message
     * @param structure native memory; alive for the length of the call
     * @return what the kernel returned, not negative
     * @throws LinuxException if the kernel refuses
     */
    public int ioctl(String call, long request, MemorySegment structure) {
        int result = tryIoctl(CallState.current(), request, structure);
        if (result < 0) {
            throw new LinuxException(call, name, -result);
        }
        return result;
    }

    /**
     * ioctl(2) for hot loops and for callers to whom an errno is an answer; allocates nothing.
     *
     * @return what the kernel returned, or the negative errno; EINTR is returned, not retried
     */
    public int tryIoctl(CallState state, long request, long value) {
        int number = acquire();
        try {
            return Libc.Ioctl.ioctl(state, number, request, value);
        } finally {
            release();
        }
    }

    /**
     * ioctl(2) with a pointer, for callers to whom an errno is an answer; allocates nothing.
     *
     * @return what the kernel returned, or the negative errno; EINTR is returned, not retried
     */
    public int tryIoctl(CallState state, long request, MemorySegment structure) {
        int number = acquire();
        try {
            return Libc.Ioctl.ioctl(state, number, request, structure);
        } finally {
            release();
        }
    }

    /** read(2), again when a signal came; returns the bytes or a negative errno. Allocates nothing. */
    long tryRead(MemorySegment into) {
        CallState state = CallState.current();
        int number = acquire();
        try {
            long n;
            do {
                n = FileCalls.read(state, number, into, into.byteSize());
            } while (n == -Errno.EINTR);
            return n;
        } finally {
            release();
        }
    }

    /** write(2) of the first bytes, again when a signal came; returns the bytes or a negative errno. Allocates nothing. */
    long tryWrite(MemorySegment from, long bytes) {
        Objects.checkFromIndexSize(0, bytes, from.byteSize());
        CallState state = CallState.current();
        int number = acquire();
        try {
            long n;
            do {
                n = FileCalls.write(state, number, from, bytes);
            } while (n == -Errno.EINTR);
            return n;
        } finally {
            release();
        }
    }

    /** As {@link #tryWrite(MemorySegment, long)}, all pieces of a list by one call; they {@linkplain IoVector#fitsOneCall fit}. */
    long tryWrite(IoVector from) {
        CallState state = CallState.current();
        int number = acquire();
        try {
            long n;
            do {
                n = from.writev(state, number);
            } while (n == -Errno.EINTR);
            return n;
        } finally {
            release();
        }
    }

    /** Closes it: at once, or when the uses in progress have ended. */
    @Override
    public void close() {
        int before = (int) USES.getAndBitwiseOr(this, CLOSED);
        if (before == 0) {
            giveBack();
        }
    }

    /** Notes that the opening behind the number holds a lock, by flock(2) or fcntl(2). */
    void locked() {
        locked = true;
    }

    private void giveBack() {
        if (locked) {
            // A process that this one is just starting has the opening too until it calls execve(2), and with it the
            // lock.
            HostFile.unlockAll(fd);
        }
        // Linux frees the number whatever close(2) returns; retrying could close somebody else's.
        FileCalls.close(CallState.current(), fd);
    }

    /** What it is and its number. */
    @Override
    public String toString() {
        return name + " (fd " + fd + ")";
    }
}
