package io.javisor.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

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

    private final MemorySegment all;
    private final MemorySegment segment;
    private final MemorySegment annex;
    private final AtomicBoolean annexTaken = new AtomicBoolean();
    private final AtomicBoolean closed; // written with the monitor held

    private Mapping(long address, long size, long annexSize) {
        long whole = size + annexSize;
        var over = new AtomicBoolean();
        closed = over;
        all = Libc.view(address, whole, Arena.ofAuto(), () -> {
            // Whoever forgets to close it keeps it: a VM may still be using the addresses.
            if (over.get()) {
                MemoryCalls.munmap(CallState.current(), address, whole);
            }
        });
        segment = all.asSlice(0, size);
        annex = all.asSlice(size);
    }

    /**
     * Maps part of a file or device.
     *
     * @param offset where in the file, a multiple of 4 KiB
     * @param length bytes, rounded up to 4 KiB by the kernel
     */
    public static Mapping of(Descriptor file, long offset, long length, Access access) {
        int fd = file.acquire();
        try {
            long address = Addresses.find(length, access.protection, access.flags, fd, offset);
            // In whole pages, as the kernel has them, of which nothing may stay.
            return new Mapping(check(address, file, length, offset), length, (-length & (PAGE - 1)));
        } finally {
            file.release();
        }
    }

    /**
     * Reserves addresses that no memory stands behind yet; touching them before {@link #map} has filled them is a fault, so
     * fill them before handing out the segment.
     *
     * @param size bytes, a multiple of 4 KiB
     * @param alignment of the first address in bytes, a power of two from 4 KiB
     */
    public static Mapping reserve(long size, long alignment) {
        return reserve(size, alignment, 0);
    }

    /**
     * As {@link #reserve(long, long)}, with addresses behind it for {@link #annex}.
     *
     * @param annexSize bytes, a multiple of 4 KiB
     */
    public static Mapping reserve(long size, long alignment, long annexSize) {
        if (annexSize < 0 || annexSize % PAGE != 0) {
            throw new IllegalArgumentException("an annex of " + annexSize + " bytes: not a multiple of 4096");
        }
        if (size <= 0 || size % PAGE != 0 || alignment < PAGE || Long.bitCount(alignment) != 1) {
            throw new IllegalArgumentException("reserve " + size + " bytes aligned to " + alignment
                    + ": the size is a multiple of 4096, the alignment a power of two from 4096");
        }
        CallState state = CallState.current();
        long whole = Math.addExact(size, annexSize);
        long room = Math.addExact(whole, alignment - PAGE);
        // Readable and writable zeroes rather than PROT_NONE, so that a stray touch through the segment is harmless.
        long raw = check(
                Addresses.find(room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
                "anonymous",
                room,
                0);
        long aligned = (raw + alignment - 1) & -alignment;
        long tail = raw + room - (aligned + whole);
        int cut = aligned > raw ? MemoryCalls.munmap(state, raw, aligned - raw) : 0;
        if (cut == 0 && tail > 0) {
            cut = MemoryCalls.munmap(state, aligned + whole, tail);
        }
        if (cut < 0) {
            MemoryCalls.munmap(state, raw, room); // as a whole, which splits no mapping
            throw new LinuxException("munmap", "the ends of a reservation of " + room + " bytes", -cut);
        }
        return new Mapping(aligned, size, annexSize);
    }

    /**
     * Puts part of a file at a place in this mapping, over what was there, without reserving swap for it.
     *
     * @param at where in this mapping, a multiple of the file's page size
     * @param length bytes, a multiple of the file's page size
     * @param offset where in the file, a multiple of the file's page size
     */
    public synchronized void map(long at, long length, Descriptor file, long offset, Access access) {
        requireOpen();
        MemorySegment range = segment.asSlice(at, length);
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
        requireOpen();
        MemorySegment range = segment.asSlice(at, length);
        if (at % PAGE != 0 || length % PAGE != 0 || length == 0) {
            throw new IllegalArgumentException("clear " + length + " bytes at " + at + ": not multiples of 4096");
        }
        clear(range);
    }

    static void clear(MemorySegment range) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
        long length = range.byteSize();
        check(
                MemoryCalls.mmapOver(CallState.current(), range, length, PROT_READ | PROT_WRITE, flags, -1, 0),
                "anonymous",
                length,
                0);
    }

    /** Puts part of a file over a range. */
    static void cover(MemorySegment range, Descriptor file, long offset, Access access) {
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
        requireOpen();
        return segment;
    }

    private void requireOpen() {
        if (closed.get()) {
            throw new IllegalStateException("the mapping of " + segment.byteSize() + " bytes is closed");
        }
    }

    /**
     * A group whose ranges lie in the addresses behind this mapping while there is room, so that unmapping them takes no more than
     * unmapping this. Close it before this, and before the next; a second at a time finds no room there.
     */
    public MappingGroup annex() {
        boolean taken = !annexTaken.compareAndSet(false, true);
        return taken ? new MappingGroup() : new MappingGroup(annex, () -> annexTaken.set(false));
    }

    /** Bytes mapped. */
    public long size() {
        return segment.byteSize();
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
        requireOpen();
        CallState state = CallState.current();
        MemorySegment range = segment.asSlice(offset, length);
        int result;
        do {
            result = MemoryCalls.madvise(state, range, length, advice.number());
        } while (result == -Errno.EINTR);
        if (closed.get()) {
            giveBack(); // since it began: it may have filled what had been given back
        }
        return result;
    }

    /** Gives back what is behind the addresses. Idempotent; waits for nobody. */
    @Override
    public synchronized void close() {
        if (!closed.get()) {
            closed.set(true);
            giveBack();
        }
    }

    private void giveBack() {
        try {
            clear(all);
        } catch (LinuxException e) {
            // No memory for the kernel's book-keeping: what lies there goes with the addresses.
        }
    }
}
