package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.NetworkSpec;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.junit.LabTest;
import io.javisor.networking.user.UserNetworkSpec;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Stock kernels' own driver on the adapter: addresses, names, downloads, a server in the guest, and two guests on a switch. */
@LabTest(guests = {"6.1-cloud", "6.12-cloud"})
class NetworkInGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int MEBIBYTES = 16;

    private static String sh(VirtualMachine vm, String command) {
        return vm.exec("sh", "-c", command).stdoutText().strip();
    }

    /** Answers every question for an address with 10.0.2.2, as long as the socket is open. */
    private static DatagramSocket nameServer() throws IOException {
        var socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofVirtual().start(() -> {
            var packet = new DatagramPacket(new byte[512], 512);
            try {
                while (true) {
                    packet.setLength(512);
                    socket.receive(packet);
                    int asked = packet.getLength();
                    boolean ipv4 = packet.getData()[asked - 3] == 1; // the type: A
                    ByteBuffer answer = ByteBuffer.allocate(asked + 16);
                    answer.put(packet.getData(), 0, asked);
                    answer.putShort(2, (short) 0x8180)
                            .putShort(6, (short) (ipv4 ? 1 : 0))
                            .putInt(8, 0);
                    if (ipv4) {
                        answer.putShort((short) 0xC00C)
                                .putShort((short) 1)
                                .putShort((short) 1)
                                .putInt(60);
                        answer.putShort((short) 4).putInt(0x0A00_0202);
                    }
                    socket.send(new DatagramPacket(answer.array(), answer.position(), packet.getSocketAddress()));
                }
            } catch (IOException e) {
                // closed
            }
        });
        return socket;
    }

    /** Gives everybody the same, as long as the socket is open. */
    private static ServerSocket webServer(byte[] content) throws IOException {
        var server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    try (Socket client = server.accept()) {
                        var in = new BufferedReader(
                                new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
                        for (String line = in.readLine(); line != null && !line.isEmpty(); ) {
                            line = in.readLine();
                        }
                        String head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + content.length
                                + "\r\n\r\n";
                        client.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
                        client.getOutputStream().write(content);
                    }
                }
            } catch (IOException e) {
                // closed
            }
        });
        return server;
    }

    @Test
    void aGuestIsInTheWorld() throws Exception {
        isInTheWorld("6.12-cloud");
    }

    @Test
    @Tag("long")
    void anOlderGuestIsInTheWorld() throws Exception {
        isInTheWorld("6.1-cloud");
    }

    private static void isInTheWorld(String kernel) throws Exception {
        byte[] content = new byte[MEBIBYTES << 20];
        new Random(1).nextBytes(content);
        String sum =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        try (ServerSocket web = webServer(content);
                DatagramSocket names = nameServer();
                VirtualMachine vm = VirtualMachine.builder("net")
                        .vcpus(2)
                        .network(NetworkSpec.user(UserNetworkSpec.DEFAULT
                                .withHostLoopback()
                                .nameServers((InetSocketAddress) names.getLocalSocketAddress())
                                .forward(0, 8080)))
                        .linux(l -> l.debian(kernel))
                        .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            String mac = vm.network().adapter(0).mac().toString();
            assertThat(sh(vm, "cat /sys/class/net/eth0/address")).isEqualTo(mac);
            assertThat(sh(vm, "cat /sys/class/net/eth0/carrier")).isEqualTo("1");
            assertThat(sh(vm, "readlink /sys/class/net/eth0/device/driver")).endsWith("hv_netvsc");
            assertThat(sh(vm, "ls /sys/class/net/eth0/queues")).contains("rx-0", "rx-1", "tx-0", "tx-1");
            assertThat(vm.network().adapter(0).openQueues()).isEqualTo(2);
            assertThat(sh(vm, "ip -4 addr show eth0")).contains("inet 10.0.2.15/24");
            assertThat(sh(vm, "ip route")).contains("default via 10.0.2.2");
            assertThat(sh(vm, "ping -c 2 -W 20 10.0.2.2")).contains(" 0% packet loss");

            assertThat(sh(vm, "nslookup server.test")).contains("10.0.2.3").contains("10.0.2.2");
            String url = "http://10.0.2.2:" + web.getLocalPort() + "/data";
            assertThat(sh(vm, "wget -q -O - " + url + " | sha256sum")).startsWith(sum);

            // The host's loopback has one door only.
            assertThat(vm.exec("sh", "-c", "nc -w 20 10.0.2.3 " + web.getLocalPort() + " </dev/null")
                            .exitCode())
                    .isNotZero();

            sh(vm, "mkdir -p /tmp/www; echo served by $(uname -r) > /tmp/www/index.html; httpd -p 8080 -h /tmp/www");
            InetSocketAddress door = vm.network().adapter(0).forwards().getFirst();
            try (var in = URI.create("http://127.0.0.1:" + door.getPort() + "/index.html")
                    .toURL()
                    .openStream()) {
                assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                        .startsWith("served by " + kernel.replace("-cloud", ""));
            }
            vm.network().adapter(0).setConnected(false);
            assertThat(sh(
                            vm,
                            "for i in $(seq 300); do [ $(cat /sys/class/net/eth0/carrier) = 0 ] && break; sleep 0.1; done;"
                                    + " cat /sys/class/net/eth0/carrier"))
                    .isEqualTo("0");
            assertThat(sh(vm, "dmesg | grep -c 'hv_netvsc.*\\(rror\\|nvalid\\|nknown\\|nable\\)'"))
                    .isEqualTo("0");
        }
    }

    @Test
    void twoGuestsOnASwitchMeetInTheirVlan() {
        var net = new VirtualSwitch("lab");
        try (VirtualMachine left = guest("left", "6.1-cloud", net);
                VirtualMachine right = guest("right", "6.12-cloud", net)) {
            left.start();
            right.start();
            left.await(Wait.forShell(), PATIENCE);
            right.await(Wait.forShell(), PATIENCE);
            sh(left, "ip addr add 192.168.7.1/24 dev eth0; ip link set eth0 up");
            sh(right, "ip addr add 192.168.7.2/24 dev eth0; ip link set eth0 up");
            assertThat(sh(left, "ping -c 3 -W 20 192.168.7.2")).contains(" 0% packet loss");

            sh(right, "head -c 4000000 /dev/urandom > /tmp/data");
            String sum = sh(right, "sha256sum < /tmp/data");
            sh(right, "mkdir -p /tmp/www; mv /tmp/data /tmp/www/; httpd -p 80 -h /tmp/www");
            assertThat(sh(left, "wget -q -O - http://192.168.7.2/data | sha256sum"))
                    .isEqualTo(sum);

            // In another VLAN it is not there any more.
            var port = right.network().adapter(0).port().orElseThrow();
            port.change(port.settings().vlan(20));
            assertThat(sh(left, "ping -c 2 -W 2 192.168.7.2")).contains("100% packet loss");
            port.change(port.settings().vlan(10));
            assertThat(sh(left, "ping -c 3 -W 20 192.168.7.2")).contains("bytes from 192.168.7.2");

            // Frames of 9,000 bytes, for which the driver closes its channel and opens it again.
            for (VirtualMachine vm : new VirtualMachine[] {left, right}) {
                sh(vm, "ip link set eth0 mtu 9000");
            }
            assertThat(sh(left, "ping -c 3 -s 8972 -W 20 192.168.7.2")).contains("8980 bytes from 192.168.7.2");
            assertThat(sh(left, "awk '/^Ip: [0-9]/ { print $18 }' /proc/net/snmp"))
                    .as("datagrams that were cut")
                    .isEqualTo("0");

            comesAndGoes(left, net);

            // Another's address is of no use.
            sh(left, "ip link set eth0 down; ip link set eth0 address 4a:56:00:00:00:99; ip link set eth0 up");
            assertThat(sh(left, "cat /sys/class/net/eth0/address"))
                    .as("the host keeps it")
                    .isEqualTo(left.network().adapter(0).mac().toString());
            assertThat(sh(left, "ping -c 3 -W 20 192.168.7.2")).contains("bytes from 192.168.7.2");
        }
    }

    /** An adapter is added to a guest that runs, and taken away from it again. */
    private static void comesAndGoes(VirtualMachine vm, VirtualSwitch net) {
        var added = vm.network().add(NetworkSpec.on(net).port(p -> p.vlan(10)));
        String there = "for i in $(seq 300); do [ %s -e /sys/class/net/eth1 ] && exit; sleep 0.2; done; exit 1";
        sh(vm, there.formatted(""));
        assertThat(sh(vm, "cat /sys/class/net/eth1/address"))
                .isEqualTo(added.mac().toString());
        sh(vm, "ip addr add 192.168.7.3/24 dev eth1; ip link set eth1 up");
        assertThat(sh(vm, "arping -c 2 -w 20 -I eth1 192.168.7.2")).contains("reply from 192.168.7.2");
        assertThat(vm.network().remove(added)).isTrue();
        sh(vm, there.formatted("!"));
        assertThat(net.ports()).noneMatch(port -> port.name().endsWith("/net1"));
    }

    private static VirtualMachine guest(String name, String kernel, VirtualSwitch net) {
        return VirtualMachine.builder(name)
                .network(NetworkSpec.on(net).port(p -> p.vlan(10)).mtu(9000))
                .linux(l -> l.debian(kernel))
                .build();
    }
}
