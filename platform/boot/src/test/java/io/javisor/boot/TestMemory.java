package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.AddressSpacePlan.Range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Guest memory on plain native memory, as a plan says, one region for each of its ranges. */
final class TestMemory implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    final GuestMemory memory = new GuestMemory();

    TestMemory(AddressSpacePlan plan) {
        for (Range r : plan.bootMemory()) {
            memory.add(
                    new MemoryRegion(r.gpa(), r.length(), r.node(), new Backing(arena.allocate(r.length(), 4096)), 0));
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    private record Backing(MemorySegment segment) implements MemoryBacking {
        @Override
        public long pageSize() {
            return 4096;
        }

        @Override
        public void discard(long offset, long length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void populate(long offset, long length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void bind(long offset, long length, Policy policy, long hostNodes, boolean move) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long residentBytes() {
            return segment.byteSize();
        }

        @Override
        public void close() {}
    }
}
