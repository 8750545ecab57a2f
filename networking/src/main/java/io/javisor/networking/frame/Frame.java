package io.javisor.networking.frame;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One Ethernet frame, without frame check sequence and without VLAN tag: that stands beside it. To be filled, {@link #parse}d,
 * given around and filled again; for one thread at a time. Who is given one for a call may read it until that call ends.
 *
 * <p>Its headers are in memory of the host's own, where nobody changes what has been looked at. What follows them may still lie
 * where it came from, in a guest's memory too, and go from there to where it is wanted: {@link #copy}, {@link #gather}. Whoever
 * looks at it has it copied first, by this class, all of it and once.
 *
 * <pre>
 * 0 destination   6 source   12 EtherType   14 network header   {@link #transport()} transport header   {@link #payload()}
 * </pre>
 */
public final class Frame implements FrameBody {
    /** Bytes of an Ethernet header. */
    public static final int HEADER = 14;

    /** Bytes of the largest frame: the largest IP packet that a guest hands over to be segmented, and its header. */
    public static final int MOST_BYTES = HEADER + 65_535;

    /** Bytes of headers that are copied at once, if more follows: more than those of any packet that is not made to be odd. */
    static final int HEADERS = 256;

    /** A frame no longer than this is copied at once, whole: less work than to remember where the rest is. */
    static final int SHORT = 512;

    /** EtherType of IPv4. */
    public static final int IPV4 = 0x0800;
    /** EtherType of ARP. */
    public static final int ARP = 0x0806;
    /** EtherType of a VLAN tag (IEEE 802.1Q). */
    public static final int VLAN = 0x8100;
    /** EtherType of IPv6. */
    public static final int IPV6 = 0x86DD;

    /** Protocol number of ICMP. */
    public static final int ICMP = 1;
    /** Protocol number of TCP. */
    public static final int TCP = 6;
    /** Protocol number of UDP. */
    public static final int UDP = 17;
    /** Protocol number of ICMPv6. */
    public static final int ICMPV6 = 58;

    private static final VarHandle U16 = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle U32 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle U64 = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private final byte[] bytes;
    private final MemorySegment segment;
    private int length;
    private @Nullable FrameBody body;
    private int bodyAt; // in the body, what follows the bytes that are here
    private int here = Integer.MAX_VALUE; // bytes that are in this memory, if there is a body
    private int vlan;
    private int priority;
    private boolean openChecksum;
    private int mss;

    private int etherType;
    private int protocol;
    private int transport;
    private int payload;
    private boolean fragment;
    private boolean hidden;
    private @Nullable Segments segments;

    /** A frame that can hold the largest. */
    public Frame() {
        this(MOST_BYTES);
    }

    /** A frame that can hold so many bytes; from 60. */
    public Frame(int capacity) {
        bytes = new byte[capacity];
        segment = MemorySegment.ofArray(bytes);
    }

    /** A frame of these bytes, parsed, for tests and for who has time; a VLAN tag in them is moved beside them. */
    public static Frame of(byte[] content) {
        var frame = new Frame(Math.max(60, content.length));
        System.arraycopy(content, 0, frame.bytes, 0, content.length);
        frame.begin(content.length);
        if (!frame.parse()) {
            throw new IllegalArgumentException("not a frame: " + content.length + " bytes");
        }
        return frame;
    }

    /** Forgets what was known of the last content; the bytes of the new one are there, or will be before {@link #parse}. */
    public void begin(int bytesOfContent) {
        if (bytesOfContent < 0 || bytesOfContent > bytes.length) {
            throw new IndexOutOfBoundsException(bytesOfContent + " bytes in a frame of " + bytes.length);
        }
        length = bytesOfContent;
        body = null;
        here = Integer.MAX_VALUE;
        vlan = 0;
        priority = 0;
        openChecksum = false;
        mss = 0;
        etherType = 0;
        protocol = 0;
        transport = 0;
        payload = 0;
        fragment = false;
        hidden = false;
    }

    /**
     * Forgets what was known of the last content. The new one lies elsewhere: its headers, or all of it if it is short, are copied
     * now, the rest may stay there.
     *
     * @param from good until the next {@code begin}
     * @param at where it begins there
     */
    public void begin(int bytesOfContent, FrameBody from, int at) {
        begin(bytesOfContent);
        int now = bytesOfContent <= SHORT ? bytesOfContent : HEADERS;
        from.copy(at, segment, 0, now);
        if (now < bytesOfContent) {
            follow(now, from, at + now);
        }
    }

    /** What comes after so many bytes lies elsewhere. */
    private void follow(int bytesHere, FrameBody from, int at) {
        here = bytesHere;
        body = from;
        bodyAt = at;
    }

    /**
     * Becomes a piece of a larger frame: its headers, and a part of its content, which stays where it is. Nothing else is known of it.
     *
     * @param whole good until the next {@code begin}
     * @param header bytes from the beginning
     * @param from where the part begins
     * @param part bytes of it
     */
    void piece(Frame whole, int header, int from, int part) {
        begin(header + part);
        whole.copy(0, segment, 0, header);
        if (header + part <= SHORT || header > HEADERS) {
            whole.copy(from, segment, header, part);
        } else {
            follow(header, whole, from);
        }
    }

    /** Copies what has not been copied yet, so that all who are given the frame see the same, whatever becomes of where it was. */
    public void hold() {
        FrameBody rest = body;
        if (rest != null) {
            body = null;
            int from = here;
            here = Integer.MAX_VALUE;
            rest.copy(bodyAt, segment, from, length - from);
        }
    }

    private void need(int end) {
        if (end > here) {
            hold();
        }
    }

    /** Bytes that are in this memory; what follows them, {@link #gather} tells. */
    public int held() {
        return Math.min(here, length);
    }

    @Override
    public void copy(int from, MemorySegment into, long to, int count) {
        Objects.checkFromIndexSize(from, count, length);
        int first = Math.min(count, Math.max(0, here - from));
        MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, from, into, ValueLayout.JAVA_BYTE, to, first);
        FrameBody rest = body;
        if (first < count && rest != null) {
            rest.copy(bodyAt + from + first - here, into, to + first, count - first);
        }
    }

    @Override
    public boolean gather(int from, int count, Pieces to) {
        Objects.checkFromIndexSize(from, count, length);
        FrameBody rest = body;
        return rest != null && from >= here && rest.gather(bodyAt + from - here, count, to);
    }

    /** Becomes a copy of another, with all that is known of it. */
    public void copyOf(Frame other) {
        begin(other.length);
        other.copy(0, segment, 0, other.length);
        vlan = other.vlan;
        priority = other.priority;
        openChecksum = other.openChecksum;
        mss = other.mss;
        etherType = other.etherType;
        protocol = other.protocol;
        transport = other.transport;
        payload = other.payload;
        fragment = other.fragment;
        hidden = other.hidden;
    }

    /**
     * Reads the headers. A tag in the bytes is moved beside them. What is above Ethernet and can't be read is left alone: the
     * frame then has no {@link #protocol()}.
     *
     * @return false if it is not even an Ethernet frame
     */
    public boolean parse() {
        if (length < HEADER) {
            return false;
        }
        etherType = getShort(12);
        if (etherType == VLAN && length >= HEADER + 4) {
            int tag = getShort(14);
            setVlan(tag & 0xFFF, tag >>> 13);
            System.arraycopy(bytes, 16, bytes, 12, held() - 16);
            length -= 4;
            here -= body == null ? 0 : 4;
            etherType = getShort(12);
        }
        protocol = 0;
        transport = 0;
        payload = 0;
        fragment = false;
        hidden = false;
        if (etherType == IPV4) {
            parseIpv4();
        } else if (etherType == IPV6) {
            parseIpv6();
        }
        return true;
    }

    private void parseIpv4() {
        if (length < HEADER + 20 || getByte(HEADER) >>> 4 != 4) {
            return;
        }
        int header = (getByte(HEADER) & 0xF) * 4;
        if (header < 20 || HEADER + header > length) {
            return;
        }
        fragment = (getShort(HEADER + 6) & 0x3FFF) != 0; // an offset, or more to come
        boolean first = (getShort(HEADER + 6) & 0x1FFF) == 0;
        protocol = getByte(HEADER + 9);
        if (first) {
            parseTransport(HEADER + header);
            hidden = fragment && transport == 0;
        }
    }

    private void parseIpv6() {
        if (length < HEADER + 40 || getByte(HEADER) >>> 4 != 6) {
            return;
        }
        int next = getByte(HEADER + 6);
        int at = HEADER + 40;
        for (int i = 0; i < 8; i++) { // more extension headers than anybody sends
            if (next == 0 || next == 43 || next == 60) { // hop by hop, routing, destination options
                if (at + 8 > length) {
                    return;
                }
                next = getByte(at);
                at += 8 + 8 * getByte(at + 1);
            } else if (next == 44) { // fragment
                if (at + 8 > length) {
                    return;
                }
                fragment = true;
                boolean first = getShort(at + 2) >>> 3 == 0;
                hidden |= first; // until the transport's header is found
                next = getByte(at);
                at += 8;
                if (!first) {
                    protocol = next;
                    return;
                }
            } else {
                protocol = next;
                parseTransport(at);
                return;
            }
        }
    }

    private void parseTransport(int at) {
        if (at > length) {
            return;
        }
        int least = protocol == TCP ? 20 : protocol == UDP ? 8 : 0;
        if (at + least > length) {
            return;
        }
        int header = protocol == TCP ? getByte(at + 12) >>> 4 << 2 : least;
        if (header < least || at + header > length) {
            return;
        }
        transport = at;
        payload = at + header;
        hidden = false;
    }

    /** The memory behind it; the content begins at 0, and is all there. */
    public byte[] bytes() {
        hold();
        return bytes;
    }

    /** The memory behind it, of which at least so many bytes are there. */
    byte[] head(int first) {
        need(first);
        return bytes;
    }

    /** The same memory as {@link #bytes}. */
    public MemorySegment segment() {
        hold();
        return segment;
    }

    /** Bytes of content. */
    public int length() {
        return length;
    }

    /** Changes the number of bytes, and nothing else. */
    public void setLength(int content) {
        if (content < 0 || content > bytes.length) {
            throw new IndexOutOfBoundsException(content + " bytes in a frame of " + bytes.length);
        }
        hold();
        length = content;
    }

    /** VLAN of its tag, 1 to 4,094; 0 if it has none, or one of priority only. */
    public int vlan() {
        return vlan;
    }

    /** Priority of its tag, 0 to 7. */
    public int priority() {
        return priority;
    }

    /** Sets the tag. */
    public void setVlan(int id, int newPriority) {
        vlan = id;
        priority = newPriority;
    }

    /** Whether the TCP or UDP checksum holds the pseudo-header's sum only, to be finished by whoever puts it on a wire. */
    public boolean openChecksum() {
        return openChecksum;
    }

    /** See {@link #openChecksum}. */
    public void setOpenChecksum(boolean open) {
        openChecksum = open;
    }

    /** Bytes of payload of each TCP segment that it is to be cut into; 0 if it is not larger than what may go on a wire. */
    public int mss() {
        return mss;
    }

    /** See {@link #mss}. */
    public void setMss(int bytesOfPayload) {
        mss = bytesOfPayload;
    }

    /** What cuts it, kept with it. */
    public Segments segments() {
        Segments own = segments;
        if (own == null) {
            own = new Segments();
            segments = own;
        }
        return own;
    }

    /** What is in it: {@link #IPV4}, {@link #ARP}, ... */
    public int etherType() {
        return etherType;
    }

    /** Protocol above IP: {@link #TCP}, {@link #UDP}, ...; 0 if there is no IP packet in it that can be read. */
    public int protocol() {
        return protocol;
    }

    /** Where the transport header begins; 0 if it is not there, is cut off, or is in another fragment. */
    public int transport() {
        return transport;
    }

    /** Where the payload of the transport begins; only if {@link #transport()} is not 0. */
    public int payload() {
        return payload;
    }

    /** Whether it is a fragment of an IP packet. */
    public boolean isFragment() {
        return fragment;
    }

    /**
     * Whether it is the first fragment of an IP packet, and the headers up to the transport's are not all in it: nobody can tell what it
     * belongs to. Nobody sends that who has nothing to hide (RFC 1858, RFC 7112).
     */
    public boolean hidesTransport() {
        return hidden;
    }

    /** Source port of TCP and UDP; 0 if it is neither or can't be read. */
    public int sourcePort() {
        return hasPorts() ? getShort(transport) : 0;
    }

    /** Destination port of TCP and UDP; 0 if it is neither or can't be read. */
    public int destinationPort() {
        return hasPorts() ? getShort(transport + 2) : 0;
    }

    private boolean hasPorts() {
        return transport != 0 && (protocol == TCP || protocol == UDP);
    }

    /** Destination address, as {@link MacAddress#value()}. */
    public long destination() {
        return getLong(0) >>> 16;
    }

    /** Source address, as {@link MacAddress#value()}. */
    public long source() {
        return getLong(6) >>> 16;
    }

    /** Whether it is for more than one. */
    public boolean isMulticast() {
        return (bytes[0] & 1) != 0;
    }

    /** Reads 8 bits, 0 to 255. */
    public int getByte(int at) {
        need(at + 1);
        return bytes[at] & 0xFF;
    }

    /** Reads 16 bits in network order, 0 to 65,535. */
    public int getShort(int at) {
        need(at + 2);
        return (short) U16.get(bytes, at) & 0xFFFF;
    }

    /** Reads 32 bits in network order. */
    public int getInt(int at) {
        need(at + 4);
        return (int) U32.get(bytes, at);
    }

    /** Reads 64 bits in network order. */
    public long getLong(int at) {
        need(at + 8);
        return (long) U64.get(bytes, at);
    }

    /** Writes 8 bits. */
    public void putByte(int at, int value) {
        need(at + 1);
        bytes[at] = (byte) value;
    }

    /** Writes 16 bits in network order. */
    public void putShort(int at, int value) {
        need(at + 2);
        U16.set(bytes, at, (short) value);
    }

    /** Writes 32 bits in network order. */
    public void putInt(int at, int value) {
        need(at + 4);
        U32.set(bytes, at, value);
    }

    /** Writes 64 bits in network order. */
    public void putLong(int at, long value) {
        need(at + 8);
        U64.set(bytes, at, value);
    }

    /** Writes a MAC address. */
    public void putMac(int at, long mac) {
        putShort(at, (int) (mac >>> 32));
        putInt(at + 2, (int) mac);
    }

    /** A copy of the content. */
    public byte[] toByteArray() {
        hold();
        return Arrays.copyOf(bytes, length);
    }
}
