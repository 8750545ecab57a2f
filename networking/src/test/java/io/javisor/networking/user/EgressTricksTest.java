package io.javisor.networking.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.vswitch.IpPrefix;
import io.javisor.networking.vswitch.SwitchPort;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Routes and redirects of the guest's own making do not lead it where it may not go; 127.0.0.5 is allowed here, 127.0.0.1 is not. */
@Timeout(180)
class EgressTricksTest extends OnUserNetwork {
    private static final String ALLOWED = "127.0.0.5";
    private static final String FORBIDDEN = "127.0.0.1";
    private static final int PROHIBITED = 0x030D;

    private static DatagramSocket server(String address, int port) throws Exception {
        var socket = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral(address), port));
        socket.setSoTimeout(60_000);
        return socket;
    }

    private static String received(DatagramSocket server) throws Exception {
        var packet = new DatagramPacket(new byte[100], 100);
        server.receive(packet);
        return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
    }

    private static void hasNothing(DatagramSocket server) throws Exception {
        server.setSoTimeout(1);
        assertThatThrownBy(() -> received(server)).isInstanceOf(SocketTimeoutException.class);
    }

    private Frame datagram(String to, int port, String text) {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        return Frames.udp(GuestStack.GATEWAY, GuestStack.MAC, GuestStack.SELF, 7000, to, port, content);
    }

    /** The same with a loose source route over an address (RFC 791: option 131), at its beginning or at its end. */
    private static Frame routed(Frame datagram, String over, boolean done) {
        ByteBuffer all = ByteBuffer.allocate(datagram.length() + 8);
        byte[] plain = datagram.toByteArray();
        all.put(plain, 0, 34)
                .put((byte) 131)
                .put((byte) 7)
                .put((byte) (done ? 8 : 4))
                .put(Frames.address(over))
                .put((byte) 0)
                .put(plain, 34, plain.length - 34);
        all.put(14, (byte) 0x47).putShort(16, (short) (plain.length - 14 + 8));
        Frame frame = Frame.of(all.array());
        Checksums.setIpv4Header(frame);
        return frame;
    }

    @Test
    void sourceRoutesAreNotFollowed() throws Exception {
        start(EgressPolicy.allow(IpPrefix.parse(ALLOWED)));
        try (DatagramSocket allowed = server(ALLOWED, 0);
                DatagramSocket forbidden = server(FORBIDDEN, allowed.getLocalPort())) {
            int port = allowed.getLocalPort();
            guest.send(routed(datagram(ALLOWED, port, "over there"), FORBIDDEN, false));
            assertThat(received(allowed)).isEqualTo("over there");
            guest.send(routed(datagram(FORBIDDEN, port, "from there"), ALLOWED, true));
            assertThat(guest.expect(f -> f.protocol() == Frame.ICMP).getShort(34))
                    .isEqualTo(PROHIBITED);
            hasNothing(forbidden);
            hasNothing(allowed);
        }
    }

    @Test
    void redirectsAreNotBelieved() throws Exception {
        start(EgressPolicy.allow(IpPrefix.parse(ALLOWED)));
        try (DatagramSocket allowed = server(ALLOWED, 0);
                DatagramSocket forbidden = server(FORBIDDEN, allowed.getLocalPort())) {
            Frame first = datagram(ALLOWED, allowed.getLocalPort(), "first");
            guest.send(first);
            assertThat(received(allowed)).isEqualTo("first");
            ByteBuffer redirect = ByteBuffer.allocate(8 + 28);
            redirect.put((byte) 5).put((byte) 1).putShort((short) 0).put(Frames.address(FORBIDDEN));
            redirect.put(first.toByteArray(), 14, 28);
            long sum = Checksums.sum(redirect.array(), 0, redirect.capacity(), 0);
            redirect.putShort(2, (short) ~Checksums.fold(sum));
            // By the guest itself; and, as its switch would not let it, by itself in the gateway's name.
            for (String source : new String[] {GuestStack.SELF, "10.0.2.2"}) {
                port().send(Frames.ipv4(
                        GuestStack.GATEWAY, GuestStack.MAC, Frame.ICMP, source, "10.0.2.2", redirect.array()));
            }
            guest.send(datagram(ALLOWED, allowed.getLocalPort(), "second"));
            assertThat(received(allowed)).isEqualTo("second");
            hasNothing(forbidden);
        }
    }

    private SwitchPort port() {
        guest.port.change(guest.port.settings().guards(false, false, false));
        return guest.port;
    }

    @Test
    void routingHeadersAreNotFollowed() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/net/if_inet6")), "this host has no IPv6");
        start(EgressPolicy.allow(IpPrefix.parse("2001:db8::/32")));
        try (DatagramSocket forbidden = server("::1", 0)) {
            // Type 0, one more address to go to (RFC 5095 did away with it).
            ByteBuffer content = ByteBuffer.allocate(24 + 8 + 4);
            content.put((byte) Frame.UDP)
                    .put((byte) 2)
                    .put((byte) 0)
                    .put((byte) 1)
                    .putInt(0);
            content.put(Frames.address("::1"));
            content.putShort((short) 7000)
                    .putShort((short) forbidden.getLocalPort())
                    .putShort((short) 12)
                    .putShort((short) 0);
            content.putInt(0x3A2D_290A);
            guest.send(Frames.ipv6(
                    GuestStack.GATEWAY, GuestStack.MAC, 43, 64, GuestStack.SELF6, "2001:db8::1", content.array()));
            // Whatever became of it: what came after it has been dealt with.
            guest.send(datagram(FORBIDDEN, forbidden.getLocalPort(), "after it"));
            assertThat(guest.expect(f -> f.protocol() == Frame.ICMP).getShort(34))
                    .isEqualTo(PROHIBITED);
            hasNothing(forbidden);
        }
    }
}
