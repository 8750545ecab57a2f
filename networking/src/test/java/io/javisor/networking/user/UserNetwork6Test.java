package io.javisor.networking.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.IpPrefix;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The user-mode network over IPv6, seen by a guest's packets, with real sockets of this host on the other side. */
@Timeout(180)
class UserNetwork6Test extends OnUserNetwork {
    private static final String GATEWAY = "fd4a:5600:2::2";
    private static final String NAMES = "fd4a:5600:2::3";
    private static final MacAddress ALL = MacAddress.parse("33:33:00:00:00:01");
    private static final MacAddress ROUTERS = MacAddress.parse("33:33:00:00:00:02");
    private static final MacAddress DHCP_SERVERS = MacAddress.parse("33:33:00:01:00:02");

    private static void hostSpeaksIpv6() {
        assumeTrue(Files.exists(Path.of("/proc/net/if_inet6")), "this host has no IPv6");
    }

    private static ServerSocket listen() throws IOException {
        return new ServerSocket(0, 5, InetAddress.ofLiteral("::1"));
    }

    /** Tells the gateway where the guest is. */
    private void appear() {
        guest.send(Frames.icmp6(
                GuestStack.GATEWAY, GuestStack.MAC, 255, GuestStack.SELF6, GATEWAY, solicitation(GATEWAY)));
        guest.expect(f -> type(f) == Icmp.NEIGHBOUR_ADVERTISEMENT);
    }

    private static byte[] solicitation(String target) {
        byte[] message = new byte[24];
        message[0] = (byte) Icmp.NEIGHBOUR_SOLICITATION;
        System.arraycopy(Frames.address(target), 0, message, 8, 16);
        return message;
    }

    private static int type(Frame frame) {
        return frame.protocol() == Frame.ICMPV6 ? frame.getByte(frame.transport()) : -1;
    }

    private static boolean isRight(Frame f) {
        int bytes = Checksums.transportLength(f);
        return Checksums.fold(Checksums.sum(f.bytes(), f.transport(), bytes, Checksums.pseudoHeader(f))) == 0xFFFF;
    }

    @Test
    void theRouterMakesItselfKnown() {
        start(UserNetworkSpec.DEFAULT.nameServers(new InetSocketAddress(InetAddress.getLoopbackAddress(), 53)));
        guest.send(Frames.icmp6(
                ROUTERS, GuestStack.MAC, 255, GuestStack.LINK6, "ff02::2", Frames.hex("8500 0000 0000 0000")));
        Frame told = guest.expect(f -> type(f) == Icmp.ROUTER_ADVERTISEMENT);
        assertThat(told.destination()).isEqualTo(GuestStack.MAC.value());
        assertThat(IpAddress.source(told)).isEqualTo(Addresses.GATEWAY_LINK);
        assertThat(told.getByte(21)).as("hops").isEqualTo(255);
        assertThat(isRight(told)).isTrue();
        assertThat(Arrays.copyOfRange(told.bytes(), 58, told.length()))
                .isEqualTo(Frames.hex(
                        "40 40 0708 00000000 00000000" // hops, other by DHCP, 1800 s
                                + "0101 4a5600000202" // the router's MAC address
                                + "0501 0000 000005dc" // MTU
                                + "0304 40 c0 00015180 00003840 00000000 fd4a5600000200000000000000000000" // prefix
                                + "1903 0000 00000708 fd4a5600000200000000000000000003")); // name server
        guest.send(Frames.icmp6(ROUTERS, GuestStack.MAC, 255, "::", "ff02::2", Frames.hex("8500 0000 0000 0000")));
        Frame all = guest.expect(f -> type(f) == Icmp.ROUTER_ADVERTISEMENT);
        assertThat(all.destination()).as("for who has no address yet").isEqualTo(ALL.value());
        guest.send(Frames.icmp6(
                ROUTERS, GuestStack.MAC, 64, GuestStack.LINK6, "ff02::2", Frames.hex("8500 0000 0000 0000")));
        assertThat(guest.await(f -> type(f) == Icmp.ROUTER_ADVERTISEMENT, 200))
                .as("from afar")
                .isNull();
    }

    @Test
    void neighboursAreAnsweredAndAskedFor() {
        start(UserNetworkSpec.DEFAULT);
        guest.send(Frames.icmp6(
                MacAddress.parse("33:33:ff:00:00:03"),
                GuestStack.MAC,
                255,
                GuestStack.SELF6,
                "ff02::1:ff00:3",
                solicitation(NAMES)));
        Frame answer = guest.expect(f -> type(f) == Icmp.NEIGHBOUR_ADVERTISEMENT);
        assertThat(answer.source()).isEqualTo(Addresses.GATEWAY_MAC.value());
        assertThat(answer.getInt(58)).as("router, solicited, override").isEqualTo(0xE000_0000);
        assertThat(IpAddress.ipv6(answer.getLong(62), answer.getLong(70))).isEqualTo(Addresses.NAME_SERVER6);
        assertThat(isRight(answer)).isTrue();
        guest.send(Frames.icmp6(
                MacAddress.parse("33:33:ff:00:00:09"),
                GuestStack.MAC,
                255,
                GuestStack.SELF6,
                "ff02::1:ff00:9",
                solicitation("fd4a:5600:2::9")));
        assertThat(guest.await(f -> type(f) == Icmp.NEIGHBOUR_ADVERTISEMENT, 200))
                .as("nobody's")
                .isNull();
    }

    @Test
    void namesAreToldByDhcp() {
        start(UserNetworkSpec.DEFAULT.nameServers(new InetSocketAddress(InetAddress.getLoopbackAddress(), 53)));
        guest.send(Frames.udp6(
                DHCP_SERVERS,
                GuestStack.MAC,
                GuestStack.LINK6,
                546,
                "ff02::1:2",
                547,
                Frames.hex("0b abcdef 0001 000a 00030001 02000000000a 0006 0002 0017")));
        Frame reply = guest.expect(f -> f.destinationPort() == 546);
        assertThat(Arrays.copyOfRange(reply.bytes(), reply.payload(), reply.length()))
                .isEqualTo(Frames.hex("07 abcdef 0002 000a 00030001 4a5600000202 0001 000a 00030001 02000000000a"
                        + "0017 0010 fd4a5600000200000000000000000003"));
    }

    @Test
    void theGatewayAnswersPings() {
        start(UserNetworkSpec.DEFAULT);
        byte[] ping = Frames.hex("8000 0000 1234 0001 6162636465666768");
        guest.send(Frames.icmp6(GuestStack.GATEWAY, GuestStack.MAC, 64, GuestStack.SELF6, GATEWAY, ping));
        Frame pong = guest.expect(f -> type(f) == Icmp.ECHO_REPLY6);
        assertThat(Arrays.copyOfRange(pong.bytes(), 58, 70)).isEqualTo(Arrays.copyOfRange(ping, 4, 16));
        assertThat(isRight(pong)).isTrue();
    }

    @Test
    void aConnectionGoesBothWays() throws Exception {
        hostSpeaksIpv6();
        start(UserNetworkSpec.DEFAULT.withHostLoopback());
        byte[] request = Frames.random(20_000);
        byte[] answer = Frames.random(1_000_000);
        try (ServerSocket server = listen()) {
            appear();
            Thread host = Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    assertThat(socket.getInputStream().readNBytes(request.length))
                            .isEqualTo(request);
                    socket.getOutputStream().write(answer);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            var connection = guest.new Connection(GATEWAY, server.getLocalPort(), 4000);
            assertThat(connection.open()).isTrue();
            connection.write(request);
            assertThat(Arrays.equals(connection.read(answer.length, 0), answer)).isTrue();
            host.join();
        }
    }

    @Test
    void datagramsGoBothWaysAlsoInFragments() throws Exception {
        hostSpeaksIpv6();
        start(UserNetworkSpec.DEFAULT.withHostLoopback());
        appear();
        try (var server = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("::1"), 0))) {
            server.setSoTimeout(60_000);
            byte[] question = Frames.random(5000);
            Frame packet = Frames.udp6(
                    GuestStack.GATEWAY,
                    GuestStack.MAC,
                    GuestStack.SELF6,
                    7000,
                    GATEWAY,
                    server.getLocalPort(),
                    question);
            Frames.fragments(packet, 1400, 5).forEach(guest::send);
            var arrived = new DatagramPacket(new byte[10_000], 10_000);
            server.receive(arrived);
            assertThat(Arrays.copyOf(arrived.getData(), arrived.getLength())).isEqualTo(question);
            byte[] answer = Frames.random(6000);
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
    void theHostIsOutOfReachUnlessAllowed() throws Exception {
        hostSpeaksIpv6();
        start(UserNetworkSpec.DEFAULT);
        appear();
        try (ServerSocket server = listen();
                ServerSocket server4 = new ServerSocket(server.getLocalPort(), 5, InetAddress.ofLiteral("127.0.0.1"))) {
            int own = 5000;
            for (String there : new String[] {
                "::1",
                "::",
                "::127.0.0.1",
                GATEWAY,
                NAMES,
                "fe80::2",
                "fe80::1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::1",
                "ff02::1",
                "fd4a:5600:2::99"
            }) {
                assertThat(guest.new Connection(there, server.getLocalPort(), own++).open())
                        .as(there)
                        .isFalse();
            }
            assertThat(mappedIsOpen(server.getLocalPort())).isFalse();
            assertThat(user.refused()).isEqualTo(12);
            for (ServerSocket each : new ServerSocket[] {server, server4}) {
                each.setSoTimeout(1);
                assertThatThrownBy(each::accept).isInstanceOf(java.net.SocketTimeoutException.class);
            }
        }
    }

    /** A connection to ::ffff:127.0.0.1, which Java's own addresses would turn into one of version 4. */
    private boolean mappedIsOpen(int port) {
        Frame syn = Frames.tcp(
                GuestStack.GATEWAY, GuestStack.MAC, GuestStack.SELF6, 5999, "2001:db8::1", port, 0, 0, 2, new byte[0]);
        syn.putLong(38, 0);
        syn.putInt(46, 0xFFFF);
        syn.putInt(50, 0x7F00_0001);
        guest.send(syn);
        Frame answer = guest.expect(f -> f.protocol() == Frame.TCP && f.destinationPort() == 5999);
        return (answer.getByte(answer.transport() + 13) & TcpFlow.RST) == 0;
    }

    @Test
    void policiesDecideForBothVersions() {
        assertThat(permits(EgressPolicy.ANY, "2606:4700::1")).isTrue();
        assertThat(permits(EgressPolicy.ANY, "::1")).isFalse();
        assertThat(permits(EgressPolicy.ANY, "fe80::1")).isFalse();
        assertThat(permits(EgressPolicy.allow(IpPrefix.parse("0.0.0.0/0")), "2606:4700::1"))
                .as("only version 4")
                .isFalse();
        EgressPolicy some = EgressPolicy.allow(IpPrefix.parse("2001:db8::/32"), IpPrefix.parse("::1"))
                .deny(IpPrefix.parse("2001:db8:9::/48"));
        assertThat(permits(some, "2001:db8::5")).isTrue();
        assertThat(permits(some, "2001:db8:9::5")).isFalse();
        assertThat(permits(some, "::1")).as("by name").isTrue();
        assertThat(some.permitsHost(InetAddress.ofLiteral("::1"))).isTrue();
        assertThat(some.permitsHost(InetAddress.ofLiteral("2001:db8::5")))
                .as("not by a prefix")
                .isFalse();
    }

    private static boolean permits(EgressPolicy policy, String address) {
        return policy.permits(InetAddress.ofLiteral(address));
    }
}
