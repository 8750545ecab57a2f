package io.javisor.networking.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.IpPrefix;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The user-mode network behind a switch, seen by a guest's packets, with real sockets of this host on the other side. */
@Timeout(180)
class UserNetworkTest extends OnUserNetwork {
    private static ServerSocket listen() throws IOException {
        return new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    }

    private static int option(Frame answer, int code) {
        for (int at = answer.payload() + 240; answer.getByte(at) != 255; at += 2 + answer.getByte(at + 1)) {
            if (answer.getByte(at) == code) {
                return answer.getByte(at + 1) == 4 ? answer.getInt(at + 2) : answer.getByte(at + 2);
            }
        }
        return -1;
    }

    @Test
    void addressesAreLeased() {
        start(UserNetworkSpec.DEFAULT);
        guest.send(GuestStack.dhcp(1));
        Frame offer = guest.expect(f -> f.destinationPort() == 68);
        assertThat(option(offer, 53)).isEqualTo(2);
        assertThat(offer.getInt(offer.payload() + 16)).isEqualTo(0x0A00_020F);
        guest.send(GuestStack.dhcp(3, (byte) 50, (byte) 4, (byte) 10, (byte) 0, (byte) 2, (byte) 15));
        Frame ack = guest.expect(f -> f.destinationPort() == 68);
        assertThat(option(ack, 53)).isEqualTo(5);
        assertThat(option(ack, 3)).as("router").isEqualTo(0x0A00_0202);
        assertThat(option(ack, 6)).as("name server").isEqualTo(0x0A00_0203);
        guest.send(GuestStack.dhcp(3, (byte) 50, (byte) 4, (byte) 10, (byte) 0, (byte) 2, (byte) 99));
        assertThat(option(guest.expect(f -> f.destinationPort() == 68), 53))
                .as("not that one")
                .isEqualTo(6);
    }

    @Test
    void theGatewayAnswers() {
        start(UserNetworkSpec.DEFAULT);
        guest.send(Frame.of(Frames.hex("ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a 0a00020f"
                + "000000000000 0a000202")));
        Frame arp = guest.expect(f -> f.etherType() == Frame.ARP);
        assertThat(arp.getShort(20)).isEqualTo(2);
        assertThat(arp.source()).isEqualTo(Addresses.GATEWAY_MAC.value());
        byte[] ping = Frames.hex("0800 0000 1234 0001 6162636465666768");
        guest.send(Frames.ipv4(GuestStack.GATEWAY, GuestStack.MAC, Frame.ICMP, GuestStack.SELF, "10.0.2.2", ping));
        Frame pong = guest.expect(f -> f.protocol() == Frame.ICMP);
        assertThat(pong.getByte(34)).isZero();
        assertThat(Arrays.copyOfRange(pong.bytes(), 38, 50)).isEqualTo(Arrays.copyOfRange(ping, 4, 16));
        assertThat(io.javisor.networking.frame.Checksums.of(pong.bytes(), 34, 16))
                .isZero();
    }

    @Test
    void aConnectionGoesBothWaysAndEnds() throws Exception {
        start(UserNetworkSpec.DEFAULT.withHostLoopback());
        byte[] request = Frames.random(100_000);
        byte[] answer = Frames.random(3_000_000);
        try (ServerSocket server = listen()) {
            Thread host = Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    assertThat(socket.getInputStream().readNBytes(request.length))
                            .isEqualTo(request);
                    socket.getOutputStream().write(answer);
                    socket.shutdownOutput();
                    assertThat(socket.getInputStream().read())
                            .as("the guest closes")
                            .isEqualTo(-1);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            var connection = guest.new Connection("10.0.2.2", server.getLocalPort(), 4000);
            assertThat(connection.open()).isTrue();
            connection.write(request);
            byte[] got = connection.read(Integer.MAX_VALUE, 0);
            assertThat(Arrays.equals(got, answer)).isTrue();
            connection.emit(TcpFlow.FIN | TcpFlow.ACK, new byte[0]);
            host.join();
            guest.expect(f -> connection.mine(f) && f.getInt(f.transport() + 8) == connection.next);
        }
    }

    @Test
    void whatIsLostIsSentAgain() throws Exception {
        start(UserNetworkSpec.DEFAULT.withHostLoopback());
        byte[] answer = Frames.random(300_000);
        try (ServerSocket server = listen()) {
            Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    socket.getOutputStream().write(answer);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            var connection = guest.new Connection("10.0.2.2", server.getLocalPort(), 4001);
            assertThat(connection.open()).isTrue();
            byte[] got = connection.read(answer.length, 40);
            assertThat(Arrays.equals(got, answer)).isTrue();
        }
    }

    @Test
    void theHostIsOutOfReachUnlessAllowed() throws Exception {
        start(UserNetworkSpec.DEFAULT);
        try (ServerSocket server = listen()) {
            int port = server.getLocalPort();
            int own = 5000;
            for (String there : new String[] {
                "127.0.0.1",
                "10.0.2.2",
                "0.0.0.0",
                "127.1.2.3",
                "10.0.2.3",
                "169.254.169.254",
                "224.0.0.1",
                "255.255.255.255"
            }) {
                assertThat(guest.new Connection(there, port, own++).open())
                        .as(there)
                        .isFalse();
            }
            assertThat(user.refused()).isEqualTo(8);
            server.setSoTimeout(1);
            assertThatThrownBy(server::accept).isInstanceOf(java.net.SocketTimeoutException.class);
        }
    }

    @Test
    void policiesDecideByAddress() {
        assertThat(EgressPolicy.ANY.permits(InetAddress.ofLiteral("8.8.8.8"))).isTrue();
        assertThat(EgressPolicy.ANY.permits(InetAddress.ofLiteral("127.0.0.1"))).isFalse();
        assertThat(EgressPolicy.NONE.permits(InetAddress.ofLiteral("8.8.8.8"))).isFalse();
        var some = EgressPolicy.allow(IpPrefix.parse("10.0.0.0/8"), IpPrefix.parse("127.0.0.5"))
                .deny(IpPrefix.parse("10.9.0.0/16"));
        assertThat(some.permits(InetAddress.ofLiteral("10.1.2.3"))).isTrue();
        assertThat(some.permits(InetAddress.ofLiteral("10.9.2.3"))).isFalse();
        assertThat(some.permits(InetAddress.ofLiteral("11.1.2.3"))).isFalse();
        assertThat(some.permits(InetAddress.ofLiteral("127.0.0.5")))
                .as("by name")
                .isTrue();
        assertThat(some.permits(InetAddress.ofLiteral("127.0.0.1"))).isFalse();
        assertThat(EgressPolicy.allow(IpPrefix.parse("126.0.0.0/7")).permits(InetAddress.ofLiteral("127.0.0.1")))
                .as("not by accident")
                .isFalse();
    }

    private static int ip(String text) {
        return java.nio.ByteBuffer.wrap(Frames.address(text)).getInt();
    }

    @Test
    void partsOfPacketsAndForeignSourcesAreDropped() throws Exception {
        start(UserNetworkSpec.DEFAULT.withHostLoopback());
        try (ServerSocket server = listen()) {
            Frame syn = Frames.tcp(
                    GuestStack.GATEWAY,
                    GuestStack.MAC,
                    GuestStack.SELF,
                    1,
                    "10.0.2.2",
                    server.getLocalPort(),
                    0,
                    0,
                    2,
                    new byte[0]);
            Frame fragment = new Frame();
            fragment.copyOf(syn);
            fragment.putShort(20, 0x2000);
            fragment.parse();
            guest.send(fragment);
            guest.send(Frames.tcp(
                    GuestStack.GATEWAY,
                    GuestStack.MAC,
                    "192.168.1.1",
                    1,
                    "10.0.2.2",
                    server.getLocalPort(),
                    0,
                    0,
                    2,
                    new byte[0]));
            guest.send(Frames.tcp(
                    MacAddress.parse("02:00:00:00:00:77"),
                    GuestStack.MAC,
                    GuestStack.SELF,
                    1,
                    "10.0.2.2",
                    server.getLocalPort(),
                    0,
                    0,
                    2,
                    new byte[0]));
            guest.send(syn);
            Frame first = guest.expect(f -> f.protocol() == Frame.TCP);
            assertThat(first.destinationPort()).isEqualTo(1);
            assertThat(server.accept().isConnected()).isTrue();
            server.setSoTimeout(200);
            assertThatThrownBy(server::accept).isInstanceOf(java.net.SocketTimeoutException.class);
        }
    }

    @Test
    void namesAreAskedFor() throws Exception {
        try (var server = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            start(UserNetworkSpec.DEFAULT.nameServers((InetSocketAddress) server.getLocalSocketAddress()));
            guest.udp("10.0.2.3", 53, 7777, "question".getBytes(StandardCharsets.UTF_8));
            var packet = new DatagramPacket(new byte[100], 100);
            server.setSoTimeout(60_000);
            server.receive(packet);
            assertThat(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8))
                    .isEqualTo("question");
            server.send(new DatagramPacket("answer".getBytes(StandardCharsets.UTF_8), 6, packet.getSocketAddress()));
            Frame answer = guest.expect(f -> f.protocol() == Frame.UDP);
            assertThat(answer.getInt(26)).isEqualTo(ip("10.0.2.3"));
            assertThat(answer.sourcePort()).isEqualTo(53);
            assertThat(answer.destinationPort()).isEqualTo(7777);
            assertThat(new String(answer.bytes(), answer.payload(), 6, StandardCharsets.UTF_8))
                    .isEqualTo("answer");
        }
    }

    @Test
    void aSandboxHasNoNamesEither() {
        start(UserNetworkSpec.DEFAULT.egress(EgressPolicy.NONE));
        guest.udp("10.0.2.3", 53, 7777, "question".getBytes(StandardCharsets.UTF_8));
        Frame told = guest.expect(f -> f.protocol() == Frame.ICMP);
        assertThat(told.getShort(34)).as("port unreachable").isEqualTo(0x0303);
        guest.udp("8.8.8.8", 53, 7777, "question".getBytes(StandardCharsets.UTF_8));
        assertThat(guest.expect(f -> f.protocol() == Frame.ICMP).getShort(34))
                .as("prohibited")
                .isEqualTo(0x030D);
    }

    @Test
    void forwardedPortsLeadIntoTheGuest() throws Exception {
        start(UserNetworkSpec.DEFAULT.forward(0, 80));
        guest.send(Frame.of(Frames.hex("ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a 0a00020f"
                + "000000000000 0a000202"))); // so that the gateway knows where it is
        InetSocketAddress at = user.forwards().getFirst();
        try (Socket socket = new Socket(at.getAddress(), at.getPort())) {
            Frame syn = guest.expect(f -> f.destinationPort() == 80);
            var connection = guest.new Connection("10.0.2.2", syn.sourcePort(), 80);
            connection.accept(syn);
            socket.getOutputStream().write("GET".getBytes(StandardCharsets.UTF_8));
            assertThat(connection.read(3, 0)).asString().isEqualTo("GET");
            connection.write("200".getBytes(StandardCharsets.UTF_8));
            assertThat(socket.getInputStream().readNBytes(3)).asString().isEqualTo("200");
            connection.emit(TcpFlow.FIN | TcpFlow.ACK, new byte[0]);
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
        assertThatThrownBy(() -> user.forward(PortForward.local(at.getPort(), 81)))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("can't listen");
    }

    @Test
    void refusedAndResetConnectionsAreTold() throws Exception {
        start(UserNetworkSpec.DEFAULT.withHostLoopback());
        int closedPort;
        try (ServerSocket server = listen()) {
            closedPort = server.getLocalPort();
        }
        assertThat(guest.new Connection("10.0.2.2", closedPort, 4100).open()).isFalse();
        try (ServerSocket server = listen()) {
            var connection = guest.new Connection("10.0.2.2", server.getLocalPort(), 4101);
            var open = new CountDownLatch(1);
            Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    socket.setSoLinger(true, 0);
                    open.await(); // a reset before the guest is connected would refuse it
                } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(connection.open()).isTrue();
            open.countDown();
            guest.expect(f -> connection.mine(f) && (f.getByte(f.transport() + 13) & TcpFlow.RST) != 0);
        }
    }

    @Test
    void nothingIsLeftWhenItCloses() throws Exception {
        start(UserNetworkSpec.DEFAULT.withHostLoopback().forward(0, 80));
        int forwarded = user.forwards().getFirst().getPort();
        try (ServerSocket server = listen()) {
            assertThat(guest.new Connection("10.0.2.2", server.getLocalPort(), 4200).open())
                    .isTrue();
            try (Socket accepted = server.accept()) {
                user.close();
                user.close();
                assertThatThrownBy(() -> accepted.getInputStream().read())
                        .as("reset")
                        .isInstanceOf(IOException.class);
            }
        }
        assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), forwarded))
                .isInstanceOf(IOException.class);
        assertThat(net.ports()).hasSize(1);
    }
}
