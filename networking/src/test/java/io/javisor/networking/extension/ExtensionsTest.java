package io.javisor.networking.extension;

import static io.javisor.networking.frame.Frames.A;
import static io.javisor.networking.frame.Frames.B;
import static io.javisor.networking.frame.Frames.C;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Recorder;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One useful extension of each kind. */
class ExtensionsTest {
    private final VirtualSwitch net = new VirtualSwitch("net");
    private final Recorder a = new Recorder();
    private final Recorder b = new Recorder();
    private final Recorder c = new Recorder();
    private final SwitchPort pa = net.connect("a", PortSettings.uplink(), a);
    private final SwitchPort pb = net.connect("b", PortSettings.uplink(), b);
    private long time;

    @TempDir
    Path folder;

    @Test
    void captureIsPcapng() throws Exception {
        Path file = folder.resolve("net.pcapng");
        byte[] sent;
        try (var capture = new PcapngCapture(file)) {
            net.add(capture);
            Frame frame = Frames.udp(B, A, "10.0.0.1", 1, "10.0.0.2", 2, Frames.random(101));
            sent = frame.toByteArray();
            pa.send(frame);
            net.remove(capture);
            pa.send(frame);
            assertThat(capture.framesLost()).isZero();
        }
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        var types = new ArrayList<Integer>();
        var directions = new ArrayList<Integer>();
        for (int at = 0; at < all.capacity(); ) {
            int length = all.getInt(at + 4);
            assertThat(length % 4).isZero();
            assertThat(all.getInt(at + length - 4)).as("the length again").isEqualTo(length);
            types.add(all.getInt(at));
            if (all.getInt(at) == 6) {
                assertThat(all.getInt(at + 20)).isEqualTo(sent.length);
                byte[] kept = new byte[sent.length];
                all.get(at + 28, kept);
                assertThat(kept).isEqualTo(sent);
                directions.add(all.getInt(at + length - 12));
            }
            at += length;
        }
        assertThat(types).containsExactly(0x0A0D0D0A, 1, 6, 1, 6);
        assertThat(directions).containsExactly(1, 2);
    }

    @Test
    void tagsAreInTheCapture() throws Exception {
        Path file = folder.resolve("tags.pcapng");
        pa.change(PortSettings.uplink().trunk(java.util.Set.of(5), 0));
        try (var capture = new PcapngCapture(file, 20)) {
            net.add(capture);
            Frame frame = Frames.plain(B, A, "hello");
            frame.setVlan(5, 2);
            pa.send(frame);
        }
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int packet = 28 + all.getInt(28 + 4);
        assertThat(all.getInt(packet + 20)).as("cut").isEqualTo(20);
        assertThat(all.getInt(packet + 24)).isEqualTo(64);
        byte[] kept = new byte[20];
        all.get(packet + 28, kept);
        assertThat(kept).endsWith(Frames.hex("8100 4005 88b5 6865"));
    }

    private Frame tcp(boolean fromInside, int insidePort, int flags) {
        return fromInside
                ? Frames.tcp(B, A, "10.0.0.1", insidePort, "10.0.0.2", 80, 0, 0, flags, new byte[0])
                : Frames.tcp(A, B, "10.0.0.2", 80, "10.0.0.1", insidePort, 0, 0, flags, new byte[0]);
    }

    @Test
    void theFirewallKnowsConnections() {
        var firewall = new StatefulFirewall(() -> time).protect(pa).open(pa, Frame.TCP, 22);
        net.add(firewall);
        pb.send(tcp(false, 1000, 0x02));
        pb.send(tcp(false, 1000, 0x10));
        pb.send(Frames.udp(A, B, "10.0.0.2", 53, "10.0.0.1", 1000, new byte[9]));
        pb.send(Frames.plain(A, B, "what is this"));
        assertThat(a.frames).as("nobody asked").isEmpty();
        pa.send(tcp(true, 1000, 0x02));
        pb.send(tcp(false, 1000, 0x12));
        pb.send(tcp(false, 1001, 0x12));
        assertThat(a.frames).hasSize(1);
        pa.send(tcp(true, 1000, 0x10));
        time += 3_600_000_000_000L;
        pb.send(tcp(false, 1000, 0x10));
        assertThat(a.frames).as("it is open").hasSize(2);
        pa.send(tcp(true, 1000, 0x11));
        time += 121_000_000_000L;
        pb.send(tcp(false, 1000, 0x10));
        assertThat(a.frames).as("it has ended").hasSize(2);
        pa.send(tcp(true, 1002, 0x10));
        pb.send(tcp(false, 1002, 0x10));
        assertThat(a.frames).as("it never began").hasSize(2);

        pb.send(Frames.tcp(A, B, "10.0.0.2", 5000, "10.0.0.1", 22, 0, 0, 0x02, new byte[0]));
        pb.send(Frames.tcp(A, B, "10.0.0.2", 5000, "10.0.0.1", 22, 0, 0, 0x10, new byte[0]));
        pb.send(Frames.tcp(A, B, "10.0.0.2", 5000, "10.0.0.1", 23, 0, 0, 0x02, new byte[0]));
        assertThat(a.frames).as("the service").hasSize(4);
    }

    @Test
    void theFirewallLetsErrorsOfKnownConnectionsPass() {
        net.add(new StatefulFirewall(() -> time).protect(pa));
        Frame question = Frames.udp(B, A, "10.0.0.1", 1000, "10.0.0.2", 53, new byte[9]);
        byte[] error = new byte[8 + 28];
        error[0] = 3;
        System.arraycopy(question.bytes(), 14, error, 8, 28);
        Frame unreachable = Frames.ipv4(A, B, Frame.ICMP, "10.0.0.9", "10.0.0.1", error);
        pb.send(unreachable);
        assertThat(a.frames).isEmpty();
        pa.send(question);
        pb.send(unreachable);
        pb.send(Frames.udp(A, B, "10.0.0.2", 53, "10.0.0.1", 1000, new byte[9]));
        assertThat(a.frames).hasSize(2);
        pa.send(Frames.ipv4(B, A, Frame.ICMP, "10.0.0.1", "10.0.0.2", Frames.hex("0800000012340001")));
        pb.send(Frames.ipv4(A, B, Frame.ICMP, "10.0.0.2", "10.0.0.1", Frames.hex("0000000012340001")));
        pb.send(Frames.ipv4(A, B, Frame.ICMP, "10.0.0.2", "10.0.0.1", Frames.hex("0000000012350001")));
        assertThat(a.frames).hasSize(3);
    }

    @Test
    void theFirewallIsBounded() {
        net.add(new StatefulFirewall(() -> time).protect(pa));
        for (int i = 0; i < 3 * StatefulFirewall.MOST_FLOWS; i++) {
            time++;
            pa.send(Frames.udp(B, A, "10.0." + i / 60_000 + ".1", i % 60_000 + 1, "10.0.0.2", 53, new byte[0]));
        }
        int last = 3 * StatefulFirewall.MOST_FLOWS - 1;
        pb.send(Frames.udp(A, B, "10.0.0.2", 53, "10.0." + last / 60_000 + ".1", last % 60_000 + 1, new byte[0]));
        assertThat(a.frames).as("the last is known").hasSize(1);
    }

    @Test
    @Timeout(60)
    void connectionsAreSpreadAndStay() throws Exception {
        SwitchPort pc = net.connect("c", PortSettings.uplink(), c);
        var client = new Recorder();
        SwitchPort outside = net.connect("client", PortSettings.uplink(), client);
        MacAddress cluster = MacAddress.parse("02:bf:00:00:00:01");
        try (var balancer = new LoadBalancer(cluster).add(pa).add(pb).add(pc)) {
            net.setForwarding(balancer);
            var before = new HashMap<Integer, String>();
            for (int i = 0; i < 3000; i++) {
                before.put(i, whoGets(outside, cluster, i));
            }
            for (String name : List.of("a", "b", "c")) {
                assertThat(before.values()).filteredOn(name::equals).hasSizeBetween(600, 1400);
            }
            balancer.setHealthy(pb, false);
            for (int i = 0; i < 3000; i++) {
                String now = whoGets(outside, cluster, i);
                if ("b".equals(before.get(i))) {
                    assertThat(now).isIn("a", "c");
                } else {
                    assertThat(now).as("it stays").isEqualTo(before.get(i));
                }
            }
            balancer.check(Duration.ofMillis(5), port -> port == pb);
            while (!balancer.healthy().equals(List.of(pb))) {
                Thread.sleep(5);
            }
            assertThat(whoGets(outside, cluster, 7)).isEqualTo("b");
            pa.send(Frames.plain(C, A, "others are not its business"));
            assertThat(client.texts()).hasSize(1);
        }
    }

    private String whoGets(SwitchPort outside, MacAddress cluster, int flow) {
        outside.send(Frames.tcp(cluster, C, "10.1.0.1", 1000 + flow, "10.0.0.100", 80, 0, 0, 0x02, new byte[0]));
        String got =
                (a.frames.isEmpty() ? "" : "a") + (b.frames.isEmpty() ? "" : "b") + (c.frames.isEmpty() ? "" : "c");
        a.frames.clear();
        b.frames.clear();
        c.frames.clear();
        return got;
    }
}
