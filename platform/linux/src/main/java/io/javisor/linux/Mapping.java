package io.javisor.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One owned range of this process's address space; safe from any thread. Every access through its segment is checked against
 * its bounds. A {@link #close()} gives back what is behind the addresses at once, and waits for nobody: zeroes of this
 * process's own take its place, so that whoever still has the segment, or a system call that is using it, meets memory that means
 * nothing. The addresses go once no segment refers to them any more, which the garbage collector finds out.
 *
 * <p>An arena that is closed by hand would make each later access an exception. But for that the JVM has to look at the stacks of
 * all of its threads, one by one, which takes longer the more vCPUs it runs, and it can't while a system call uses the memory.
 */
public final class Mapping implements AutoCloseable {
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_FIXED = 0x10;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int FRESH = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    private static final long PAGE = 4096;

    /** What a mapping may do, and who sees its writes. */
    public enum Access {
        /** Read; writes by others are seen. */
        SHARED_READ(PROT_READ, MAP_SHARED),
        /** Read and write; writes reach the file and everybody who maps it. */
        SHARED(PROT_READ | PROT_WRITE, MAP_SHARED),
        /** Read and write; a written page becomes this process's own. */
        PRIVATE(PROT_READ | PROT_WRITE, MAP_PRIVATE);

        private final int protection;
        private final int flags;

        Access(int protection, int flags) {
            this.protection = protection;
            this.flags = flags;
        }
    }

    private final long address;
    private final long whole; // bytes in whole pages
    private final long size;
    private final AtomicBoolean closed; // written with the monitor held
    private volatile @Nullable MemorySegment segment; // null once it is closed, so that this keeps no addresses

    private Mapping(long address, long size) {
        long pages = (size + PAGE - 1) & -PAGE;
        var over = new AtomicBoolean();
        this.address = address;
        this.whole = pages;
        this.size = size;
        closed = over;
        segment = Libc.view(address, pages, Arena.ofAuto(), () -> {
                    // Whoever forgets to close it keeps it: a VM may still be using the addresses.
                    if (over.get()) {
                        MemoryCalls.munmap(CallState.current(), address, pages);
                    }
                })
                .asSlice(0, size);
    }

    /**
     * Maps part of a file or device, without reserving swap for it, where the kernel likes: memory files are aligned to huge pages if
     * the host gives them any.
     *
     * @param offset where in the file, a multiple of 4 KiB, or of the file's huge pages
     * @param length bytes, rounded up to 4 KiB by the kernel
     */
    public static Mapping of(Descriptor file, long offset, long length, Access access) {
        int fd = file.acquire();
        try {
            int flags = access.flags | MAP_NORESERVE;
            long address = Addresses.find(length, access.protection, flags, fd, offset);
            return new Mapping(check(address, file, length, offset), length);
        } finally {
            file.release();
        }
    }

    /**
     * Puts part of a file at a place in this mapping, over what was there, without reserving swap for it.
     *
     * @param at where in this mapping, a multiple of the file's page size
     * @param length bytes, a multiple of the file's page size
     * @param offset where in the file, a multiple of the file's page size
     */
    public synchronized void map(long at, long length, Descriptor file, long offset, Access access) {
        MemorySegment range = segment().asSlice(at, length);
        if (at % PAGE != 0 || length % PAGE != 0 || length == 0) {
            throw new IllegalArgumentException("map " + length + " bytes at " + at + ": not multiples of 4096");
        }
        cover(range, file, offset, access);
    }

    /**
     * Puts fresh memory of this process over a range: it reads as zeroes, what was there is given back, and a NUMA policy of
     * the range is gone.
     *
     * @param at where in this mapping, a multiple of 4 KiB
     * @param length bytes, a multiple of 4 KiB
     */
    public synchronized void clear(long at, long length) {
        MemorySegment range = segment().asSlice(at, length);
        if (at % PAGE != 0 || length % PAGE != 0 || length == 0) {
            throw new IllegalArgumentException("clear " + length + " bytes at " + at + ": not multiples of 4096");
        }
        clear(range);
    }

    private static void clear(MemorySegment range) {
        int flags = FRESH | MAP_FIXED;
        long length = range.byteSize();
        check(
                MemoryCalls.mmapOver(CallState.current(), range, length, PROT_READ | PROT_WRITE, flags, -1, 0),
                "anonymous",
                length,
                0);
    }

    private static void cover(MemorySegment range, Descriptor file, long offset, Access access) {
        long length = range.byteSize();
        int fd = file.acquire();
        try {
            int flags = access.flags | MAP_FIXED | MAP_NORESERVE;
            check(
                    MemoryCalls.mmapOver(CallState.current(), range, length, access.protection, flags, fd, offset),
                    file,
                    length,
                    offset);
        } finally {
            file.release();
        }
    }

    private static long check(long result, Object what, long length, long offset) {
        if (result < 0 && result > -4096) {
            throw new LinuxException("mmap", what + ", " + length + " bytes at offset " + offset, (int) -result);
        }
        return result;
    }

    /**
     * The memory, for any thread. What has been got before the close reads as zeroes after it.
     *
     * @throws IllegalStateException if it has been closed
     */
    public MemorySegment segment() {
        MemorySegment here = segment;
        if (here == null) {
            throw new IllegalStateException("the mapping of " + size + " bytes is closed");
        }
        return here;
    }

    /** Bytes mapped. */
    public long size() {
        return size;
    }

    /** Whether it has been closed. */
    public boolean isClosed() {
        return closed.get();
    }

    /**
     * madvise(2) on part of it.
     *
     * @throws LinuxException if the kernel refuses: ENOMEM when populating a host that is short
     */
    public void advise(long offset, long length, Advice advice) {
        int result = tryAdvise(offset, length, advice);
        if (result < 0) {
            throw new LinuxException("madvise", length + " bytes at " + offset + ", " + advice, -result);
        }
    }

    /** As {@link #advise}, but returns a negative errno instead of throwing. */
    public int tryAdvise(long offset, long length, Advice advice) {
        CallState state = CallState.current();
        MemorySegment range = segment().asSlice(offset, length);
        try {
            int result;
            do {
                result = MemoryCalls.madvise(state, range, length, advice.number());
            } while (result == -Errno.EINTR);
            if (closed.get()) {
                giveBack(address, whole); // since it began: it may have filled what had been given back
            }
            return result;
        } finally {
            Reference.reachabilityFence(range);
        }
    }

    /** Gives back what is behind the addresses. Idempotent; waits for nobody. */
    @Override
    public void close() {
        close(List.of(this));
    }

    /** As {@link #close()} for each; those that lie side by side together, which takes one request to the kernel. */
    static void close(List<Mapping> mappings) {
        List<MemorySegment> ended = mappings.stream()
                .sorted(Comparator.comparingLong(m -> m.address))
                .map(Mapping::end)
                .filter(Objects::nonNull)
                .toList();
        try {
            for (int i = 0; i < ended.size(); ) {
                long from = ended.get(i).address();
                long to = from;
                while (i < ended.size() && ended.get(i).address() == to) {
                    to += (ended.get(i++).byteSize() + PAGE - 1) & -PAGE;
                }
                giveBack(from, to - from);
            }
        } finally {
            Reference.reachabilityFence(ended); // until then the addresses are theirs
        }
    }

    /** Ends it; null if it had ended. */
    private synchronized @Nullable MemorySegment end() {
        MemorySegment last = segment;
        segment = null;
        closed.set(true);
        return last;
    }

    private static void giveBack(long address, long length) {
        // It fails if the kernel has no memory for its book-keeping: then what lies there goes with the addresses.
        MemoryCalls.mmap(CallState.current(), address, length, PROT_READ | PROT_WRITE, FRESH | MAP_FIXED, -1, 0);
    }
}
