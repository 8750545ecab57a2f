package io.javisor.partition;

import java.lang.foreign.MemorySegment;

/**
 * The host memory behind one region of guest memory, and the verbs that move it between the guest and the host. Offsets
 * and lengths are in bytes from the region's start, multiples of {@link #pageSize()}, and checked. The mapping itself
 * stays for the backing's life: discarded pages read as zeroes and come back on the next touch.
 */
public interface MemoryBacking extends AutoCloseable {

    /** The whole region as mapped into this process; bounds-checked. */
    MemorySegment segment();

    /** Size of the host pages behind it: 4 KiB, 2 MiB or 1 GiB. */
    long pageSize();

    /** Gives the pages of a range back to the host; they read as zeroes afterwards. */
    void discard(long offset, long length);

    /** Makes the pages of a range present now, so that a short host is an error here and not a SIGBUS later. */
    void populate(long offset, long length);

    /**
     * Binds a range to host NUMA nodes; pages already there are moved if {@code move} is set.
     *
     * @param policy how strictly
     * @param hostNodes bit i stands for host node i
     */
    void bind(long offset, long length, Policy policy, long hostNodes, boolean move);

    /** Bytes that the host holds for this region now (st_blocks of the memfd). */
    long residentBytes();

    /**
     * Where the next bytes lie that may be other than zero, found without touching any.
     *
     * @return an offset from {@code offset} on, or −1 if all to the end is zero; this answers {@code offset} itself
     */
    default long nextTouched(long offset) {
        return offset < segment().byteSize() ? offset : -1;
    }

    /** Where the next bytes lie that are zero because nobody has touched them; the end counts, and is what this answers. */
    default long nextUntouched(long offset) {
        return segment().byteSize();
    }

    /** Gives everything back; what somebody still refers to reads as zeroes. Idempotent. */
    @Override
    void close();

    /** How strictly memory is kept on its host nodes (set_mempolicy(2)). */
    enum Policy {
        /** The host's default: the node of the thread that touches first. */
        DEFAULT,
        /** The given nodes if they have room. */
        PREFERRED,
        /** The given nodes only. */
        BIND,
        /** Round robin over the given nodes. */
        INTERLEAVE
    }
}
