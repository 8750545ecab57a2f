package io.javisor.storage.fcoe;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A message of the FCoE Initialization Protocol (FC-BB-6 section 7.8), copied out of what arrived.
 *
 * <pre>
 *  0 destination   6 source   12 0x8914   14 version, 0x10   16 operation   19 subcode   20 words of descriptors   22 flags
 * 24 descriptors: type, words of it, content
 * </pre>
 *
 * @param source who sent it
 * @param operation what it is about
 * @param subcode which of the operation's messages
 * @param descriptors in their order
 */
record FipFrame(long source, int operation, int subcode, List<Descriptor> descriptors) {
    static final int ETHER_TYPE = 0x8914;

    static final int DISCOVERY = 1;
    static final int LINK_SERVICE = 2;
    static final int CONTROL = 3;
    static final int VLAN = 4;
    /** Subcode of a solicitation, a request, a keep-alive. */
    static final int ASKS = 1;
    /** Subcode of an advertisement, a reply, a clearing of virtual links. */
    static final int TELLS = 2;

    static final int PRIORITY = 1;
    static final int MAC = 2;
    static final int NAME = 4;
    static final int FABRIC = 5;
    static final int SIZE = 6;
    static final int FLOGI = 7;
    static final int FDISC = 8;
    static final int LOGO = 9;
    static final int VX_PORT = 11;
    static final int PERIOD = 12;
    static final int VLAN_ID = 14;

    /** Addresses are given out by the fabric (FPMA). */
    static final int FABRIC_GIVES_MACS = 0x8000;

    static final int AVAILABLE = 4;
    static final int SOLICITED = 2;
    static final int F_PORT = 1;

    private static final int HEADER_END = 24;
    private static final int MOST_DESCRIPTORS = 64;
    private static final int VERSION = 1;
    /** The shortest frame of Ethernet, without its check sequence. */
    private static final int LEAST_FRAME = 60;

    /**
     * A descriptor.
     *
     * @param type what it is
     * @param content without type and length
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Descriptor(int type, byte[] content) {
        ByteBuffer read() {
            return ByteBuffer.wrap(content);
        }
    }

    /** Reads a message; null if it is none. */
    static @Nullable FipFrame of(ByteBuffer bytes) {
        if (bytes.limit() < HEADER_END || (bytes.get(14) & 0xF0) >> 4 != VERSION) {
            return null;
        }
        int end = HEADER_END + 4 * (bytes.getShort(20) & 0xFFFF);
        if (end > bytes.limit()) {
            return null;
        }
        var found = new ArrayList<Descriptor>();
        for (int at = HEADER_END; at < end; ) {
            int length = 4 * (bytes.get(at + 1) & 0xFF);
            if (length == 0 || length > end - at || found.size() == MOST_DESCRIPTORS) {
                return null;
            }
            byte[] content = new byte[length - 2];
            bytes.get(at + 2, content);
            found.add(new Descriptor(bytes.get(at) & 0xFF, content));
            at += length;
        }
        return new FipFrame(Mac.get(bytes, 6), bytes.getShort(16) & 0xFFFF, bytes.get(19) & 0xFF, found);
    }

    /** The first descriptor of a type that has at least so much content. */
    Optional<ByteBuffer> find(int type, int bytes) {
        return descriptors.stream()
                .filter(d -> d.type() == type && d.content().length >= bytes)
                .findFirst()
                .map(Descriptor::read);
    }

    /** The address in its MAC descriptor; who sent it if it has none. */
    long mac() {
        return find(MAC, 6).map(content -> Mac.get(content, 0)).orElse(source);
    }

    /** Makes messages. */
    static final class Writer {
        private final int operation;
        private final int subcode;
        private final int flags;
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Writer(int operation, int subcode, int flags) {
            this.operation = operation;
            this.subcode = subcode;
            this.flags = flags;
        }

        /** Adds a descriptor; with its 2 bytes of type and length it has to come to whole words. */
        Writer add(int type, byte[] content) {
            out.write(type);
            out.write((content.length + 2) / 4);
            out.writeBytes(content);
            return this;
        }

        Writer mac(long mac) {
            ByteBuffer content = ByteBuffer.allocate(6);
            Mac.put(content, 0, mac);
            return add(MAC, content.array());
        }

        Writer name(long name) {
            return add(NAME, ByteBuffer.allocate(10).putLong(2, name).array());
        }

        /**
         * The Ethernet frame.
         *
         * @param least bytes that it is filled up to
         */
        ByteBuffer frame(long to, long from, int least) {
            byte[] descriptors = out.toByteArray();
            ByteBuffer frame =
                    ByteBuffer.allocate(Math.max(Math.max(least, LEAST_FRAME), HEADER_END + descriptors.length));
            Mac.put(frame, 0, to);
            Mac.put(frame, 6, from);
            frame.putShort(12, (short) ETHER_TYPE)
                    .put(14, (byte) (VERSION << 4))
                    .putShort(16, (short) operation)
                    .put(19, (byte) subcode)
                    .putShort(20, (short) (descriptors.length / 4))
                    .putShort(22, (short) flags)
                    .put(HEADER_END, descriptors);
            return frame;
        }
    }
}
