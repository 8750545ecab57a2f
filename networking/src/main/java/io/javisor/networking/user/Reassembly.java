package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Puts guests' IP packets together again from their fragments (RFC 791, RFC 8200 4.5), so that what is decided about a packet is
 * decided about all of it. A packet whose fragments overlap is dropped (RFC 5722). At most {@link #MOST_PACKETS} are waited for
 * at the same time, each for {@link #LIMIT_NANOS}; a new one takes the place of the oldest. For one thread.
 */
final class Reassembly {
    /** Packets at the same time: one MiB. */
    static final int MOST_PACKETS = 16;

    /** What Linux waits, 30 seconds. */
    static final long LIMIT_NANOS = 30_000_000_000L;

    private static final int HEADER6 = 40;
    private static final int FRAGMENT_HEADER = 8;
    private static final int MOST_BYTES = 65_535; // of a packet with its header

    private final Map<Key, Packet> packets = new LinkedHashMap<>();
    private final Frame whole = new Frame();

    private record Key(IpAddress from, IpAddress to, int protocol, int identification) {}

    /** What is there of a packet. */
    private static final class Packet {
        final long deadline;
        final BitSet units = new BitSet(); // of 8 bytes, that are there
        byte[] data = new byte[2048];
        byte @Nullable [] header; // Ethernet's and IP's of the first fragment
        int total = -1; // known with the last
        int greatest;
        boolean spoilt;

        Packet(long deadline) {
            this.deadline = deadline;
        }

        /** Takes some bytes; false if they do not fit to what is there. */
        boolean add(Frame from, int at, int offset, int length, boolean more) {
            int first = offset >> 3;
            int end = first + (length + 7 >> 3);
            int next = units.nextSetBit(first);
            boolean overlaps = next >= 0 && next < end;
            boolean beyond = total >= 0 && (offset + length > total || !more);
            if (overlaps || beyond || (!more && greatest > offset + length)) {
                return false;
            }
            if (offset + length > data.length) {
                data = Arrays.copyOf(data, Math.max(offset + length, Math.min(2 * data.length, MOST_BYTES)));
            }
            System.arraycopy(from.bytes(), at, data, offset, length);
            units.set(first, end);
            greatest = Math.max(greatest, offset + length);
            if (!more) {
                total = offset + length;
            }
            return true;
        }

        void spoil() {
            spoilt = true;
            data = new byte[0];
        }

        boolean isComplete() {
            return total >= 0 && header != null && units.cardinality() == total + 7 >> 3;
        }
    }

    /**
     * Takes a fragment.
     *
     * @param frame that has been parsed, and is a fragment
     * @param now on the network's clock
     * @return the whole packet, parsed, if this was its last missing piece; it is used again by the next call
     */
    @Nullable
    Frame add(Frame frame, long now) {
        packets.values().removeIf(packet -> packet.deadline - now <= 0);
        return frame.etherType() == Frame.IPV4 ? add4(frame, now) : add6(frame, now);
    }

    private @Nullable Frame add4(Frame frame, long now) {
        int at = Frame.HEADER;
        int header = (frame.getByte(at) & 0xF) * 4;
        int length = frame.getShort(at + 2) - header;
        int field = frame.getShort(at + 6);
        var key = new Key(
                IpAddress.source(frame), IpAddress.destination(frame), frame.protocol(), frame.getShort(at + 4));
        return add(key, frame, at + header, (field & 0x1FFF) << 3, length, (field & 0x2000) != 0, now);
    }

    private @Nullable Frame add6(Frame frame, long now) {
        int at = Frame.HEADER + HEADER6;
        if (frame.getByte(Frame.HEADER + 6) != 44) {
            return null; // other headers before that of the fragment: nobody sends them
        }
        int length = frame.getShort(Frame.HEADER + 4) - FRAGMENT_HEADER;
        int field = frame.getShort(at + 2);
        var key =
                new Key(IpAddress.source(frame), IpAddress.destination(frame), frame.getByte(at), frame.getInt(at + 4));
        return add(key, frame, at + FRAGMENT_HEADER, field & 0xFFF8, length, (field & 1) != 0, now);
    }

    private @Nullable Frame add(Key key, Frame frame, int at, int offset, int length, boolean more, long now) {
        boolean whole8 = !more || length % 8 == 0;
        if (length <= 0 || !whole8 || at + length > frame.length() || offset + length > MOST_BYTES) {
            return null;
        }
        Packet packet = packets.get(key);
        if (packet == null) {
            if (packets.size() >= MOST_PACKETS) {
                packets.remove(packets.keySet().iterator().next());
            }
            packet = new Packet(now + LIMIT_NANOS);
            packets.put(key, packet);
        }
        // A spoilt one is kept until its time is over, so that the rest of its fragments make no new packet.
        if (packet.spoilt) {
            return null;
        }
        if (!packet.add(frame, at, offset, length, more)) {
            packet.spoil();
            return null;
        }
        if (offset == 0) {
            packet.header = Arrays.copyOf(frame.bytes(), at);
        }
        byte[] header = packet.header;
        if (header == null || !packet.isComplete()) {
            return null;
        }
        int from = key.from.ipv6() ? Frame.HEADER + HEADER6 : header.length;
        if (from - Frame.HEADER + packet.total > MOST_BYTES) {
            packet.spoil();
            return null;
        }
        packets.remove(key);
        return put(key, header, from, packet);
    }

    private @Nullable Frame put(Key key, byte[] header, int from, Packet packet) {
        boolean ipv6 = key.from.ipv6();
        System.arraycopy(header, 0, whole.bytes(), 0, from);
        System.arraycopy(packet.data, 0, whole.bytes(), from, packet.total);
        whole.begin(from + packet.total);
        if (ipv6) {
            whole.putShort(Frame.HEADER + 4, packet.total);
            whole.putByte(Frame.HEADER + 6, key.protocol);
        } else {
            whole.putShort(Frame.HEADER + 2, from - Frame.HEADER + packet.total);
            whole.putShort(Frame.HEADER + 6, 0);
        }
        if (!whole.parse() || whole.isFragment()) {
            return null; // a fragment of fragments
        }
        if (!ipv6) {
            Checksums.setIpv4Header(whole);
        }
        return whole;
    }

    /** Packets that are waited for. */
    int waiting() {
        return packets.size();
    }
}
