package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.PlainBacking;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.AddressSpacePlan.Range;
import java.lang.foreign.Arena;

/** Guest memory on plain native memory, as a plan says, one region for each of its ranges. */
final class TestMemory implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    final GuestMemory memory = new GuestMemory();

    TestMemory(AddressSpacePlan plan) {
        for (Range r : plan.bootMemory()) {
            memory.add(new MemoryRegion(
                    r.gpa(), r.length(), r.node(), new PlainBacking(arena.allocate(r.length(), 4096)), 0));
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
