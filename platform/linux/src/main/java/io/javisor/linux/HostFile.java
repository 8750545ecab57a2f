package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * A file, a block device or memory (memfd) of the host, opened close-on-exec; safe from any thread. Positioned transfers
 * retry when a signal interrupts them and return short counts as the kernel does; lengths and positions are in bytes.
 */
public final class HostFile implements AutoCloseable {
    /** Open for reading (fcntl.h). */
    public static final int READ_ONLY = 0;
    /** Open for writing. */
    public static final int WRITE_ONLY = 1;
    /** Open for both. */
    public static final int READ_WRITE = 2;
    /** Create the file if it is not there. */
    public static final int CREATE = 0x40;
    /** With {@link #CREATE}: fail if the file is there. */
    public static final int EXCLUSIVE = 0x80;
    /** Empty the file. */
    public static final int TRUNCATE = 0x200;
    /** Fail with EAGAIN instead of waiting. */
    public static final int NON_BLOCKING = 0x800;
    /** A write returns when the data is on stable storage. */
    public static final int DATA_SYNC = 0x1000;
    /** Past the page cache: memory, positions and lengths are aligned as {@link FileStatus} says. */
    public static final int DIRECT = 0x4000;
    /** Fail if the path is no directory. */
    public static final int DIRECTORY = 0x10000;
    /** Fail if the path's last part is a symbolic link. */
    public static final int NO_FOLLOW = 0x20000;

    private static final int CLOSE_ON_EXEC = 0x80000;
    private static final int AT_CURRENT_DIRECTORY = -100;
    private static final int LOCK_SHARED = 1;
    private static final int LOCK_EXCLUSIVE = 2;
    private static final int LOCK_NO_WAIT = 4;
    private static final int LOCK_UNLOCK = 8;
    private static final int GET_LOCK = 36; // F_OFD_GETLK
    private static final int SET_LOCK = 37; // F_OFD_SETLK
    private static final short LOCK_FOR_READ = 0;
    private static final short LOCK_FOR_WRITE = 1;
    private static final short LOCK_NONE = 2;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE = 2;
    private static final int ZERO_RANGE = 0x10;
    private static final long TMPFS_MAGIC = 0x01021994; // linux/magic.h

    private final Descriptor descriptor;
    private final String name;

    private HostFile(Descriptor descriptor, String name) {
        this.descriptor = descriptor;
        this.name = name;
    }

    /**
     * Opens a path.
     *
     * @param flags the constants of this class, or-ed
     */
    public static HostFile open(Path path, int flags) {
        return open(path, flags, 0600);
    }

    /**
     * Opens a path.
     *
     * @param flags the constants of this class, or-ed
     * @param mode permission bits of a file that this creates
     */
    public static HostFile open(Path path, int flags, int mode) {
        return openAt(AT_CURRENT_DIRECTORY, path, flags, mode);
    }

    /** Opens a path relative to this directory. */
    public HostFile openAt(Path path, int flags, int mode) {
        int directory = descriptor.acquire();
        try {
            return openAt(directory, path, flags, mode);
        } finally {
            descriptor.release();
        }
    }

    private static HostFile openAt(int directory, Path path, int flags, int mode) {
        CallState state = CallState.current();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(path.toString());
            int fd;
            do {
                fd = FileCalls.openat(state, directory, text, flags | CLOSE_ON_EXEC, mode);
            } while (fd == -Errno.EINTR);
            if (fd < 0) {
                throw new LinuxException("openat", "\"" + path + "\", 0x" + Integer.toHexString(flags), -fd);
            }
            return new HostFile(Descriptor.adopt(fd, path.toString()), path.toString());
        }
    }

    /**
     * Makes a file that lives in memory only.
     *
     * @param name shown in /proc, up to 249 bytes
     * @param pages size of the pages behind it
     */
    public static HostFile memory(String name, PageSize pages) {
        CallState state = CallState.current();
        try (Arena arena = Arena.ofConfined()) {
            int fd = FileCalls.memfdCreate(state, arena.allocateFrom(name), pages.memfdFlags());
            if (fd < 0) {
                throw new LinuxException("memfd_create", "\"" + name + "\", " + pages, -fd);
            }
            return new HostFile(Descriptor.adopt(fd, "memfd:" + name), "memfd:" + name);
        }
    }

    /** A descriptor as a file; closing either closes both. */
    public static HostFile of(Descriptor descriptor) {
        return new HostFile(descriptor, descriptor.toString());
    }

    /** The descriptor, for ioctls and for calls that take one. Closed with this file. */
    public Descriptor descriptor() {
        return descriptor;
    }

    /** Reads from the file's own position; returns 0 at the end. */
    public long read(MemorySegment into) {
        return check("read", into.byteSize(), -1, tryRead(into));
    }

    /** As {@link #read}, but returns a negative errno instead of throwing. */
    public long tryRead(MemorySegment into) {
        return descriptor.tryRead(into);
    }

    /** Writes at the file's own position. */
    public long write(MemorySegment from) {
        return check("write", from.byteSize(), -1, tryWrite(from));
    }

    /** As {@link #write}, but returns a negative errno instead of throwing. */
    public long tryWrite(MemorySegment from) {
        return descriptor.tryWrite(from, from.byteSize());
    }

    /** Reads from a position; returns the bytes read, 0 at the end of the file. Allocates nothing. */
    public long read(MemorySegment into, long position) {
        CallState state = CallState.current();
        int fd = descriptor.acquire();
        try {
            long n;
            do {
                n = FileCalls.pread(state, fd, into, into.byteSize(), position);
            } while (n == -Errno.EINTR);
            return check("pread", into.byteSize(), position, n);
        } finally {
            descriptor.release();
        }
    }

    /** Writes at a position; returns the bytes written. Allocates nothing. */
    public long write(MemorySegment from, long position) {
        CallState state = CallState.current();
        int fd = descriptor.acquire();
        try {
            long n;
            do {
                n = FileCalls.pwrite(state, fd, from, from.byteSize(), position);
            } while (n == -Errno.EINTR);
            return check("pwrite", from.byteSize(), position, n);
        } finally {
            descriptor.release();
        }
    }

    /** Reads from a position into several pieces of memory, in order; returns the bytes read. */
    public long read(IoVector into, long position) {
        return vectored(into, position, false);
    }

    /** Writes several pieces of memory, in order, at a position; returns the bytes written. */
    public long write(IoVector from, long position) {
        return vectored(from, position, true);
    }

    private long vectored(IoVector vector, long position, boolean writing) {
        CallState state = CallState.current();
        int fd = descriptor.acquire();
        try {
            long n;
            do {
                n = writing ? vector.pwritev(state, fd, position) : vector.preadv(state, fd, position);
            } while (n == -Errno.EINTR);
            return check(writing ? "pwritev" : "preadv", vector.byteSize(), position, n);
        } finally {
            descriptor.release();
        }
    }

    /**
     * Reads from a position what the host has in its page cache, and nothing that it would have to wait for.
     *
     * @return the bytes read, or a negative errno: EAGAIN if it would wait, EOPNOTSUPP if the file system can't tell
     */
    public long readNoWait(IoVector into, long position) {
        int fd = descriptor.acquire();
        try {
            return into.preadvNoWait(CallState.current(), fd, position);
        } finally {
            descriptor.release();
        }
    }

    /** Writes to the page cache unless that waits; returns as {@link #readNoWait} does. */
    public long writeNoWait(IoVector from, long position) {
        int fd = descriptor.acquire();
        try {
            return from.pwritevNoWait(CallState.current(), fd, position);
        } finally {
            descriptor.release();
        }
    }

    /** Whether its file system is the host's memory (tmpfs, or a memfd's), so that transfers copy and wait for no device. */
    public boolean isInMemory() {
        int fd = descriptor.acquire();
        try {
            MemorySegment status = CallState.current().scratch(); // struct statfs: 120 bytes, f_type first
            check("fstatfs", -1, -1, FileCalls.fstatfs(CallState.current(), fd, status));
            return status.get(JAVA_LONG, 0) == TMPFS_MAGIC;
        } finally {
            descriptor.release();
        }
    }

    /** Sets the file's length. */
    public void truncate(long length) {
        int fd = descriptor.acquire();
        try {
            check("ftruncate", length, -1, FileCalls.ftruncate(CallState.current(), fd, length));
        } finally {
            descriptor.release();
        }
    }

    /** Gives a range storage now; the file grows to hold it. */
    public void allocate(long offset, long length) {
        fallocate(0, offset, length);
    }

    /** Gives a range's storage back to the host; it reads as zeroes. The length of the file stays. */
    public void punchHole(long offset, long length) {
        fallocate(PUNCH_HOLE | KEEP_SIZE, offset, length);
    }

    /** Makes a range read as zeroes while it keeps its storage, if the file system can (else EOPNOTSUPP). */
    public void zero(long offset, long length) {
        fallocate(ZERO_RANGE | KEEP_SIZE, offset, length);
    }

    private void fallocate(int mode, long offset, long length) {
        CallState state = CallState.current();
        int fd = descriptor.acquire();
        try {
            int result;
            do {
                result = FileCalls.fallocate(state, fd, mode, offset, length);
            } while (result == -Errno.EINTR);
            check("fallocate mode " + mode, length, offset, result);
        } finally {
            descriptor.release();
        }
    }

    /**
     * Where the next bytes lie that may be other than zero: {@code from} itself if it is in no hole. Moves the file's own
     * position.
     *
     * @return a position, or −1 if there is nothing but a hole from there to the end
     */
    public long nextData(long from) {
        return seek("lseek SEEK_DATA", from, SEEK_DATA);
    }

    /**
     * Where the next hole begins, which reads as zeroes: {@code from} itself if it is in one; the end of the file counts as
     * one. Moves the file's own position.
     *
     * @return a position, or −1 if {@code from} is not before the end
     */
    public long nextHole(long from) {
        return seek("lseek SEEK_HOLE", from, SEEK_HOLE);
    }

    private long seek(String call, long from, int whence) {
        int fd = descriptor.acquire();
        try {
            long result = FileCalls.lseek(CallState.current(), fd, from, whence);
            return result == -Errno.ENXIO ? -1 : check(call, -1, from, result);
        } finally {
            descriptor.release();
        }
    }

    /**
     * Locks the file for this opening of it (flock(2)), until it is closed; others who ask are told, those who don't are not
     * hindered.
     *
     * @param exclusive whether nobody else may hold a lock, or others may share it
     * @return false if somebody else holds a lock that forbids it
     */
    public boolean tryLock(boolean exclusive) {
        int fd = descriptor.acquire();
        try {
            int result =
                    FileCalls.flock(CallState.current(), fd, (exclusive ? LOCK_EXCLUSIVE : LOCK_SHARED) | LOCK_NO_WAIT);
            if (result == -Errno.EAGAIN) {
                return false;
            }
            check("flock", -1, -1, result);
            descriptor.locked();
            return true;
        } finally {
            descriptor.release();
        }
    }

    /**
     * Locks one byte of the file for this opening of it (an open file description lock, fcntl(2)), until it is unlocked or the file
     * is closed; the kernel does that for a process that ends, whatever ends it, once all that it does has ended. The byte need not
     * be there. A lock that this opening has is made exclusive or shared if nobody else's forbids it, else it stays as it is.
     *
     * @param position of the byte, not negative
     * @return false if another opening holds a lock that forbids it
     */
    public boolean tryLockByte(long position, boolean exclusive) {
        int fd = descriptor.acquire();
        try {
            int result = byteLock(fd, SET_LOCK, exclusive ? LOCK_FOR_WRITE : LOCK_FOR_READ, position);
            if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
                return false;
            }
            check("fcntl F_OFD_SETLK", 1, position, result);
            descriptor.locked();
            return true;
        } finally {
            descriptor.release();
        }
    }

    /** Gives up the lock of a byte, if this opening has one. */
    public void unlockByte(long position) {
        int fd = descriptor.acquire();
        try {
            check("fcntl F_OFD_SETLK", 1, position, byteLock(fd, SET_LOCK, LOCK_NONE, position));
        } finally {
            descriptor.release();
        }
    }

    /** Whether another opening holds a lock of a byte. */
    public boolean isByteLocked(long position) {
        int fd = descriptor.acquire();
        try {
            check("fcntl F_OFD_GETLK", 1, position, byteLock(fd, GET_LOCK, LOCK_FOR_WRITE, position));
            return CallState.current().scratch().get(JAVA_SHORT, 0) != LOCK_NONE;
        } finally {
            descriptor.release();
        }
    }

    /** struct flock of x86-64: type@0, whence@2, start@8, length@16 (0: to the end of all), process@24, which must be 0. */
    private static int byteLock(int fd, int command, short type, long position) {
        CallState state = CallState.current();
        MemorySegment lock = state.scratch().asSlice(0, 32).fill((byte) 0);
        lock.set(JAVA_SHORT, 0, type);
        lock.set(JAVA_LONG, 8, position);
        lock.set(JAVA_LONG, 16, 1);
        return FileCalls.fcntl(state, fd, command, lock);
    }

    /** Gives up all locks of an opening. */
    static void unlockAll(int fd) {
        CallState state = CallState.current();
        FileCalls.flock(state, fd, LOCK_UNLOCK);
        MemorySegment lock = state.scratch().asSlice(0, 32).fill((byte) 0);
        lock.set(JAVA_SHORT, 0, LOCK_NONE);
        FileCalls.fcntl(state, fd, SET_LOCK, lock);
    }

    /** Returns when data and metadata are on stable storage. */
    public void sync() {
        int fd = descriptor.acquire();
        try {
            check("fsync", -1, -1, FileCalls.fsync(CallState.current(), fd));
        } finally {
            descriptor.release();
        }
    }

    /** Returns when the data, and what is needed to find it, is on stable storage. */
    public void syncData() {
        int fd = descriptor.acquire();
        try {
            check("fdatasync", -1, -1, FileCalls.fdatasync(CallState.current(), fd));
        } finally {
            descriptor.release();
        }
    }

    /** What the host knows of the file. */
    public FileStatus status() {
        int fd = descriptor.acquire();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(FileStatus.LAYOUT);
            MemorySegment empty = arena.allocateFrom("");
            check(
                    "statx",
                    -1,
                    -1,
                    FileCalls.statx(CallState.current(), fd, empty, FileStatus.EMPTY_PATH, FileStatus.MASK, buffer));
            return FileStatus.of(buffer);
        } finally {
            descriptor.release();
        }
    }

    /**
     * Copies bytes between files inside the kernel, sharing storage where the file system can.
     *
     * @return bytes copied, 0 at the end of this file
     */
    public long copyTo(HostFile target, long position, long targetPosition, long length) {
        int from = descriptor.acquire();
        try {
            int to = target.descriptor.acquire();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment at = arena.allocate(JAVA_LONG, 2);
                at.setAtIndex(JAVA_LONG, 0, position);
                at.setAtIndex(JAVA_LONG, 1, targetPosition);
                CallState state = CallState.current();
                long n;
                do {
                    n = FileCalls.copyFileRange(state, from, at.asSlice(0, 8), to, at.asSlice(8, 8), length);
                } while (n == -Errno.EINTR);
                return check("copy_file_range", length, position, n);
            } finally {
                target.descriptor.release();
            }
        } finally {
            descriptor.release();
        }
    }

    /** Closes it. Idempotent. */
    @Override
    public void close() {
        descriptor.close();
    }

    /** Its path or name. */
    @Override
    public String toString() {
        return name;
    }

    private long check(String call, long length, long position, long result) {
        if (result < 0) {
            String values =
                    name + (length < 0 ? "" : ", " + length + " bytes") + (position < 0 ? "" : " at " + position);
            throw new LinuxException(call, values, (int) -result);
        }
        return result;
    }
}
