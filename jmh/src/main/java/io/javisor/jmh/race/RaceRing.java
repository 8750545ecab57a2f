package io.javisor.jmh.race;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.PlainBacking;
import io.javisor.vmbus.ring.IncomingRing;
import io.javisor.vmbus.ring.OutgoingRing;
import io.javisor.vmbus.ring.PacketBuffer;
import io.javisor.vmbus.ring.PacketTypes;
import io.javisor.vmbus.ring.PageRuns;
import io.javisor.vmbus.ring.RingMemory;
import java.lang.foreign.MemorySegment;

/** A ring of one page of data with both of its ends, in memory that is thrown away: millions of them are made. */
final class RaceRing {
    private static final int PAYLOAD = 8;
    private static final int PAGES = 2;

    final OutgoingRing out;
    final IncomingRing in;
    private final MemorySegment payload = MemorySegment.ofArray(new byte[PAYLOAD]);
    private final PacketBuffer packet = new PacketBuffer(64);

    RaceRing() {
        var memory = new GuestMemory();
        var backing = new PlainBacking(MemorySegment.ofArray(new long[PAGES * PageRuns.PAGE / 8]));
        memory.add(new MemoryRegion(0, (long) PAGES * PageRuns.PAGE, 0, backing, 0));
        var pages = new PageRuns(memory);
        pages.add(0, (long) PAGES * PageRuns.PAGE);
        pages.seal();
        var ring = new RingMemory(pages);
        ring.initialize();
        out = new OutgoingRing(ring);
        in = new IncomingRing(ring);
    }

    /** Bytes of a packet as {@link #write} makes them. */
    static int packetBytes() {
        return OutgoingRing.packetBytes(0, PAYLOAD);
    }

    /** Stages a packet; false if the ring is full. */
    boolean write(int transaction) {
        payload.set(java.lang.foreign.ValueLayout.JAVA_BYTE, 0, (byte) transaction);
        return out.write(PacketTypes.IN_BAND, 0, transaction, payload, 0, PAYLOAD);
    }

    /** Reads a packet; its transaction ID, 0 if there is none, −1 if its parts don't belong together. */
    int read() {
        if (!in.next(packet)) {
            return 0;
        }
        int transaction = (int) packet.transactionId();
        return packet.payload()[0] == transaction && packet.type() == PacketTypes.IN_BAND ? transaction : -1;
    }

    /** Fills the ring until nothing more goes in, and publishes. */
    void fill() {
        int transaction = 1;
        while (write(transaction)) {
            transaction = transaction % 100 + 1;
        }
        out.publish();
    }
}
