package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;

/** Makes frames of the gateway for guests, of both versions of IP. For one thread; the frame is used again. */
final class FrameWriter {
    private static final int HOPS = 64;
    private static final int HEADER4 = 20;
    private static final int HEADER6 = 40;

    private final Frame frame = new Frame();
    private int identification;

    Frame frame() {
        return frame;
    }

    /** Where the header of the transport goes. */
    static int transport(boolean ipv6) {
        return Frame.HEADER + (ipv6 ? HEADER6 : HEADER4);
    }

    private void ethernet(long destination, int type, int length) {
        frame.begin(length);
        frame.putMac(0, destination);
        frame.putMac(6, Addresses.GATEWAY_MAC.value());
        frame.putShort(12, type);
    }

    /** Writes the headers up to the transport, and returns where that begins. */
    private int ip(long mac, int protocol, IpAddress from, IpAddress to, int bytes) {
        return ip(mac, protocol, from, to, HOPS, bytes);
    }

    private int ip(long mac, int protocol, IpAddress from, IpAddress to, int hops, int bytes) {
        int at = Frame.HEADER;
        if (to.ipv6()) {
            ethernet(mac, Frame.IPV6, Frame.HEADER + HEADER6 + bytes);
            frame.putInt(at, 6 << 28);
            frame.putShort(at + 4, bytes);
            frame.putByte(at + 6, protocol);
            frame.putByte(at + 7, hops);
            from.put(frame, at + 8);
            to.put(frame, at + 24);
            return at + HEADER6;
        }
        ethernet(mac, Frame.IPV4, Frame.HEADER + HEADER4 + bytes);
        frame.putShort(at, 0x4500);
        frame.putShort(at + 2, HEADER4 + bytes);
        frame.putShort(at + 4, identification++);
        frame.putShort(at + 6, 0x4000); // not to be fragmented
        frame.putByte(at + 8, hops);
        frame.putByte(at + 9, protocol);
        from.put(frame, at + 12);
        to.put(frame, at + 16);
        Checksums.setIpv4Header(frame);
        return at + HEADER4;
    }

    /** An ARP answer: the gateway has an address. */
    Frame arpAnswer(long mac, int address, int asker) {
        ethernet(mac, Frame.ARP, Frame.HEADER + 28);
        arp(2, address, mac, asker);
        return frame;
    }

    /** An ARP question: who has an address? */
    Frame arpQuestion(int address) {
        ethernet(0xFFFF_FFFF_FFFFL, Frame.ARP, Frame.HEADER + 28);
        arp(1, Addresses.GATEWAY, 0, address);
        return frame;
    }

    private void arp(int operation, int sender, long targetMac, int target) {
        int at = Frame.HEADER;
        frame.putInt(at, 0x0001_0800);
        frame.putShort(at + 4, 0x0604);
        frame.putShort(at + 6, operation);
        frame.putMac(at + 8, Addresses.GATEWAY_MAC.value());
        frame.putInt(at + 14, sender);
        frame.putMac(at + 18, targetMac);
        frame.putInt(at + 24, target);
        frame.parse();
    }

    /** Where the payload of {@link #udp} goes. */
    static int udpPayload(boolean ipv6) {
        return transport(ipv6) + 8;
    }

    /** A UDP packet whose payload is in the frame already. */
    Frame udp(long mac, IpAddress from, int fromPort, IpAddress to, int toPort, int bytes) {
        int udp = ip(mac, Frame.UDP, from, to, 8 + bytes);
        frame.putShort(udp, fromPort);
        frame.putShort(udp + 2, toPort);
        frame.putShort(udp + 4, 8 + bytes);
        frame.parse();
        Checksums.open(frame);
        return frame;
    }

    /** Where the payload of {@link #tcp} goes, with so many bytes of options. */
    static int tcpPayload(boolean ipv6, int options) {
        return transport(ipv6) + 20 + options;
    }

    /** A TCP packet whose options and payload are in the frame already; cut where it is larger than the MSS. */
    Frame tcp(
            long mac, FlowKey key, int mss, int sequence, int acknowledged, int flags, int window, int options, int n) {
        int tcp = ip(mac, Frame.TCP, key.remote(), key.guest(), 20 + options + n);
        frame.putShort(tcp, key.remotePort());
        frame.putShort(tcp + 2, key.guestPort());
        frame.putInt(tcp + 4, sequence);
        frame.putInt(tcp + 8, acknowledged);
        frame.putShort(tcp + 12, (5 + options / 4) << 12 | flags);
        frame.putShort(tcp + 14, window);
        frame.putInt(tcp + 16, 0);
        frame.parse();
        Checksums.open(frame);
        frame.setMss(n > mss ? mss : 0);
        return frame;
    }

    /** The reset that answers a packet of no flow; the offending frame is given. */
    Frame reset(long mac, Frame offending) {
        int from = offending.transport();
        int flags = offending.getByte(from + 13);
        boolean acknowledges = (flags & TcpFlow.ACK) != 0;
        int length = Checksums.transportLength(offending) - (offending.payload() - from);
        int next = offending.getInt(from + 4) + length + ((flags & (TcpFlow.SYN | TcpFlow.FIN)) != 0 ? 1 : 0);
        int sequence = acknowledges ? offending.getInt(from + 8) : 0;
        int tcp = ip(mac, Frame.TCP, IpAddress.destination(offending), IpAddress.source(offending), 20);
        frame.putShort(tcp, offending.getShort(from + 2));
        frame.putShort(tcp + 2, offending.getShort(from));
        frame.putInt(tcp + 4, sequence);
        frame.putInt(tcp + 8, acknowledges ? 0 : next);
        frame.putShort(tcp + 12, 5 << 12 | (acknowledges ? TcpFlow.RST : TcpFlow.RST | TcpFlow.ACK));
        frame.putShort(tcp + 14, 0);
        frame.putInt(tcp + 16, 0);
        frame.parse();
        Checksums.open(frame);
        return frame;
    }

    /** Where the fifth byte of {@link #icmp} goes: what follows type, code and checksum. */
    static int icmpRest(boolean ipv6) {
        return transport(ipv6) + 4;
    }

    /** An ICMP message of the addresses' version, whose bytes from the fifth on are in the frame already. */
    Frame icmp(long mac, IpAddress from, IpAddress to, int type, int code, int bytes) {
        return icmp(mac, from, to, HOPS, type, code, bytes);
    }

    /** A message of neighbour discovery, which must not have passed a router (RFC 4861). */
    Frame discovery(long mac, IpAddress from, IpAddress to, int type, int bytes) {
        return icmp(mac, from, to, 255, type, 0, bytes);
    }

    private Frame icmp(long mac, IpAddress from, IpAddress to, int hops, int type, int code, int bytes) {
        int icmp = ip(mac, to.ipv6() ? Frame.ICMPV6 : Frame.ICMP, from, to, hops, bytes);
        frame.putShort(icmp, type << 8 | code);
        frame.putShort(icmp + 2, 0);
        frame.parse();
        long before = to.ipv6() ? Checksums.pseudoHeader(frame) : 0;
        frame.putShort(icmp + 2, ~Checksums.fold(Checksums.sum(frame.bytes(), icmp, bytes, before)));
        return frame;
    }

    /** Says that a packet does not get through, with as much of it as tells whose it was (RFC 792, 4443). */
    Frame unreachable(long mac, Frame offending, Unreachable why) {
        IpAddress asker = IpAddress.source(offending);
        boolean ipv6 = asker.ipv6();
        int copied = Math.min(offending.length() - Frame.HEADER, transport(ipv6) - Frame.HEADER + 40);
        System.arraycopy(offending.bytes(), Frame.HEADER, frame.bytes(), icmpRest(ipv6) + 4, copied);
        frame.putInt(icmpRest(ipv6), 0);
        return ipv6
                ? icmp(mac, Addresses.GATEWAY6, asker, why.type6, why.code6, 8 + copied)
                : icmp(mac, Addresses.GATEWAY4, asker, 3, why.code4, 8 + copied);
    }

    /** Why a packet does not get through. */
    enum Unreachable {
        /** It is of a protocol that nobody here speaks. */
        PROTOCOL(2, 4, 1),
        /** Nobody listens. */
        PORT(3, 1, 4),
        /** It is forbidden. */
        PROHIBITED(13, 1, 1);

        private final int code4;
        private final int type6;
        private final int code6;

        Unreachable(int code4, int type6, int code6) {
            this.code4 = code4;
            this.type6 = type6;
            this.code6 = code6;
        }
    }
}
