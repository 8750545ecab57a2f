package io.javisor.networking.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.linux.IcmpSocket;
import io.javisor.linux.LinuxException;
import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.vswitch.IpPrefix;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whom guests ping, what reaches whom in fragments, and that the host's own addresses are the host. */
@Timeout(180)
class UserNetworkReachTest extends OnUserNetwork {
    private static String ownAddress() throws Exception {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(a -> a.getAddress().length == 4 && !a.isLoopbackAddress() && !a.isLinkLocalAddress())
                .findFirst()
                .map(InetAddress::getHostAddress)
                .orElse("");
    }

    @Test
    void theHostsOtherAddressesAreTheHost() throws Exception {
        String own = ownAddress();
        assumeTrue(!own.isEmpty(), "this host has no address but its loopback");
        try (var server = new ServerSocket(0, 5, InetAddress.ofLiteral(own))) {
            start(EgressPolicy.ANY);
            int port = server.getLocalPort();
            assertThat(guest.new Connection(own, port, 4000).open()).isFalse();
            user.close();
            start(EgressPolicy.allow(IpPrefix.parse("0.0.0.0/0"), IpPrefix.parse(own + "/31")));
            assertThat(guest.new Connection(own, port, 4001).open())
                    .as("a prefix around it")
                    .isFalse();
            user.close();
            start(EgressPolicy.allow(IpPrefix.parse(own)));
            assertThat(guest.new Connection(own, port, 4002).open())
                    .as("by itself")
                    .isTrue();
        }
    }

    private static byte[] ping(int number) {
        return Frames.hex("0800 0000 1234 %04x 6162636465666768".formatted(number));
    }

    private static boolean mayPing() {
        try {
            IcmpSocket.open(InetAddress.ofLiteral("127.0.0.1")).close();
            return true;
        } catch (LinuxException e) {
            return false;
        }
    }

    private void sendPing(String to, int number) {
        guest.send(Frames.ipv4(GuestStack.GATEWAY, GuestStack.MAC, Frame.ICMP, GuestStack.SELF, to, ping(number)));
    }

    @Test
    void whoIsAllowedIsPinged() {
        assumeTrue(mayPing(), "this process may not ping: neither net.ipv4.ping_group_range nor CAP_NET_RAW");
        start(EgressPolicy.allow(IpPrefix.parse("127.0.0.1"), IpPrefix.parse("127.0.0.2")));
        for (int i = 1; i <= 3; i++) {
            for (String to : new String[] {"127.0.0.1", "127.0.0.2"}) {
                sendPing(to, i);
                Frame pong = guest.expect(f -> f.protocol() == Frame.ICMP);
                assertThat(pong.getShort(34)).as("an answer").isZero();
                assertThat(IpAddress.source(pong).toInetAddress()).isEqualTo(InetAddress.ofLiteral(to));
                assertThat(Arrays.copyOfRange(pong.bytes(), 38, 50)).isEqualTo(Arrays.copyOfRange(ping(i), 4, 16));
                assertThat(Checksums.of(pong.bytes(), 34, 16)).isZero();
            }
        }
        for (int i = 0; i < 200; i++) { // more identifiers than there are sockets
            byte[] other = ping(i);
            other[4] = (byte) i;
            guest.send(
                    Frames.ipv4(GuestStack.GATEWAY, GuestStack.MAC, Frame.ICMP, GuestStack.SELF, "127.0.0.1", other));
            int wanted = (i & 0xFF) << 8 | 0x34;
            guest.expect(f -> f.protocol() == Frame.ICMP && f.getShort(38) == wanted);
        }
    }

    @Test
    void whoIsNotAllowedIsNotPinged() {
        start(EgressPolicy.allow(IpPrefix.parse("192.0.2.0/24")));
        for (String to : new String[] {"127.0.0.1", "198.51.100.1", "10.0.2.99"}) {
            sendPing(to, 1);
            assertThat(guest.expect(f -> f.protocol() == Frame.ICMP).getShort(34))
                    .as("prohibited")
                    .isEqualTo(0x030D);
        }
        assertThat(user.refused()).isEqualTo(3);
    }

    @Test
    void largeDatagramsGoBothWaysInFragments() throws Exception {
        start(UserNetworkSpec.DEFAULT.withHostLoopback());
        try (var server = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))) {
            server.setSoTimeout(60_000);
            byte[] question = Frames.random(30_000);
            Frame packet = Frames.udp(
                    GuestStack.GATEWAY,
                    GuestStack.MAC,
                    GuestStack.SELF,
                    7000,
                    "10.0.2.2",
                    server.getLocalPort(),
                    question);
            Frames.fragments(packet, 1480, 5).forEach(guest::send);
            var arrived = new DatagramPacket(new byte[40_000], 40_000);
            server.receive(arrived);
            assertThat(Arrays.copyOf(arrived.getData(), arrived.getLength())).isEqualTo(question);
            byte[] answer = Frames.random(20_000);
            server.send(new DatagramPacket(answer, answer.length, arrived.getSocketAddress()));
            var reassembly = new Reassembly();
            Frame whole = null;
            while (whole == null) {
                Frame piece = guest.expect(Frame::isFragment);
                assertThat(piece.length()).isLessThanOrEqualTo(1514);
                whole = reassembly.add(piece, 0);
            }
            assertThat(Checksums.isRight(whole)).isTrue();
            assertThat(Arrays.copyOfRange(whole.bytes(), whole.payload(), whole.length()))
                    .isEqualTo(answer);
        }
    }

    @Test
    void aForbiddenAddressIsForbiddenInFragmentsToo() throws Exception {
        start(EgressPolicy.ANY);
        try (var server = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))) {
            Frame packet = Frames.udp(
                    GuestStack.GATEWAY,
                    GuestStack.MAC,
                    GuestStack.SELF,
                    7000,
                    "127.0.0.1",
                    server.getLocalPort(),
                    Frames.random(3000));
            Frames.fragments(packet, 1480, 5).forEach(guest::send);
            assertThat(guest.expect(f -> f.protocol() == Frame.ICMP).getShort(34))
                    .as("prohibited")
                    .isEqualTo(0x030D);
        }
    }
}
