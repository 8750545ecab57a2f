package io.javisor.networking.frame;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;

/** Frames for tests. */
public final class Frames {
    /** A guest's address. */
    public static final MacAddress A = MacAddress.parse("02:00:00:00:00:0a");
    /** Another's. */
    public static final MacAddress B = MacAddress.parse("02:00:00:00:00:0b");
    /** A third. */
    public static final MacAddress C = MacAddress.parse("02:00:00:00:00:0c");

    private Frames() {}

    /** Bytes written in hexadecimal, with blanks. */
    public static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
    }

    /** A frame of some EtherType that nobody reads. */
    public static Frame plain(MacAddress to, MacAddress from, String content) {
        byte[] text = content.getBytes(StandardCharsets.UTF_8);
        ByteBuffer all = ByteBuffer.allocate(Math.max(60, 14 + text.length));
        all.put(to.toByteArray())
                .put(from.toByteArray())
                .putShort((short) 0x88B5)
                .put(text);
        return Frame.of(all.array());
    }

    /** An IPv4 packet with a right header. */
    public static Frame ipv4(
            MacAddress to, MacAddress from, int protocol, String source, String target, byte[] content) {
        ByteBuffer all = ByteBuffer.allocate(34 + content.length);
        all.put(to.toByteArray()).put(from.toByteArray()).putShort((short) 0x0800);
        all.put((byte) 0x45)
                .put((byte) 0)
                .putShort((short) (20 + content.length))
                .putInt(0x1234_0000);
        all.put((byte) 64)
                .put((byte) protocol)
                .putShort((short) 0)
                .put(address(source))
                .put(address(target));
        all.put(content);
        Frame frame = Frame.of(all.array());
        Checksums.setIpv4Header(frame);
        return frame;
    }

    /** An IP packet of version 6. */
    public static Frame ipv6(
            MacAddress to, MacAddress from, int protocol, int hops, String source, String target, byte[] content) {
        ByteBuffer all = ByteBuffer.allocate(54 + content.length);
        all.put(to.toByteArray()).put(from.toByteArray()).putShort((short) 0x86DD);
        all.putInt(6 << 28)
                .putShort((short) content.length)
                .put((byte) protocol)
                .put((byte) hops)
                .put(address(source))
                .put(address(target));
        all.put(content);
        return Frame.of(all.array());
    }

    /** A UDP packet over IPv6 with a right checksum. */
    public static Frame udp6(
            MacAddress to, MacAddress from, String source, int sourcePort, String target, int port, byte[] content) {
        ByteBuffer udp = ByteBuffer.allocate(8 + content.length);
        udp.putShort((short) sourcePort)
                .putShort((short) port)
                .putShort((short) (8 + content.length))
                .putShort((short) 0);
        udp.put(content);
        Frame frame = ipv6(to, from, Frame.UDP, 64, source, target, udp.array());
        Checksums.open(frame);
        Checksums.close(frame);
        return frame;
    }

    /** A message of ICMPv6 with a right checksum, which stands at its third byte. */
    public static Frame icmp6(MacAddress to, MacAddress from, int hops, String source, String target, byte[] message) {
        Frame frame = ipv6(to, from, Frame.ICMPV6, hops, source, target, message);
        long sum = Checksums.sum(frame.bytes(), 54, message.length, Checksums.pseudoHeader(frame));
        frame.putShort(56, ~Checksums.fold(sum));
        return frame;
    }

    /** The fragments of an IPv4 or IPv6 packet without options, of so many bytes of payload each. */
    public static java.util.List<Frame> fragments(Frame whole, int each, int identification) {
        boolean ipv6 = whole.etherType() == Frame.IPV6;
        int header = ipv6 ? 54 : 34;
        byte[] all = whole.toByteArray();
        var pieces = new java.util.ArrayList<Frame>();
        for (int at = 0; at < all.length - header; at += each) {
            int n = Math.min(each, all.length - header - at);
            boolean more = at + n < all.length - header;
            ByteBuffer piece = ByteBuffer.allocate(header + (ipv6 ? 8 : 0) + n);
            piece.put(all, 0, header);
            if (ipv6) {
                piece.put(all[20])
                        .put((byte) 0)
                        .putShort((short) (at | (more ? 1 : 0)))
                        .putInt(identification);
                piece.putShort(18, (short) (n + 8)).put(20, (byte) 44);
            } else {
                piece.putShort(16, (short) (20 + n)).putShort(18, (short) identification);
                piece.putShort(20, (short) (at / 8 | (more ? 0x2000 : 0)));
            }
            piece.put(all, header + at, n);
            pieces.add(Frame.of(piece.array()));
        }
        return pieces;
    }

    /** A UDP packet with a right checksum. */
    public static Frame udp(
            MacAddress to, MacAddress from, String source, int sourcePort, String target, int port, byte[] content) {
        ByteBuffer udp = ByteBuffer.allocate(8 + content.length);
        udp.putShort((short) sourcePort)
                .putShort((short) port)
                .putShort((short) (8 + content.length))
                .putShort((short) 0);
        udp.put(content);
        Frame frame = ipv4(to, from, Frame.UDP, source, target, udp.array());
        Checksums.open(frame);
        Checksums.close(frame);
        return frame;
    }

    /** A TCP packet with a right checksum. */
    public static Frame tcp(
            MacAddress to,
            MacAddress from,
            String source,
            int sourcePort,
            String target,
            int port,
            int sequence,
            int acknowledged,
            int flags,
            byte[] content) {
        ByteBuffer tcp = ByteBuffer.allocate(20 + content.length);
        tcp.putShort((short) sourcePort).putShort((short) port).putInt(sequence).putInt(acknowledged);
        tcp.put((byte) 0x50).put((byte) flags).putShort((short) 0xFFFF).putInt(0);
        tcp.put(content);
        Frame frame = source.contains(":")
                ? ipv6(to, from, Frame.TCP, 64, source, target, tcp.array())
                : ipv4(to, from, Frame.TCP, source, target, tcp.array());
        Checksums.open(frame);
        Checksums.close(frame);
        return frame;
    }

    /** Bytes that are always the same. */
    public static byte[] random(int count) {
        byte[] all = new byte[count];
        new Random(count).nextBytes(all);
        return all;
    }

    /** An IP address. */
    public static byte[] address(String text) {
        return java.net.InetAddress.ofLiteral(text).getAddress();
    }
}
