package io.javisor.networking.uplink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.FrameBody;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Interfaces of this host, as root: a TAP interface with the host's own network stack on the other side; macvtap and packet sockets
 * on one end of a veth pair whose other end is in a network namespace of its own, with that namespace's stack.
 */
@Timeout(120)
class HostUplinkTest {
    private static final String SUFFIX = String.valueOf(ProcessHandle.current().pid() % 100_000);
    private static final String NAME = "jvtap" + SUFFIX;
    private static final MacAddress MAC = Frames.A;

    private final VirtualSwitch net = new VirtualSwitch("uplink-test");
    private final LinkedBlockingQueue<Frame> arrived = new LinkedBlockingQueue<>();
    private final Station guest = new Station() {
        @Override
        public void receive(Frame frame) {
            Frame copy = new Frame();
            copy.copyOf(frame);
            arrived.add(copy);
        }

        @Override
        public boolean takesLarge(int etherType) {
            return true;
        }

        @Override
        public boolean takesOpenChecksums() {
            return true;
        }
    };

    @BeforeEach
    void privileged() {
        assumeTrue(
                Files.isWritable(Path.of("/dev/net/tun")) && "root".equals(System.getProperty("user.name")),
                "making interfaces needs root and /dev/net/tun");
    }

    private static int tried(String command) throws IOException {
        Process process = new ProcessBuilder("sh", "-ec", command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void run(String command) throws Exception {
        Process process = new ProcessBuilder("sh", "-ec", command)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(command + ": " + said).isZero();
    }

    private Frame expect(Predicate<Frame> which) throws InterruptedException {
        while (true) {
            Frame next = arrived.poll(60, TimeUnit.SECONDS);
            assertThat(next).isNotNull();
            if (which.test(next)) {
                return next;
            }
        }
    }

    private static Frame arp(int operation, MacAddress to, String from, String whom) {
        byte[] frame = Frames.hex(
                "ffffffffffff 02000000000a 0806 0001 0800 06 04 0000 02000000000a 00000000" + "000000000000 00000000");
        frame[21] = (byte) operation;
        System.arraycopy(to.toByteArray(), 0, frame, 0, 6);
        System.arraycopy(Frames.address(from), 0, frame, 28, 4);
        System.arraycopy(operation == 1 ? new byte[6] : to.toByteArray(), 0, frame, 32, 6);
        System.arraycopy(Frames.address(whom), 0, frame, 38, 4);
        return Frame.of(frame);
    }

    /** Where somebody with an address is, by ARP. */
    private MacAddress find(SwitchPort port, String own, String whom, int vlan) throws InterruptedException {
        Frame question = arp(1, MacAddress.BROADCAST, own, whom);
        question.setVlan(vlan, 0);
        port.send(question);
        int address = java.nio.ByteBuffer.wrap(Frames.address(whom)).getInt();
        Frame answer = expect(f -> f.etherType() == Frame.ARP && f.getShort(20) == 2 && f.getInt(28) == address);
        assertThat(answer.vlan()).isEqualTo(vlan);
        return new MacAddress(answer.source());
    }

    /** Whether somebody else's network stack answers a ping. */
    private void ping(SwitchPort port, String own, String whom, int vlan) throws InterruptedException {
        MacAddress there = find(port, own, whom, vlan);
        Frame ping = Frames.ipv4(there, MAC, Frame.ICMP, own, whom, Frames.hex("0800 0000 1234 0001 61626364"));
        ping.putShort(36, Checksums.of(ping.bytes(), 34, 12));
        ping.setVlan(vlan, 0);
        port.send(ping);
        Frame pong = expect(f -> f.protocol() == Frame.ICMP && f.getByte(34) == 0);
        assertThat(pong.getInt(38)).isEqualTo(0x1234_0001);
        assertThat(pong.vlan()).isEqualTo(vlan);
    }

    @Test
    @SuppressWarnings("try") // it is there, which is enough
    void theHostIsAStation() throws Exception {
        try (var uplink = HostUplink.tap(net, NAME, 1, PortSettings.uplink())) {
            assertThat(net.ports()).containsExactly(uplink.port());
            SwitchPort port = net.connect("guest", PortSettings.guest(MAC), guest);
            run("ip addr add 198.18.77.1/24 dev " + NAME + "; ip link set " + NAME + " up");
            try (var socket = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("198.18.77.1"), 0))) {
                socket.send(new DatagramPacket(
                        "hello".getBytes(StandardCharsets.UTF_8), 5, InetAddress.ofLiteral("198.18.77.2"), 7000));
                Frame question = expect(f -> f.etherType() == Frame.ARP && f.getInt(38) == 0xC612_4D02);
                var host = new MacAddress(question.source());
                port.send(arp(2, host, "198.18.77.2", "198.18.77.1"));
                Frame hello = expect(f -> f.protocol() == Frame.UDP && f.destinationPort() == 7000);
                assertThat(new String(hello.bytes(), hello.payload(), 5, StandardCharsets.UTF_8))
                        .isEqualTo("hello");
                assertThat(received(port, host, 7000, socket)).isEqualTo("from 7000");
                assertThat(writtenFromWhereItLies(port, host, socket, 0)).isTrue();
                assertThat(writtenFromWhereItLies(port, host, socket, 100))
                        .as("more pieces than a list of the kernel's has room for")
                        .isTrue();
            }
            assertThatThrownBy(() -> HostUplink.tap(net, NAME, 1, PortSettings.uplink()))
                    .isInstanceOf(HypervisorException.class)
                    .hasMessageContaining("EBUSY");
            assertThatThrownBy(() -> HostUplink.tap(net, NAME, 2, PortSettings.uplink()))
                    .isInstanceOf(HypervisorException.class)
                    .hasMessageContaining("multi_queue");
        }
        assertThat(Path.of("/sys/class/net", NAME)).doesNotExist();
        assertThat(net.ports()).hasSize(1);
    }

    private static String received(SwitchPort port, MacAddress host, int from, DatagramSocket socket)
            throws IOException {
        byte[] text = ("from " + from).getBytes(StandardCharsets.UTF_8);
        port.send(Frames.udp(host, MAC, "198.18.77.2", from, "198.18.77.1", socket.getLocalPort(), text));
        var packet = new DatagramPacket(new byte[100], 100);
        socket.setSoTimeout(60_000);
        socket.receive(packet);
        return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
    }

    /** Sends a datagram whose content lies in memory of its own, in pieces of so many bytes; whether the host's socket gets it so. */
    private static boolean writtenFromWhereItLies(SwitchPort port, MacAddress host, DatagramSocket socket, int piece)
            throws IOException {
        byte[] text = Frames.random(1400);
        byte[] bytes = Frames.udp(host, MAC, "198.18.77.2", 7000, "198.18.77.1", socket.getLocalPort(), text)
                .toByteArray();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
            Frame frame = new Frame();
            frame.begin(
                    bytes.length,
                    new FrameBody() {
                        @Override
                        public void copy(int from, MemorySegment into, long to, int count) {
                            MemorySegment.copy(memory, from, into, to, count);
                        }

                        @Override
                        public boolean gather(int from, int count, Pieces to) {
                            int most = piece == 0 ? count : count / piece;
                            boolean taken = true;
                            for (int done = 0; taken && done < count; done += most) {
                                taken = to.add(memory, from + done, Math.min(most, count - done));
                            }
                            return taken;
                        }
                    },
                    0);
            assertThat(frame.parse()).isTrue();
            port.send(frame);
        }
        var packet = new DatagramPacket(new byte[2000], 2000);
        socket.receive(packet);
        return Arrays.equals(text, Arrays.copyOf(packet.getData(), packet.getLength()));
    }

    @Test
    void severalQueuesShareTheFlows() throws Exception {
        try (var uplink = HostUplink.tap(net, NAME, 4, PortSettings.uplink())) {
            assertThat(uplink.queues()).isEqualTo(4);
            SwitchPort port = net.connect("guest", PortSettings.guest(MAC), guest);
            run("ip addr add 198.18.77.1/24 dev " + NAME + "; ip link set " + NAME + " up");
            MacAddress host = find(port, "198.18.77.2", "198.18.77.1", 0);
            try (var socket = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("198.18.77.1"), 0))) {
                for (int i = 0; i < 64; i++) {
                    assertThat(received(port, host, 7000 + i, socket)).isEqualTo("from " + (7000 + i));
                    socket.send(new DatagramPacket(new byte[5], 5, InetAddress.ofLiteral("198.18.77.2"), 7000 + i));
                }
            }
            Set<Integer> ports = new HashSet<>();
            while (ports.size() < 64) {
                ports.add(expect(f -> f.protocol() == Frame.UDP && f.destinationPort() >= 7000)
                        .destinationPort());
            }
            try (var queues = Files.list(Path.of("/sys/class/net", NAME, "queues"))) {
                assertThat(queues.map(q -> q.getFileName().toString()))
                        .contains("rx-0", "rx-1", "rx-2", "rx-3", "tx-0", "tx-1", "tx-2", "tx-3");
            }
            assertThat(uplink.framesLost()).isZero();
        }
    }

    /** Makes a veth pair whose other end has an address in a namespace of its own, while the test runs. */
    private record Elsewhere(String near, String space) implements AutoCloseable {
        static Elsewhere open() throws Exception {
            String near = "jvnear" + SUFFIX;
            String far = "jvfar" + SUFFIX;
            String space = "jvspace" + SUFFIX;
            assumeTrue(tried("ip netns add " + space) == 0, "this machine makes no network namespaces");
            var made = new Elsewhere(near, space);
            if (tried("ip link add " + near + " type veth peer name " + far) != 0) {
                made.close();
                assumeTrue(false, "this machine makes no veth pairs");
            }
            run("ip link set " + far + " netns " + space + "; ip link set " + near + " up; ip -n " + space
                    + " addr add 198.18.78.1/24 dev " + far + "; ip -n " + space + " link set " + far + " up");
            if (tried("ip -n " + space + " link add link " + far + " name v10 type vlan id 10") == 0) {
                run("ip -n " + space + " addr add 198.18.79.1/24 dev v10; ip -n " + space + " link set v10 up");
            }
            return made;
        }

        boolean hasVlans() throws IOException {
            return tried("ip -n " + space + " link show v10") == 0;
        }

        @Override
        public void close() throws IOException {
            tried("ip netns del " + space + "; ip link del " + near);
            tried("ip link del " + near);
        }
    }

    @Test
    void aMacvtapInterfaceIsOnTheNetworkOfAnother() throws Exception {
        try (var elsewhere = Elsewhere.open()) {
            String name = "jvmv" + SUFFIX;
            assumeTrue(
                    tried("ip link add link " + elsewhere.near() + " name " + name + " type macvtap; ip link del "
                                    + name)
                            == 0,
                    "this machine makes no macvtap interfaces");
            SwitchPort port = net.connect("guest", PortSettings.guest(MAC), guest);
            var made = Macvtap.on(elsewhere.near(), name);
            try (var uplink = HostUplink.macvtap(net, made, 2, MAC, PortSettings.uplink())) {
                assertThat(HostUplink.mac(name)).isEqualTo(MAC);
                ping(port, "198.18.78.2", "198.18.78.1", 0);
                assertThat(uplink.framesLost()).isZero();
                assertThatThrownBy(() -> HostUplink.macvtap(net, made, 1, MAC, PortSettings.uplink()))
                        .isInstanceOf(HypervisorException.class)
                        .hasMessageContaining("EEXIST");
            }
            assertThat(Path.of("/sys/class/net", name)).doesNotExist();

            run("ip link add link " + elsewhere.near() + " name " + name + " type macvtap mode bridge; ip link set "
                    + name + " up");
            try (var uplink = HostUplink.macvtap(net, Macvtap.existing(name), 1, MAC, PortSettings.uplink())) {
                assertThat(HostUplink.mac(name)).as("is the guest's now").isEqualTo(MAC);
                ping(port, "198.18.78.2", "198.18.78.1", 0);
                assertThat(uplink.framesLost()).isZero();
            }
            assertThat(Path.of("/sys/class/net", name)).as("was there before").exists();
        }
    }

    @Test
    void aPacketSocketIsOnTheNetworkOfAnInterface() throws Exception {
        try (var elsewhere = Elsewhere.open();
                var uplink = HostUplink.packet(
                        net, elsewhere.near(), PortSettings.uplink().trunk(Set.of(10), 0))) {
            SwitchPort port = net.connect("guest", PortSettings.guest(MAC).trunk(Set.of(10), 0), guest);
            ping(port, "198.18.78.2", "198.18.78.1", 0);
            if (elsewhere.hasVlans()) {
                ping(port, "198.18.79.2", "198.18.79.1", 10);
            }
            assertThat(uplink.framesLost()).isZero();
        }
        assertThat(net.ports()).hasSize(1);
    }

    @Test
    void whatIsNotThereIsNamedWithARemedy() {
        assertThatThrownBy(() -> HostUplink.packet(net, "jvnone", PortSettings.uplink()))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("jvnone")
                .hasMessageContaining("ENODEV")
                .hasMessageContaining("ip link");
        assertThatThrownBy(() -> HostUplink.packet(net, "lo", PortSettings.uplink()))
                .hasMessageContaining("lo is of kind 772");
        assertThatThrownBy(() -> HostUplink.macvtap(net, Macvtap.existing("jvnone"), 1, MAC, PortSettings.uplink()))
                .hasMessageContaining("ENODEV")
                .hasMessageContaining("type macvtap mode bridge");
        assertThatThrownBy(() -> HostUplink.macvtap(net, Macvtap.on("jvnone", "jvmv"), 1, MAC, PortSettings.uplink()))
                .hasMessageContaining("make jvmv on jvnone")
                .hasMessageContaining("ENODEV");
        assertThatThrownBy(() -> HostUplink.macvtap(net, Macvtap.existing("lo"), 1, MAC, PortSettings.uplink()))
                .isInstanceOf(HypervisorException.class);
        assertThat(net.ports()).isEmpty();
    }
}
