package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The system calls of files, in the kernel's convention: a result, or a negative errno. */
final class FileCalls {
    private static final MethodHandle OPENAT =
            Libc.variadic("openat", 3, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle CLOSE = Libc.function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle READ = transfer("read");
    private static final MethodHandle WRITE = transfer("write");
    private static final MethodHandle PREAD = positioned("pread64");
    private static final MethodHandle PWRITE = positioned("pwrite64");
    private static final MethodHandle PREADV = vectored("preadv64");
    private static final MethodHandle PWRITEV = vectored("pwritev64");
    private static final MethodHandle FTRUNCATE =
            Libc.function("ftruncate64", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle FALLOCATE =
            Libc.function("fallocate64", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle FLOCK =
            Libc.function("flock", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle FCNTL =
            Libc.variadic("fcntl64", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle FSYNC = Libc.function("fsync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle FDATASYNC = Libc.function("fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle STATX =
            Libc.function("statx", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle COPY_FILE_RANGE = Libc.function(
            "copy_file_range",
            FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    private static final MethodHandle MEMFD_CREATE =
            Libc.function("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));

    private FileCalls() {}

    private static MethodHandle transfer(String name) {
        return Libc.function(name, FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    }

    private static MethodHandle positioned(String name) {
        return Libc.function(name, FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
    }

    // The two last pointers are none of the function's parameters: they ride in unused argument registers, so that the
    // Linker keeps the scopes of the memory behind the iovecs alive during the call.
    private static MethodHandle vectored(String name) {
        return Libc.function(
                name, FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS));
    }

    static int openat(CallState state, int directory, MemorySegment path, int flags, int mode) {
        try {
            return (int) Libc.answer(state, (int) OPENAT.invokeExact(state.segment(), directory, path, flags, mode));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int close(CallState state, int fd) {
        try {
            return (int) Libc.answer(state, (int) CLOSE.invokeExact(state.segment(), fd));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long read(CallState state, int fd, MemorySegment into, long count) {
        try {
            return Libc.answer(state, (long) READ.invokeExact(state.segment(), fd, into, count));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long write(CallState state, int fd, MemorySegment from, long count) {
        try {
            return Libc.answer(state, (long) WRITE.invokeExact(state.segment(), fd, from, count));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long pread(CallState state, int fd, MemorySegment into, long count, long position) {
        try {
            return Libc.answer(state, (long) PREAD.invokeExact(state.segment(), fd, into, count, position));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long pwrite(CallState state, int fd, MemorySegment from, long count, long position) {
        try {
            return Libc.answer(state, (long) PWRITE.invokeExact(state.segment(), fd, from, count, position));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long preadv(
            CallState state,
            int fd,
            MemorySegment vectors,
            int count,
            long position,
            MemorySegment keptAlive,
            MemorySegment alsoKeptAlive) {
        try {
            return Libc.answer(state, (long)
                    PREADV.invokeExact(state.segment(), fd, vectors, count, position, keptAlive, alsoKeptAlive));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long pwritev(
            CallState state,
            int fd,
            MemorySegment vectors,
            int count,
            long position,
            MemorySegment keptAlive,
            MemorySegment alsoKeptAlive) {
        try {
            return Libc.answer(state, (long)
                    PWRITEV.invokeExact(state.segment(), fd, vectors, count, position, keptAlive, alsoKeptAlive));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int ftruncate(CallState state, int fd, long length) {
        try {
            return (int) Libc.answer(state, (int) FTRUNCATE.invokeExact(state.segment(), fd, length));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long lseek(CallState state, int fd, long offset, int whence) {
        try {
            return Libc.answer(state, (long) Seek.LSEEK.invokeExact(state.segment(), fd, offset, whence));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int fallocate(CallState state, int fd, int mode, long offset, long length) {
        try {
            return (int) Libc.answer(state, (int) FALLOCATE.invokeExact(state.segment(), fd, mode, offset, length));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int flock(CallState state, int fd, int operation) {
        try {
            return (int) Libc.answer(state, (int) FLOCK.invokeExact(state.segment(), fd, operation));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int fcntl(CallState state, int fd, int command, MemorySegment structure) {
        try {
            return (int) Libc.answer(state, (int) FCNTL.invokeExact(state.segment(), fd, command, structure));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int fsync(CallState state, int fd) {
        try {
            return (int) Libc.answer(state, (int) FSYNC.invokeExact(state.segment(), fd));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int fdatasync(CallState state, int fd) {
        try {
            return (int) Libc.answer(state, (int) FDATASYNC.invokeExact(state.segment(), fd));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int statx(CallState state, int directory, MemorySegment path, int flags, int mask, MemorySegment into) {
        try {
            return (int)
                    Libc.answer(state, (int) STATX.invokeExact(state.segment(), directory, path, flags, mask, into));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long copyFileRange(
            CallState state, int from, MemorySegment fromAt, int to, MemorySegment toAt, long length) {
        try {
            return Libc.answer(
                    state, (long) COPY_FILE_RANGE.invokeExact(state.segment(), from, fromAt, to, toAt, length, 0));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int memfdCreate(CallState state, MemorySegment name, int flags) {
        try {
            return (int) Libc.answer(state, (int) MEMFD_CREATE.invokeExact(state.segment(), name, flags));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    /** As {@link #preadv}, with RWF_NOWAIT. */
    static long preadvNoWait(
            CallState state,
            int fd,
            MemorySegment vectors,
            int count,
            long position,
            MemorySegment keptAlive,
            MemorySegment alsoKeptAlive) {
        try {
            return Libc.answer(state, (long) NoWait.PREADV2.invokeExact(
                    state.segment(), fd, vectors, count, position, NoWait.FLAG, keptAlive, alsoKeptAlive));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    /** As {@link #pwritev}, with RWF_NOWAIT. */
    static long pwritevNoWait(
            CallState state,
            int fd,
            MemorySegment vectors,
            int count,
            long position,
            MemorySegment keptAlive,
            MemorySegment alsoKeptAlive) {
        try {
            return Libc.answer(state, (long) NoWait.PWRITEV2.invokeExact(
                    state.segment(), fd, vectors, count, position, NoWait.FLAG, keptAlive, alsoKeptAlive));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static int fstatfs(CallState state, int fd, MemorySegment into) {
        try {
            return (int) Libc.answer(state, (int) FileSystem.FSTATFS.invokeExact(state.segment(), fd, into));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    static long writev(
            CallState state,
            int fd,
            MemorySegment vectors,
            int count,
            MemorySegment keptAlive,
            MemorySegment alsoKeptAlive) {
        try {
            return Libc.answer(state, (long)
                    Gathered.WRITEV.invokeExact(state.segment(), fd, vectors, count, keptAlive, alsoKeptAlive));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        }
    }

    /** Apart, because only networks need it. */
    private static final class Gathered {
        static final MethodHandle WRITEV = Libc.function(
                "writev", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, ADDRESS));
    }

    /** Apart, because only disks need it. */
    private static final class NoWait {
        static final int FLAG = 8; // RWF_NOWAIT, linux/fs.h
        static final MethodHandle PREADV2 = flagged("preadv64v2");
        static final MethodHandle PWRITEV2 = flagged("pwritev64v2");

        private static MethodHandle flagged(String name) {
            return Libc.function(
                    name,
                    FunctionDescriptor.of(
                            JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS));
        }
    }

    /** Apart, because only disks need it. */
    private static final class FileSystem {
        static final MethodHandle FSTATFS =
                Libc.function("fstatfs64", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    }

    /** Apart, because few look for holes. */
    private static final class Seek {
        static final MethodHandle LSEEK =
                Libc.function("lseek64", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    }
}
