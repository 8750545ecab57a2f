package io.javisor.vmbus.ring;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * The writing end of a ring. One thread at a time; the peer reads concurrently. Packets are staged, then published together,
 * with one signal at most. Allocates nothing.
 */
public final class OutgoingRing {
    private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

    private final RingMemory ring;
    private final int size;
    private int published; // the write index that the peer knows
    private int write; // ours, ahead of it
    private int seenOut; // the read index when we looked last

    /**
     * Begins where the ring's indices say.
     *
     * @throws RingCorruptException if they are nonsense
     */
    public OutgoingRing(RingMemory ring) {
        this(ring, ring.index(RingMemory.IN, "write"));
    }

    /**
     * Goes on at a write index that was saved.
     *
     * @throws RingCorruptException if the ring's indices are nonsense
     */
    public OutgoingRing(RingMemory ring, int writeIndex) {
        this.ring = ring;
        size = ring.size();
        if (writeIndex < 0 || writeIndex >= size || (writeIndex & 7) != 0) {
            throw new RingCorruptException("ring of " + size + " bytes, write index " + writeIndex);
        }
        published = writeIndex;
        write = writeIndex;
        seenOut = ring.index(RingMemory.OUT, "read");
        ring.setRelease(RingMemory.IN, writeIndex);
        ring.setRelease(RingMemory.PENDING_SEND_SIZE, 0);
        ring.setRelease(
                RingMemory.FEATURES, ring.getOpaque(RingMemory.FEATURES) | RingMemory.FEATURE_PENDING_SEND_SIZE);
    }

    /** The write index that has been told to the peer: what a saved ring needs. */
    public int writeIndex() {
        return published;
    }

    /** Whether the peer has read all that was published. */
    public boolean isDrained() {
        return ring.index(RingMemory.OUT, "read") == published;
    }

    /** Bytes that a packet takes in the ring. */
    public static int packetBytes(int headerBytes, int payloadBytes) {
        return PacketBuffer.DESCRIPTOR + headerBytes + (payloadBytes + 7 & ~7) + 8;
    }

    /** Bytes of the largest packet that this ring can ever take: it is never filled to the last 8 bytes. */
    public int capacity() {
        return size - 8;
    }

    /** Whether a packet of this many bytes (see {@link #packetBytes}) would find room now. */
    public boolean hasRoomFor(int bytes) {
        if (room() > bytes) {
            return true;
        }
        // Acquire: the peer's reading is done before we write over it.
        seenOut = ring.index(RingMemory.OUT, "read");
        return room() > bytes;
    }

    private int room() {
        int used = write - seenOut;
        return size - (used >= 0 ? used : used + size);
    }

    /** Stages a packet without more header. See {@link #write(int, int, long, MemorySegment, int, MemorySegment, long, int)}. */
    public boolean write(int type, int flags, long transaction, MemorySegment payload, long offset, int bytes) {
        return write(type, flags, transaction, NOTHING, 0, payload, offset, bytes);
    }

    /**
     * Stages a packet.
     *
     * @param type VM_PKT_*
     * @param flags {@link PacketTypes#COMPLETION_REQUESTED} or 0
     * @param transaction ID
     * @param header more header, from its start
     * @param headerBytes a multiple of 8
     * @param payload holds the payload
     * @param offset where it begins
     * @param bytes its length
     * @return false if there is no room for it now
     * @throws IllegalArgumentException if there never is, or it is longer than a packet can be
     */
    public boolean write(
            int type,
            int flags,
            long transaction,
            MemorySegment header,
            int headerBytes,
            MemorySegment payload,
            long offset,
            int bytes) {
        int start = PacketBuffer.DESCRIPTOR + headerBytes;
        int length = start + (bytes + 7 & ~7);
        if ((headerBytes & 7) != 0 || bytes < 0 || length > 8 * 0xFFFF || length + 8 > capacity()) {
            throw new IllegalArgumentException(
                    "a packet of " + headerBytes + " + " + bytes + " bytes does not fit a ring of " + size + " bytes");
        }
        if (!hasRoomFor(length + 8)) {
            return false;
        }
        int at = write;
        long word = (type & 0xFFFFL) | (start >>> 3) * 0x1_0000L | (length >>> 3) * 0x1_0000_0000L | (long) flags << 48;
        MemorySegment run = ring.whole(at, length + 8);
        if (run != null) { // nearly always
            long to = ring.within(at);
            run.set(RingMemory.U64, to, word);
            run.set(RingMemory.U64, to + 8, transaction);
            if (headerBytes != 0) {
                MemorySegment.copy(header, 0, run, to + PacketBuffer.DESCRIPTOR, headerBytes);
            }
            if ((bytes & 7) != 0) {
                run.set(RingMemory.U64, to + length - 8, 0); // no stale bytes in the padding
            }
            MemorySegment.copy(payload, offset, run, to + start, bytes);
            run.set(RingMemory.U64, to + length, (long) at << 32);
        } else {
            ring.putLong(at, word);
            ring.putLong(wrap(at + 8), transaction);
            ring.write(wrap(at + PacketBuffer.DESCRIPTOR), header, 0, headerBytes);
            if ((bytes & 7) != 0) {
                ring.putLong(wrap(at + length - 8), 0);
            }
            ring.write(wrap(at + start), payload, offset, bytes);
            ring.putLong(wrap(at + length), (long) at << 32);
        }
        write = wrap(at + length + 8);
        return true;
    }

    /**
     * Shows the peer what was staged.
     *
     * @return true if the ring was empty and the peer wants to know: it must be signalled
     */
    public boolean publish() {
        if (write == published) {
            return false;
        }
        int before = published;
        published = write;
        // Release: the packets' bytes come before the index that shows them.
        ring.setRelease(RingMemory.IN, write);
        // The peer clears its mask, fences, and looks at the write index; one of us sees the other.
        VarHandle.fullFence();
        if (ring.getOpaque(RingMemory.INTERRUPT_MASK) != 0) {
            return false;
        }
        seenOut = ring.index(RingMemory.OUT, "read");
        return seenOut == before;
    }

    /**
     * After a packet found no room: asks the peer to signal when there is.
     *
     * @param packetBytes see {@link #packetBytes}
     * @return true if there is room already: write now
     */
    public boolean awaitRoom(int packetBytes) {
        ring.setOpaque(RingMemory.PENDING_SEND_SIZE, packetBytes);
        // The peer sets its read index, fences, and looks at the pending size; one of us sees the other.
        VarHandle.fullFence();
        if (hasRoomFor(packetBytes)) {
            ring.setOpaque(RingMemory.PENDING_SEND_SIZE, 0);
            return true;
        }
        return false;
    }

    /** Takes {@link #awaitRoom} back. */
    public void roomFound() {
        ring.setOpaque(RingMemory.PENDING_SEND_SIZE, 0);
    }

    private int wrap(int index) {
        return index >= size ? index - size : index;
    }
}
