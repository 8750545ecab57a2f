package io.javisor.partition;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Ordinary memory of this process behind a region, for guests that no hypervisor runs: programs that stand for one in tests and
 * benchmarks. It is always present and on no particular node; what is discarded is zeroed.
 */
public final class PlainBacking implements MemoryBacking {
    private static final int PAGE = 4096;

    private final MemorySegment segment;
    private final Runnable end;
    private boolean closed;

    /** Over memory that somebody else owns, on the heap or not. */
    public PlainBacking(MemorySegment segment) {
        this(segment, () -> {});
    }

    private PlainBacking(MemorySegment segment, Runnable end) {
        this.segment = segment;
        this.end = end;
    }

    /** Native memory of its own, zeroed and page-aligned, which is freed by {@link #close}. */
    public static PlainBacking allocate(long bytes) {
        Arena arena = Arena.ofShared();
        return new PlainBacking(arena.allocate(bytes, PAGE), arena::close);
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public long pageSize() {
        return PAGE;
    }

    @Override
    public void discard(long offset, long length) {
        segment.asSlice(offset, length).fill((byte) 0);
    }

    @Override
    public void populate(long offset, long length) {}

    @Override
    public void bind(long offset, long length, Policy policy, long hostNodes, boolean move) {}

    @Override
    public long residentBytes() {
        return segment.byteSize();
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            end.run();
        }
    }
}
