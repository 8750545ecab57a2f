package io.javisor.vmbus.channel;

import java.lang.foreign.MemorySegment;

/**
 * Guest memory that the guest lent to a device for one request or for the life of a GPADL, resolved: every byte is known to
 * lie in guest memory, and contiguous pages are one segment. The guest may change the bytes at any time: copy what must be
 * checked, check the copy, use the copy. Safe from any thread.
 */
public interface GuestBuffer {
    /** Bytes in all. */
    long length();

    /** Segments in all. */
    int count();

    /** One segment, in order; its bytes follow those of the one before. */
    MemorySegment segment(int index);

    /**
     * Copies out, from an offset, as much as the target takes.
     *
     * @throws IndexOutOfBoundsException if the range is not in the buffer
     */
    void read(long offset, MemorySegment into);

    /**
     * Copies in, at an offset, all of the source.
     *
     * @throws IndexOutOfBoundsException if the range is not in the buffer
     */
    void write(long offset, MemorySegment from);
}
