package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;

/** Makes frames of the gateway for guests. For one thread; the frame is used again. */
final class FrameWriter {
    private static final int TTL = 64;

    private final Frame frame = new Frame();
    private int identification;

    Frame frame() {
        return frame;
    }

    private void ethernet(long destination, int type, int length) {
        frame.begin(length);
        frame.putMac(0, destination);
        frame.putMac(6, Addresses.GATEWAY_MAC.value());
        frame.putShort(12, type);
    }

    private void ip(long mac, int protocol, int from, int to, int bytes) {
        ethernet(mac, Frame.IPV4, Frame.HEADER + 20 + bytes);
        int ip = Frame.HEADER;
        frame.putShort(ip, 0x4500);
        frame.putShort(ip + 2, 20 + bytes);
        frame.putShort(ip + 4, identification++);
        frame.putShort(ip + 6, 0x4000); // not to be fragmented
        frame.putByte(ip + 8, TTL);
        frame.putByte(ip + 9, protocol);
        frame.putInt(ip + 12, from);
        frame.putInt(ip + 16, to);
        Checksums.setIpv4Header(frame);
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
    static int udpPayload() {
        return Frame.HEADER + 28;
    }

    /** A UDP packet whose payload is in the frame already. */
    Frame udp(long mac, int from, int fromPort, int to, int toPort, int bytes) {
        ip(mac, Frame.UDP, from, to, 8 + bytes);
        int udp = Frame.HEADER + 20;
        frame.putShort(udp, fromPort);
        frame.putShort(udp + 2, toPort);
        frame.putShort(udp + 4, 8 + bytes);
        frame.parse();
        Checksums.open(frame);
        return frame;
    }

    /** Where the payload of {@link #tcp} goes, with so many bytes of options. */
    static int tcpPayload(int options) {
        return Frame.HEADER + 40 + options;
    }

    /** A TCP packet whose options and payload are in the frame already; cut where it is larger than the MSS. */
    Frame tcp(long mac, TcpFlow flow, int sequence, int acknowledged, int flags, int window, int options, int bytes) {
        ip(mac, Frame.TCP, flow.remote(), flow.guest(), 20 + options + bytes);
        int tcp = Frame.HEADER + 20;
        frame.putShort(tcp, flow.remotePort());
        frame.putShort(tcp + 2, flow.guestPort());
        frame.putInt(tcp + 4, sequence);
        frame.putInt(tcp + 8, acknowledged);
        frame.putShort(tcp + 12, (5 + options / 4) << 12 | flags);
        frame.putShort(tcp + 14, window);
        frame.putInt(tcp + 16, 0);
        frame.parse();
        Checksums.open(frame);
        frame.setMss(bytes > flow.mss() ? flow.mss() : 0);
        return frame;
    }

    /** The reset that answers a packet of no flow; the offending frame is given. */
    Frame reset(long mac, Frame offending) {
        int from = offending.transport();
        boolean acknowledges = (offending.getByte(from + 13) & TcpFlow.ACK) != 0;
        int length = Checksums.transportLength(offending) - (offending.payload() - from);
        int flags = offending.getByte(from + 13);
        int next = offending.getInt(from + 4) + length + ((flags & (TcpFlow.SYN | TcpFlow.FIN)) != 0 ? 1 : 0);
        int sequence = acknowledges ? offending.getInt(from + 8) : 0;
        ip(mac, Frame.TCP, offending.getInt(Frame.HEADER + 16), offending.getInt(Frame.HEADER + 12), 20);
        int tcp = Frame.HEADER + 20;
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

    /** An ICMP message, whose bytes from the fifth on are in the frame already. */
    Frame icmp(long mac, int from, int to, int type, int code, int bytes) {
        ip(mac, Frame.ICMP, from, to, bytes);
        int icmp = Frame.HEADER + 20;
        frame.putShort(icmp, type << 8 | code);
        frame.putShort(icmp + 2, 0);
        frame.putShort(icmp + 2, Checksums.of(frame.bytes(), icmp, bytes));
        frame.parse();
        return frame;
    }

    /** Where the fifth byte of {@link #icmp} goes. */
    static int icmpRest() {
        return Frame.HEADER + 24;
    }

    /** Says that a packet does not get through: the network's administrator forbids it, or nobody listens (RFC 792, 1122). */
    Frame unreachable(long mac, Frame offending, int code) {
        int copied = Math.min(offending.length() - Frame.HEADER, 28 + 32);
        System.arraycopy(offending.bytes(), Frame.HEADER, frame.bytes(), icmpRest() + 4, copied);
        frame.putInt(icmpRest(), 0);
        return icmp(mac, Addresses.GATEWAY, offending.getInt(Frame.HEADER + 12), 3, code, 8 + copied);
    }
}
