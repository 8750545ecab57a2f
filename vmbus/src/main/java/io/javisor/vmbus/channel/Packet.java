package io.javisor.vmbus.channel;

import java.lang.foreign.MemorySegment;

/**
 * One packet from the guest, copied out of the ring. Its holder finishes it exactly once, from any thread, with
 * {@link #complete} or {@link #release}; after that the object serves another packet and must not be touched.
 *
 * <p>Numbers are little-endian. Offsets count from the start of the payload; one that is not inside it is an
 * IndexOutOfBoundsException, which, thrown out of {@link ChannelHandler#received}, closes the channel.
 */
public interface Packet {
    /** The kind of packet: VM_PKT_* of {@link io.javisor.vmbus.ring.PacketTypes}. */
    int type();

    /** What the guest knows the answer by. */
    long transactionId();

    /** Whether the guest wants a completion. */
    boolean completionRequested();

    /** Bytes of payload; the ring rounds what the guest sent up to a multiple of 8. */
    int length();

    /** Reads 8 bits, 0 to 255. */
    int getByte(int offset);

    /** Reads 16 bits, 0 to 65,535. */
    int getShort(int offset);

    /** Reads 32 bits. */
    int getInt(int offset);

    /** Reads 64 bits. */
    long getLong(int offset);

    /** A read-only view of the payload, good until the packet is finished. */
    MemorySegment payload();

    /** A copy of the payload. */
    byte[] toByteArray();

    /**
     * The guest pages that came with a GPA-direct packet, all ranges one after the other; empty for other packets. Good until
     * the packet is finished.
     */
    GuestBuffer buffer();

    /**
     * Finishes with a completion packet of the same transaction ID. If nobody asked for one, or the channel is closed, it is
     * left out. It is never lost for lack of room in the ring.
     *
     * @param payload copied before this returns
     */
    void complete(MemorySegment payload);

    /** Finishes without a completion packet. */
    void release();
}
