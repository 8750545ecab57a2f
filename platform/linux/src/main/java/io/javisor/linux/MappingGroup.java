package io.javisor.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Ranges of this process's address space that end together; safe from any thread. Closing takes the JVM a handshake with all
 * of its threads: one for a group, however many ranges are in it, where {@link Mapping}s take one each; and none for those in
 * a mapping's annex.
 */
public final class MappingGroup implements AutoCloseable {
    private static final long PAGE = 4096;

    private final MemorySegment annex;
    private final Runnable annexFree;
    private long used; // of the annex, bytes; guarded by this, as all else
    private @Nullable Arena arena; // of what has no place in the annex; made when it is needed
    private boolean closed;

    /** An empty group. */
    public MappingGroup() {
        this(MemorySegment.NULL, () -> {});
    }

    /** An empty group with addresses of a mapping's, until it is closed. */
    MappingGroup(MemorySegment annex, Runnable annexFree) {
        this.annex = annex;
        this.annexFree = annexFree;
    }

    /**
     * Maps part of a file or device, until the group closes.
     *
     * @param offset where in the file, a multiple of 4 KiB
     * @param length bytes, rounded up to 4 KiB by the kernel
     * @throws IllegalStateException if the group is closed
     */
    public synchronized MemorySegment map(Descriptor file, long offset, long length, Mapping.Access access) {
        if (closed) {
            throw new IllegalStateException("the group of mappings is closed");
        }
        if (length > 0 && length <= annex.byteSize() - used) {
            MemorySegment place = annex.asSlice(used, length);
            Mapping.cover(place, file, offset, access);
            used += (length + PAGE - 1) & -PAGE;
            return place;
        }
        Arena own = arena;
        if (own == null) {
            own = Arena.ofShared();
            arena = own;
        }
        long address = Mapping.address(file, offset, length, access);
        return Libc.view(address, length, own, () -> MemoryCalls.munmap(CallState.current(), address, length));
    }

    /**
     * Unmaps all. Idempotent. What lay in a mapping's annex reads as zeroes until the mapping ends, or the next group there
     * begins. Waits up to a second for system calls on other ranges to end.
     *
     * @throws IllegalStateException if a system call still uses one then; it stays mapped
     */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            clearAnnex();
            annexFree.run();
        }
        Arena own = arena;
        if (own != null) {
            Mapping.close(own);
        }
    }

    private void clearAnnex() {
        if (used > 0) {
            try {
                Mapping.clear(annex.asSlice(0, used));
            } catch (LinuxException e) {
                // No memory for the book-keeping: what lies there goes with the mapping, or when the next group covers
                // it.
                return;
            }
        }
    }
}
