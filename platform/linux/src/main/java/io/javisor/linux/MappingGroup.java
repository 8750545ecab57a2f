package io.javisor.linux;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Ranges of this process's address space that end together, as {@link Mapping}s do; in the addresses behind a mapping where there is
 * room, so that they are no ranges more. Safe from any thread.
 */
public final class MappingGroup implements AutoCloseable {
    private static final long PAGE = 4096;

    private final MemorySegment annex;
    private final Runnable annexFree;
    private long used; // of the annex, bytes; guarded by this, as all else
    private final List<Mapping> others = new ArrayList<>(); // what has no place in the annex
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
        Mapping own = Mapping.of(file, offset, length, access);
        others.add(own);
        return own.segment();
    }

    /** Gives all back, which reads as zeroes from then on; in an annex until the next group there begins. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            clearAnnex();
            annexFree.run();
        }
        others.forEach(Mapping::close);
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
