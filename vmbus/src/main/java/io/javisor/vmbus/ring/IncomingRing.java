package io.javisor.vmbus.ring;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/** The reading end of a ring. One thread at a time; the peer writes concurrently. Allocates nothing in steady state. */
public final class IncomingRing {
    private final RingMemory ring;
    private final int size;
    private int committed; // the read index that the peer knows
    private int read; // ours, ahead of it
    private int seenIn; // the write index when we looked last

    /**
     * Begins where the ring's indices say.
     *
     * @throws RingCorruptException if they are nonsense
     */
    public IncomingRing(RingMemory ring) {
        this(ring, ring.index(RingMemory.OUT, "read"));
    }

    /**
     * Goes on at a read index that was saved.
     *
     * @throws RingCorruptException if the ring's indices are nonsense
     */
    public IncomingRing(RingMemory ring, int readIndex) {
        this.ring = ring;
        size = ring.size();
        if (readIndex < 0 || readIndex >= size || (readIndex & 7) != 0) {
            throw new RingCorruptException("ring of " + size + " bytes, read index " + readIndex);
        }
        committed = readIndex;
        read = readIndex;
        seenIn = ring.index(RingMemory.IN, "write");
        ring.setRelease(RingMemory.OUT, readIndex);
    }

    /** The read index that has been told to the peer: what a saved ring needs. */
    public int readIndex() {
        return committed;
    }

    /** Whether the peer will tell us when it makes room in our outgoing ring (its half of the flow-control feature). */
    public boolean peerTellsRoom() {
        return (ring.getOpaque(RingMemory.FEATURES) & RingMemory.FEATURE_PENDING_SEND_SIZE) != 0;
    }

    private int available() {
        int n = seenIn - read;
        if (n == 0) {
            // Pairs with the peer's barrier between the packet's bytes and the write index.
            seenIn = ring.index(RingMemory.IN, "write");
            n = seenIn - read;
        }
        return n >= 0 ? n : n + size;
    }

    /** Whether there is a packet, or the beginning of nonsense. */
    public boolean hasNext() {
        return available() != 0;
    }

    /**
     * Copies the next packet out.
     *
     * @return false if the ring is empty
     * @throws RingCorruptException if what lies there is no packet, or one beyond the buffer's limit
     */
    public boolean next(PacketBuffer into) {
        int available = available();
        if (available == 0) {
            return false;
        }
        if (available < PacketBuffer.DESCRIPTOR + 8) {
            throw corrupt("has " + available + " bytes, no packet");
        }
        long word = ring.getLong(read);
        int header = 8 * ((int) (word >>> 16) & 0xFFFF);
        int length = 8 * ((int) (word >>> 32) & 0xFFFF);
        if (header < PacketBuffer.DESCRIPTOR || header > length) {
            throw corrupt("has a packet of " + length + " bytes with a header of " + header);
        }
        if (length + 8 > available) {
            throw corrupt("has a packet of " + length + " bytes, of which " + available + " are there");
        }
        if (length > into.limit()) {
            throw corrupt("has a packet of " + length + " bytes where " + into.limit() + " are allowed");
        }
        MemorySegment run = ring.whole(read, length);
        if (run != null) { // nearly always
            long from = ring.within(read);
            MemorySegment bytes = into.begin(word, run.get(RingMemory.U64, from + 8));
            MemorySegment.copy(
                    run,
                    from + PacketBuffer.DESCRIPTOR,
                    bytes,
                    PacketBuffer.DESCRIPTOR,
                    length - PacketBuffer.DESCRIPTOR);
        } else {
            MemorySegment bytes = into.begin(word, ring.getLong(wrap(read + 8)));
            ring.read(
                    wrap(read + PacketBuffer.DESCRIPTOR),
                    bytes,
                    PacketBuffer.DESCRIPTOR,
                    length - PacketBuffer.DESCRIPTOR);
        }
        read = wrap(read + length + 8);
        return true;
    }

    /**
     * Tells the peer what was read, so that it can use the room.
     *
     * @return true if the peer waits for room and this made enough: it must be signalled
     */
    public boolean commit() {
        if (read == committed) {
            return false;
        }
        int before = committed;
        committed = read;
        // Release: our copies are done before the peer may write over them.
        ring.setRelease(RingMemory.OUT, read);
        // The peer sets its pending size, fences, and looks at the read index; one of us sees the other.
        VarHandle.fullFence();
        int pending = ring.getOpaque(RingMemory.PENDING_SEND_SIZE);
        if (pending == 0) {
            return false;
        }
        int in = ring.index(RingMemory.IN, "write");
        int wanted = pending < 0 || pending >= size ? size - 1 : pending;
        return room(in, before) <= wanted && room(in, committed) > wanted;
    }

    private int room(int in, int out) {
        int used = in - out;
        return size - (used >= 0 ? used : used + size);
    }

    /** Asks the peer not to signal while we are reading anyway. */
    public void mask() {
        ring.setOpaque(RingMemory.INTERRUPT_MASK, 1);
    }

    /**
     * Asks for signals again.
     *
     * @return true if a packet came in between, which the peer did not signal: read on
     */
    public boolean unmask() {
        ring.setOpaque(RingMemory.INTERRUPT_MASK, 0);
        // Pairs with the peer's fence between its write index and its look at the mask.
        VarHandle.fullFence();
        return available() != 0;
    }

    private int wrap(int index) {
        return index >= size ? index - size : index;
    }

    private RingCorruptException corrupt(String what) {
        return new RingCorruptException("ring of " + size + " bytes, at " + read + ", " + what);
    }
}
