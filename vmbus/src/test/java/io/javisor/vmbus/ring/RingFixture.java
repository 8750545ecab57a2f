package io.javisor.vmbus.ring;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.PlainBacking;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A ring in plain memory, with both of its ends. */
final class RingFixture {
    static final long CONTROL = 0x1000; // guest-physical

    final GuestMemory memory = new GuestMemory();
    final RingMemory ring;
    final OutgoingRing out;
    final IncomingRing in;
    final int pages;

    /** A ring whose data pages lie in reverse order, so that no two are contiguous, if so asked. */
    RingFixture(int dataPages, boolean scattered) {
        pages = dataPages;
        MemorySegment bytes = Arena.ofAuto().allocate((dataPages + 2) * 4096L, 4096);
        memory.add(new MemoryRegion(CONTROL, bytes.byteSize() - 4096, 0, new PlainBacking(bytes), 0));
        PageRuns all = new PageRuns(memory);
        all.addPage(1, 0, 4096);
        for (int i = 0; i < dataPages; i++) {
            all.addPage(page(i, scattered), 0, 4096);
        }
        all.seal();
        ring = new RingMemory(all);
        ring.initialize();
        out = new OutgoingRing(ring);
        in = new IncomingRing(ring);
    }

    private int page(int i, boolean scattered) {
        return scattered ? 1 + pages - i : 2 + i;
    }

    int get(int field) {
        return memory.getInt(CONTROL + field);
    }

    void put(int field, int value) {
        memory.putInt(CONTROL + field, value);
    }
}
