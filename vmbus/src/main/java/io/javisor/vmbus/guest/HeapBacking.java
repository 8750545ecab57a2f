package io.javisor.vmbus.guest;

import io.javisor.partition.MemoryBacking;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Guest memory of a test: zeroed, page-aligned, native, freed when closed. */
final class HeapBacking implements MemoryBacking {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private boolean closed;

    HeapBacking(long bytes) {
        segment = arena.allocate(bytes, 4096);
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public long pageSize() {
        return 4096;
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
            arena.close();
        }
    }
}
