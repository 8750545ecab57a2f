package io.javisor.vmbus.ring;

import io.javisor.partition.GuestAddressException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * One packet, copied out of a ring, so that the guest can't change it any more. Used again for the next packet; belongs to
 * whoever owns the ring until it is handed on. All numbers have been checked against the copy.
 */
public final class PacketBuffer {
    static final int DESCRIPTOR = 16;

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int limit;
    private MemorySegment bytes;
    private int type;
    private int flags;
    private int payloadAt;
    private int length;
    private long transactionId;

    /**
     * An empty buffer.
     *
     * @param limit bytes of the largest packet, with its headers
     */
    public PacketBuffer(int limit) {
        if (limit < DESCRIPTOR) {
            throw new IllegalArgumentException("packet limit " + limit);
        }
        this.limit = limit;
        bytes = MemorySegment.ofArray(new byte[Math.min(limit, 128)]);
    }

    /** Bytes of the largest packet, with its headers. */
    public int limit() {
        return limit;
    }

    /** VM_PKT_*. */
    public int type() {
        return type;
    }

    /** Whether the sender wants a completion. */
    public boolean completionRequested() {
        return (flags & PacketTypes.COMPLETION_REQUESTED) != 0;
    }

    /** What the sender will know the answer by. */
    public long transactionId() {
        return transactionId;
    }

    /** Bytes of payload, with the padding to a multiple of 8 that the ring adds. */
    public int payloadLength() {
        return length - payloadAt;
    }

    /** Where in {@link #bytes()} the payload begins. */
    public int payloadOffset() {
        return payloadAt;
    }

    /** The memory that holds the packet, descriptor first; longer than the packet. */
    public MemorySegment bytes() {
        return bytes;
    }

    /** Takes the descriptor's first word and makes room; the words were checked by the ring. */
    MemorySegment begin(long word, long transaction) {
        type = (int) word & 0xFFFF;
        payloadAt = 8 * ((int) (word >>> 16) & 0xFFFF);
        length = 8 * ((int) (word >>> 32) & 0xFFFF);
        flags = (int) (word >>> 48);
        transactionId = transaction;
        if (bytes.byteSize() < length) {
            int grown = Math.min(limit, Math.max(length, 2 * (int) bytes.byteSize()));
            bytes = MemorySegment.ofArray(new byte[grown]);
        }
        return bytes;
    }

    /**
     * Resolves the guest pages of a GPA-direct packet.
     *
     * <pre>
     * 16 reserved:u32  ranges:u32  { bytes:u32  offset:u32  page:u64 … } …
     * </pre>
     *
     * @param into cleared and filled; all ranges, one after the other
     * @throws RingCorruptException if the ranges don't fit the packet's header
     * @throws GuestAddressException if a page is not in guest memory
     */
    public void resolve(PageRuns into) {
        into.clear();
        if (payloadAt < DESCRIPTOR + 8) {
            throw new RingCorruptException("GPA-direct packet with a header of " + payloadAt + " bytes");
        }
        int ranges = bytes.get(U32, DESCRIPTOR + 4);
        int at = DESCRIPTOR + 8;
        for (int i = 0; i < ranges || ranges < 0; i++) {
            if (payloadAt - at < 16) {
                throw new RingCorruptException(
                        "GPA-direct packet of " + Integer.toUnsignedString(ranges) + " ranges ends in range " + i);
            }
            long left = Integer.toUnsignedLong(bytes.get(U32, at));
            int offset = bytes.get(U32, at + 4);
            at += 8;
            if (offset < 0 || offset >= PageRuns.PAGE || left == 0) {
                throw new RingCorruptException("GPA-direct range of " + left + " bytes at offset "
                        + Integer.toUnsignedString(offset) + " of a page");
            }
            while (left > 0) {
                if (payloadAt - at < 8) {
                    throw new RingCorruptException("GPA-direct range " + i + " lacks pages for " + left + " bytes");
                }
                int n = (int) Math.min(left, PageRuns.PAGE - offset);
                into.addPage(bytes.get(U64, at), offset, n);
                at += 8;
                offset = 0;
                left -= n;
            }
        }
        into.seal();
    }

    /** A copy of the payload. */
    public byte[] payload() {
        return bytes.asSlice(payloadAt, payloadLength()).toArray(ValueLayout.JAVA_BYTE);
    }

    /** A copy of what lies between the descriptor and the payload. */
    public byte[] extraHeader() {
        return bytes.asSlice(DESCRIPTOR, payloadAt - DESCRIPTOR).toArray(ValueLayout.JAVA_BYTE);
    }
}
