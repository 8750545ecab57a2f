package io.javisor.storage.fcoe;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * A Fibre Channel frame in an Ethernet frame (FC-BB-6 section 7.7), looked at in place.
 *
 * <pre>
 *  0 destination   6 source   12 0x8906   14 version and reserved, 13   27 SOF
 * 28 R_CTL   29 D_ID   33 S_ID   36 TYPE   37 F_CTL   40 SEQ_ID   42 SEQ_CNT   44 OX_ID   46 RX_ID   48 parameter   (FC-FS-3)
 * 52 payload, to 4   CRC, 4, little-endian   EOF   reserved, 3
 * </pre>
 *
 * @param bytes the Ethernet frame, from 0 to its limit
 */
record FcFrame(ByteBuffer bytes) {
    static final int ETHER_TYPE = 0x8906;
    static final int HEADER_BYTES = 24;
    static final int MOST_PAYLOAD = 2112;
    /** Room for the longest frame. */
    static final int MOST_BYTES = 28 + HEADER_BYTES + MOST_PAYLOAD + 8;

    static final int UNSOLICITED_CONTROL = 0x02;
    static final int SOLICITED_CONTROL = 0x03;
    static final int ELS_REQUEST = 0x22;
    static final int ELS_REPLY = 0x23;
    static final int TYPE_ELS = 0x01;
    static final int TYPE_CT = 0x20;

    /** F_CTL of a request: first and last sequence, its end, initiative transferred. */
    static final int REQUEST = 0x290000;
    /** F_CTL of an answer: from the responder, last sequence, its end, initiative transferred. */
    static final int ANSWER = 0x990000;

    private static final int FRAME = 28;
    private static final int PAYLOAD = FRAME + HEADER_BYTES;
    private static final int TRAILER_BYTES = 8;
    private static final byte SOF_I3 = 0x2E;
    private static final byte EOF_T = 0x42;

    /** Looks at an Ethernet frame; null if it is too short or too long to be one. */
    static @Nullable FcFrame of(ByteBuffer bytes) {
        boolean fits =
                bytes.limit() >= PAYLOAD + TRAILER_BYTES && bytes.limit() <= MOST_BYTES && (bytes.get(14) & 0xF0) == 0;
        return fits ? new FcFrame(bytes) : null;
    }

    int control() {
        return bytes.get(FRAME) & 0xFF;
    }

    int destination() {
        return bytes.getInt(FRAME) & 0xFFFFFF;
    }

    int source() {
        return bytes.getInt(FRAME + 4) & 0xFFFFFF;
    }

    int type() {
        return bytes.get(FRAME + 8) & 0xFF;
    }

    int exchange() {
        return bytes.getShort(FRAME + 16) & 0xFFFF;
    }

    /** What it carries, apart from the frame's buffer's own position. */
    ByteBuffer payload() {
        return bytes.slice(PAYLOAD, bytes.limit() - PAYLOAD - TRAILER_BYTES);
    }

    /** A Fibre Channel header, 24 bytes. */
    static byte[] header(int control, int to, int from, int type, int frameControl, int exchange, int responder) {
        return ByteBuffer.allocate(HEADER_BYTES)
                .putInt(control << 24 | to)
                .putInt(from)
                .putInt(type << 24 | frameControl)
                .putInt(0)
                .putShort((short) exchange)
                .putShort((short) responder)
                .putInt(0)
                .array();
    }

    /** A whole Ethernet frame. */
    static ByteBuffer of(long toMac, long fromMac, byte[] header, byte[] payload) {
        int fill = -payload.length & 3;
        ByteBuffer out = ByteBuffer.allocate(PAYLOAD + payload.length + fill + TRAILER_BYTES);
        Mac.put(out, 0, toMac);
        Mac.put(out, 6, fromMac);
        out.putShort(12, (short) ETHER_TYPE).put(27, SOF_I3);
        out.put(FRAME, header).put(PAYLOAD, payload);
        out.put(FRAME + 11, (byte) (out.get(FRAME + 11) | fill)); // F_CTL says how much is fill
        int end = PAYLOAD + payload.length + fill;
        var crc = new CRC32();
        crc.update(out.array(), FRAME, end - FRAME);
        out.putInt(end, Integer.reverseBytes((int) crc.getValue()));
        out.put(end + 4, EOF_T);
        return out;
    }
}
