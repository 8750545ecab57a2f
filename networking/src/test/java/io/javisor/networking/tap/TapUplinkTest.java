package io.javisor.networking.tap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.HypervisorException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A TAP interface of this host, with its own network stack on the other side; as root. */
@Timeout(120)
class TapUplinkTest {
    private static final String NAME = "jvtest" + ProcessHandle.current().pid() % 100_000;
    private static final MacAddress MAC = Frames.A;

    private final VirtualSwitch net = new VirtualSwitch("tap-test");
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
        org.junit.jupiter.api.Assumptions.assumeTrue(
                Files.isWritable(Path.of("/dev/net/tun")) && "root".equals(System.getProperty("user.name")),
                "making a TAP interface needs root");
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private Frame expect(java.util.function.Predicate<Frame> which) throws InterruptedException {
        while (true) {
            Frame next = arrived.poll(60, TimeUnit.SECONDS);
            assertThat(next).isNotNull();
            if (which.test(next)) {
                return next;
            }
        }
    }

    @Test
    @SuppressWarnings("try") // it is there, which is enough
    void theHostIsAStation() throws Exception {
        try (var uplink = new TapUplink(net, NAME, PortSettings.uplink())) {
            assertThat(net.ports()).containsExactly(uplink.port());
            SwitchPort port = net.connect("guest", PortSettings.guest(MAC), guest);
            run("ip", "addr", "add", "198.18.77.1/24", "dev", NAME);
            run("ip", "link", "set", NAME, "up");
            try (var socket = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("198.18.77.1"), 0))) {
                socket.send(new DatagramPacket(
                        "hello".getBytes(StandardCharsets.UTF_8), 5, InetAddress.ofLiteral("198.18.77.2"), 7000));
                Frame question = expect(f -> f.etherType() == Frame.ARP && f.getInt(38) == 0xC612_4D02);
                Frame answer =
                        Frame.of(Frames.hex("000000000000 02000000000a 0806 0001 0800 06 04 0002 02000000000a c6124d02"
                                + "000000000000 c6124d01"));
                answer.putMac(0, question.source());
                answer.putMac(32, question.source());
                port.send(answer);
                Frame hello = expect(f -> f.protocol() == Frame.UDP && f.destinationPort() == 7000);
                assertThat(new String(hello.bytes(), hello.payload(), 5, StandardCharsets.UTF_8))
                        .isEqualTo("hello");
                port.send(Frames.udp(
                        new MacAddress(question.source()),
                        MAC,
                        "198.18.77.2",
                        7000,
                        "198.18.77.1",
                        socket.getLocalPort(),
                        "and back".getBytes(StandardCharsets.UTF_8)));
                var packet = new DatagramPacket(new byte[100], 100);
                socket.setSoTimeout(60_000);
                socket.receive(packet);
                assertThat(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8))
                        .isEqualTo("and back");
            }
            assertThatThrownBy(() -> new TapUplink(net, NAME, PortSettings.uplink()))
                    .isInstanceOf(HypervisorException.class)
                    .hasMessageContaining("EBUSY");
        }
        assertThat(Path.of("/sys/class/net", NAME)).doesNotExist();
        assertThat(net.ports()).hasSize(1);
    }
}
