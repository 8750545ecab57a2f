package io.javisor.networking.frame;

import java.lang.foreign.MemorySegment;

/**
 * Where a frame's bytes lie, or those behind its headers, until somebody wants them elsewhere. What lies in a guest's memory may
 * differ each time that it is looked at. For one thread at a time.
 */
public interface FrameBody {
    /**
     * Copies bytes.
     *
     * @param from where they begin here
     * @param to where they go in {@code into}
     * @throws IndexOutOfBoundsException if they are not all here, or do not fit there
     */
    void copy(int from, MemorySegment into, long to, int count);

    /**
     * Tells the pieces of memory where bytes lie, in order.
     *
     * @param from where they begin here
     * @return false if they lie where nobody but this class can reach them, or {@code to} does not take one; it may have taken some
     */
    boolean gather(int from, int count, Pieces to);

    /** Takes pieces of memory. */
    interface Pieces {
        /** Takes one; false if it can't. */
        boolean add(MemorySegment memory, long at, long count);
    }
}
