package io.javisor.networking.frame;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The Internet checksum (RFC 1071), and where it stands in a frame. Allocates nothing. */
public final class Checksums {
    private static final VarHandle U32 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private Checksums() {}

    /** Adds bytes to a sum that has not been folded; all parts but the last have an even length. */
    public static long sum(byte[] bytes, int from, int length, long before) {
        long sum = before;
        int at = from;
        int end = from + length;
        for (; at + 4 <= end; at += 4) {
            sum += (int) U32.get(bytes, at) & 0xFFFF_FFFFL;
        }
        if (at + 2 <= end) {
            sum += (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
            at += 2;
        }
        if (at < end) {
            sum += (bytes[at] & 0xFF) << 8;
        }
        return sum;
    }

    /** Folds a sum to 16 bits, not inverted. */
    public static int fold(long sum) {
        long folded = (sum >>> 32) + (sum & 0xFFFF_FFFFL);
        folded = (folded >>> 16) + (folded & 0xFFFF);
        folded = (folded >>> 16) + (folded & 0xFFFF);
        folded = (folded >>> 16) + (folded & 0xFFFF);
        return (int) folded;
    }

    /** The checksum of bytes, as it stands on the wire. */
    public static int of(byte[] bytes, int from, int length) {
        return ~fold(sum(bytes, from, length, 0)) & 0xFFFF;
    }

    /** Writes the checksum of a frame's IPv4 header, which has been parsed. */
    public static void setIpv4Header(Frame frame) {
        int header = (frame.getByte(Frame.HEADER) & 0xF) * 4;
        frame.putShort(Frame.HEADER + 10, 0);
        frame.putShort(Frame.HEADER + 10, of(frame.head(Frame.HEADER + header), Frame.HEADER, header));
    }

    /** The sum over the pseudo-header of a frame's TCP or UDP packet, not folded; the frame has been parsed. */
    public static long pseudoHeader(Frame frame) {
        boolean four = frame.etherType() == Frame.IPV4;
        int from = Frame.HEADER + (four ? 12 : 8);
        int bytes = four ? 8 : 32;
        long sum = sum(frame.head(from + bytes), from, bytes, frame.protocol());
        return sum + transportLength(frame);
    }

    /** Bytes of the transport header and what follows it, as the IP header says, and no more than there are. */
    public static int transportLength(Frame frame) {
        int end = frame.etherType() == Frame.IPV4
                ? Frame.HEADER + frame.getShort(Frame.HEADER + 2)
                : Frame.HEADER + 40 + frame.getShort(Frame.HEADER + 4);
        return Math.max(0, Math.min(end, frame.length()) - frame.transport());
    }

    private static int field(Frame frame) {
        return frame.transport() + (frame.protocol() == Frame.TCP ? 16 : 6);
    }

    /** Puts the pseudo-header's sum where the checksum will be, and notes that it is open. */
    public static void open(Frame frame) {
        frame.putShort(field(frame), fold(pseudoHeader(frame)));
        frame.setOpenChecksum(true);
    }

    /** Finishes an open checksum; does nothing if it is not open, or the frame has no TCP or UDP that can be read. */
    public static void close(Frame frame) {
        if (!frame.openChecksum() || frame.transport() == 0) {
            return;
        }
        frame.setOpenChecksum(false);
        int at = field(frame);
        frame.putShort(at, 0);
        int length = transportLength(frame);
        int value = ~fold(sum(frame.bytes(), frame.transport(), length, pseudoHeader(frame))) & 0xFFFF;
        // 0 means "none" in UDP (RFC 768); its other form means the same sum.
        frame.putShort(at, value == 0 && frame.protocol() == Frame.UDP ? 0xFFFF : value);
    }

    /** Whether the TCP or UDP checksum is right, or is none, as UDP over IPv4 may have it. */
    public static boolean isRight(Frame frame) {
        if (frame.openChecksum()) {
            return true;
        }
        if (frame.protocol() == Frame.UDP && frame.etherType() == Frame.IPV4 && frame.getShort(field(frame)) == 0) {
            return true;
        }
        int length = transportLength(frame);
        return fold(sum(frame.bytes(), frame.transport(), length, pseudoHeader(frame))) == 0xFFFF;
    }
}
