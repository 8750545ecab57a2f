package io.javisor.networking.vswitch;

import static io.javisor.networking.frame.Frames.A;
import static io.javisor.networking.frame.Frames.B;
import static io.javisor.networking.frame.Frames.C;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.FrameBody;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.frame.Segments;
import io.javisor.networking.vswitch.AccessRule.Action;
import io.javisor.networking.vswitch.AccessRule.Direction;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Each feature of the switch, alone. */
class VirtualSwitchTest {
    private static final MacAddress ALL = MacAddress.BROADCAST;

    private long time;
    private final VirtualSwitch net = new VirtualSwitch("test", VirtualSwitch.AGE, () -> time);
    private final Recorder a = new Recorder();
    private final Recorder b = new Recorder();
    private final Recorder c = new Recorder();

    private SwitchPort guest(String name, MacAddress mac, Station station) {
        return net.connect(name, PortSettings.guest(mac), station);
    }

    private static Frame hello(MacAddress to, MacAddress from) {
        return Frames.plain(to, from, "hello");
    }

    @Test
    void unknownAddressesAreFloodedAndKnownOnesAreNot() {
        SwitchPort pa = guest("a", A, a);
        SwitchPort pb = guest("b", B, b);
        guest("c", C, c);
        pa.send(hello(B, A));
        assertThat(a.texts()).isEmpty();
        assertThat(b.texts()).containsExactly("hello");
        assertThat(c.texts()).containsExactly("hello");
        pb.send(hello(A, B));
        assertThat(a.texts()).containsExactly("hello");
        assertThat(c.texts()).as("A is known").isEmpty();
        pa.send(hello(ALL, A));
        assertThat(b.texts()).hasSize(1);
        assertThat(c.texts()).hasSize(1);
        pa.send(hello(A, A));
        assertThat(a.texts()).as("not back to where it came from").isEmpty();
        assertThat(net.macsLearnt()).isEqualTo(2);
        assertThat(pa.statistics().framesFromStation()).isEqualTo(3);
        assertThat(pa.statistics().framesToStation()).isEqualTo(1);
    }

    @Test
    void addressesMoveAgeAndAreLimited() {
        var quick = new VirtualSwitch("quick", Duration.ofSeconds(10), () -> time);
        SwitchPort x = quick.connect("x", PortSettings.uplink().mostMacs(3), a);
        quick.connect("y", PortSettings.uplink(), b);
        x.send(hello(ALL, A));
        b.texts();
        SwitchPort z = quick.connect("z", PortSettings.uplink(), c);
        time += 10_000_000_000L;
        z.send(hello(A, C));
        assertThat(b.texts()).as("A is known").isEmpty();
        time += 1;
        z.send(hello(A, C));
        assertThat(b.texts()).as("A is too old").hasSize(1);

        SwitchPort p = net.connect("p", PortSettings.uplink().mostMacs(3), a);
        SwitchPort q = net.connect("q", PortSettings.uplink(), b);
        for (int i = 0; i < 10; i++) {
            p.send(hello(ALL, new MacAddress(0x0200_0000_0100L + i)));
        }
        assertThat(p.macsLearnt()).isEqualTo(3);
        q.send(hello(ALL, new MacAddress(0x0200_0000_0100L)));
        assertThat(p.macsLearnt()).as("it has moved").isEqualTo(2);
        assertThat(q.macsLearnt()).isEqualTo(1);
        q.close();
        assertThat(net.macsLearnt()).isEqualTo(2);
        assertThat(net.ports()).containsExactly(p);
    }

    @Test
    void theTableIsBounded() {
        SwitchPort p = net.connect("p", PortSettings.uplink().mostMacs(1 << 20), a);
        for (int i = 0; i < 2 * MacTable.MOST; i++) {
            p.send(hello(ALL, new MacAddress(0x0200_0000_0000L + i)));
        }
        assertThat(net.macsLearnt()).isEqualTo(MacTable.MOST);
    }

    @Test
    void vlansAreApart() {
        SwitchPort ten = net.connect("a", PortSettings.guest(A).vlan(10), a);
        SwitchPort twenty = net.connect("b", PortSettings.guest(B).vlan(20), b);
        SwitchPort trunk = net.connect("c", PortSettings.uplink().trunk(Set.of(10, 20), 99), c);
        ten.send(hello(ALL, A));
        assertThat(b.texts()).isEmpty();
        assertThat(c.texts()).containsExactly("10:hello");
        twenty.send(hello(ALL, B));
        assertThat(c.texts()).containsExactly("20:hello");
        Frame tagged = hello(A, C);
        tagged.setVlan(10, 0);
        trunk.send(tagged);
        assertThat(a.texts()).as("without the tag").containsExactly("hello");
        Frame foreign = hello(A, C);
        foreign.setVlan(11, 0);
        trunk.send(foreign);
        Frame hopping = hello(ALL, A);
        hopping.setVlan(20, 0);
        ten.send(hopping);
        assertThat(b.texts()).isEmpty();
        assertThat(ten.statistics().dropped()).containsEntry(Drop.VLAN, 1L);
        assertThat(trunk.statistics().dropped()).containsEntry(Drop.VLAN, 1L);
        Frame stacked = Frame.of(Frames.hex("ffffffffffff 02000000000a 8100 0000 8100 0014 88b5"
                + "0000000000000000000000000000000000000000000000000000000000000000"));
        ten.send(stacked);
        assertThat(ten.statistics().dropped()).as("a tag behind a tag").containsEntry(Drop.VLAN, 2L);
    }

    @Test
    void isolatedPortsReachUplinksOnly() {
        SwitchPort pa = net.connect("a", PortSettings.guest(A).isolated(true), a);
        net.connect("b", PortSettings.guest(B).isolated(true), b);
        SwitchPort up = net.connect("c", PortSettings.uplink(), c);
        pa.send(hello(ALL, A));
        assertThat(b.texts()).isEmpty();
        assertThat(c.texts()).hasSize(1);
        up.send(hello(ALL, C));
        assertThat(a.texts()).hasSize(1);
        assertThat(b.texts()).hasSize(1);
    }

    @Test
    void accessListsDecideAndCount() {
        AccessRule metered = AccessRule.of(Direction.OUT, Action.METER).remote("10.0.0.0/24");
        SwitchPort pa = net.connect(
                "a",
                PortSettings.guest(A)
                        .accessList(
                                metered,
                                AccessRule.of(Direction.OUT, Action.ALLOW)
                                        .remote("10.0.0.2")
                                        .ports(Frame.UDP, 0, 53),
                                AccessRule.of(Direction.OUT, Action.DENY).remote("10.0.0.0/8"),
                                AccessRule.of(Direction.IN, Action.DENY).remoteMac(C)),
                a);
        SwitchPort pb = guest("b", B, b);
        SwitchPort pc = guest("c", C, c);
        Frame dns = Frames.udp(B, A, "10.0.0.1", 5000, "10.0.0.2", 53, new byte[10]);
        pa.send(dns);
        pa.send(Frames.udp(B, A, "10.0.0.1", 5000, "10.0.0.2", 54, new byte[10]));
        pa.send(Frames.udp(B, A, "10.0.0.1", 5000, "10.0.0.3", 53, new byte[10]));
        pa.send(Frames.udp(B, A, "10.0.0.1", 5000, "11.0.0.2", 54, new byte[10]));
        assertThat(b.frames).hasSize(2);
        assertThat(pa.statistics().dropped()).containsEntry(Drop.ACCESS_LIST, 2L);
        assertThat(pa.statistics().metered()).containsEntry(metered, 3L * dns.length());
        pc.send(hello(A, C));
        pb.send(hello(A, B));
        assertThat(a.texts()).hasSize(1);
    }

    @Test
    void guardsHold() {
        SwitchPort pa = guest("a", A, a);
        guest("b", B, b);
        pa.send(hello(B, C));
        assertThat(pa.statistics().dropped()).containsEntry(Drop.MAC_SPOOFED, 1L);
        // ARP that speaks of another's MAC address
        pa.send(Frame.of(Frames.hex("ffffffffffff 02000000000a 0806 0001 0800 06 04 0002 02000000000c 0a000001"
                + "02000000000b 0a000002")));
        assertThat(pa.statistics().dropped()).containsEntry(Drop.MAC_SPOOFED, 2L);
        pa.send(Frames.udp(B, A, "10.0.0.1", 67, "255.255.255.255", 68, new byte[300]));
        assertThat(pa.statistics().dropped()).containsEntry(Drop.DHCP_GUARD, 1L);
        String advertisement = "333300000001 02000000000a 86dd 60000000 0010 3a ff fe800000000000000000000000000001"
                + "ff020000000000000000000000000001 8600000040000708 0000000000000000";
        pa.send(Frame.of(Frames.hex(advertisement)));
        assertThat(pa.statistics().dropped()).containsEntry(Drop.ROUTER_GUARD, 1L);
        // the same in a fragment, where it can't be seen
        pa.send(Frame.of(
                Frames.hex("333300000001 02000000000a 86dd 60000000 0018 2c ff fe800000000000000000000000000001"
                        + "ff020000000000000000000000000001 3a00000100000001 8600000040000708 0000000000000000")));
        assertThat(pa.statistics().dropped()).containsEntry(Drop.ROUTER_GUARD, 2L);
        assertThat(b.frames).isEmpty();
        pa.change(PortSettings.guest(A).guards(true, false, false));
        pa.send(Frame.of(Frames.hex(advertisement)));
        pa.send(hello(B, C));
        assertThat(b.frames).hasSize(2);
    }

    @Test
    void aGuestSpeaksForItsOwnAddressesOnly() {
        InetAddress own = InetAddress.ofLiteral("10.0.0.1");
        InetAddress own6 = InetAddress.ofLiteral("fe80::1");
        SwitchPort pa = net.connect("a", PortSettings.guest(A).addresses(own, own6), a);
        guest("b", B, b);
        String arp = "ffffffffffff 02000000000a 0806 0001 0800 06 04 0002 02000000000a %s 02000000000b 0a000002";
        pa.send(Frame.of(Frames.hex(arp.formatted("0a000001"))));
        pa.send(Frame.of(Frames.hex(arp.formatted("00000000")))); // is an address free?
        assertThat(b.frames).hasSize(2);
        pa.send(Frame.of(Frames.hex(arp.formatted("0a000002"))));
        pa.send(Frames.udp(B, A, "10.0.0.9", 1, "10.0.0.2", 2, new byte[4]));
        String advertisement = "333300000001 02000000000a 86dd 60000000 0018 3a ff fe80000000000000000000000000000%s"
                + "ff020000000000000000000000000001 8800000020000000 fe80000000000000000000000000000%s";
        pa.send(Frame.of(Frames.hex(advertisement.formatted("1", "9"))));
        pa.send(Frame.of(Frames.hex(advertisement.formatted("9", "1"))));
        assertThat(b.frames).hasSize(2);
        assertThat(pa.statistics().dropped()).containsEntry(Drop.ADDRESS_SPOOFED, 4L);
        pa.send(Frame.of(Frames.hex(advertisement.formatted("1", "1"))));
        pa.send(Frames.udp(B, A, "0.0.0.0", 68, "255.255.255.255", 67, new byte[300]));
        assertThat(b.frames).hasSize(4);
    }

    @Test
    void theMirrorSeesWhatTheReceiverSees() {
        SwitchPort pa = net.connect("a", PortSettings.guest(A).mirror(PortSettings.Mirror.SOURCE), a);
        SwitchPort pb = net.connect("b", PortSettings.guest(B), b);
        net.connect("c", PortSettings.uplink().mirror(PortSettings.Mirror.DESTINATION), c);
        pb.send(hello(A, B));
        b.texts();
        c.texts();
        byte[] bytes = Frames.plain(B, A, "x".repeat(1400)).toByteArray();
        Frame frame = new Frame();
        frame.begin(
                bytes.length,
                new FrameBody() {
                    @Override
                    public void copy(int from, MemorySegment into, long to, int count) {
                        MemorySegment.copy(MemorySegment.ofArray(bytes), from, into, to, count);
                        bytes[1000]++; // a guest that shows everybody something else
                    }

                    @Override
                    public boolean gather(int from, int count, Pieces to) {
                        return false;
                    }
                },
                0);
        assertThat(frame.parse()).isTrue();
        pa.send(frame);
        assertThat(b.frames).hasSize(1);
        assertThat(c.frames).hasSize(1);
        assertThat(c.frames.getFirst().toByteArray())
                .isEqualTo(b.frames.getFirst().toByteArray());
    }

    @Test
    void mirrorsSeeBothDirectionsOnce() {
        SwitchPort pa = net.connect("a", PortSettings.guest(A).vlan(7).mirror(PortSettings.Mirror.SOURCE), a);
        SwitchPort pb = net.connect("b", PortSettings.guest(B).vlan(7).mirror(PortSettings.Mirror.SOURCE), b);
        SwitchPort mirror = net.connect("c", PortSettings.uplink().mirror(PortSettings.Mirror.DESTINATION), c);
        pa.send(Frames.plain(ALL, A, "to all"));
        pb.send(Frames.plain(A, B, "to a"));
        assertThat(c.texts()).containsExactly("7:to all", "7:to a");
        mirror.send(hello(ALL, C));
        assertThat(a.texts()).doesNotContain("hello");
    }

    @Test
    void stormsAreLimited() {
        SwitchPort pa = net.connect("a", PortSettings.guest(A).stormLimit(100), a);
        SwitchPort pb = guest("b", B, b);
        pb.send(hello(A, B));
        for (int i = 0; i < 10_000; i++) {
            pa.send(hello(ALL, A));
        }
        assertThat(b.texts()).as("a tenth of a second's worth at once").hasSize(10);
        time += 1_000_000_000L / 2;
        for (int i = 0; i < 10_000; i++) {
            pa.send(hello(ALL, A));
        }
        assertThat(b.texts()).hasSize(10);
        assertThat(pa.statistics().dropped()).containsEntry(Drop.STORM, 20_000L - 20);
        for (int i = 0; i < 1000; i++) {
            pa.send(hello(B, A));
        }
        assertThat(b.texts()).as("B is known").hasSize(1000);
    }

    @Test
    void whoSendsMoreThanItsMaximumWaits() {
        SwitchPort pa = net.connect("a", PortSettings.guest(A).bandwidth(8_000_000, 1), a); // 1 MB/s
        long wait = 0;
        for (int i = 0; i < 10_000; i++) {
            wait = pa.send(Frames.plain(B, A, "x".repeat(986)));
        }
        assertThat(wait).as("10 MB less the burst").isEqualTo(10_000_000_000L - (128 << 10) * 1000L);
        time += wait;
        assertThat(pa.send(Frames.plain(B, A, "x".repeat(986)))).isEqualTo(1_000_000L);
    }

    @Test
    void sharesAreKeptAndLent() {
        net.setCapacity(80_000_000); // 10 MB/s
        SwitchPort heavy = net.connect("a", PortSettings.guest(A).bandwidth(0, 80), a);
        SwitchPort light = net.connect("b", PortSettings.guest(B).bandwidth(0, 20), b);
        long greedy = 0;
        for (int i = 0; i < 20_000; i++) {
            greedy = light.send(Frames.plain(C, B, "x".repeat(986)));
        }
        assertThat(greedy).as("20 MB at 10 MB/s of all, less the burst").isEqualTo(2_000_000_000L - (128 << 10) * 100L);
        assertThat(heavy.send(Frames.plain(C, A, "x".repeat(986))))
                .as("its share is there")
                .isZero();
        time += 3_000_000_000L;
        assertThat(light.send(Frames.plain(C, B, "x".repeat(986))))
                .as("what others leave")
                .isNotPositive();
    }

    @Test
    void largeFramesAreCutForThoseWhoCantTakeThem() {
        var offloading = new Recorder(true);
        SwitchPort pa = guest("a", A, a);
        guest("b", B, b);
        guest("c", C, offloading);
        byte[] content = Frames.random(8000);
        Frame large = new Frame();
        large.copyOf(Frames.tcp(ALL, A, "10.0.0.1", 1, "10.0.0.2", 2, 0, 0, 0x10, content));
        large.setMss(1000);
        Segments.setLengths(large);
        pa.send(large);
        assertThat(offloading.frames).hasSize(1);
        assertThat(offloading.frames.getFirst().mss()).isEqualTo(1000);
        assertThat(b.frames).hasSize(8);
        b.frames.forEach(
                f -> assertThat(!f.openChecksum() && Checksums.isRight(f)).isTrue());
    }

    @Test
    void extensionsTakePart() {
        SwitchPort pa = guest("a", A, a);
        SwitchPort pb = guest("b", B, b);
        guest("c", C, c);
        var seen = new ArrayList<String>();
        net.add(new Extensions.Capture() {
            @Override
            public void entered(Frame frame, SwitchPort from) {
                seen.add("in " + from.name());
            }

            @Override
            public void leaving(Frame frame, SwitchPort to) {
                seen.add("out " + to.name());
            }
        });
        var filter = new Extensions.Filter() {
            @Override
            public boolean passesIn(Frame frame, SwitchPort from) {
                return from != pb;
            }

            @Override
            public boolean passesOut(Frame frame, SwitchPort from, SwitchPort to) {
                return to != pb;
            }
        };
        net.add(filter);
        pa.send(hello(ALL, A));
        pb.send(hello(ALL, B));
        assertThat(seen).containsExactly("in a", "out c", "in b");
        assertThat(pb.statistics().dropped()).containsEntry(Drop.EXTENSION, 2L);
        net.remove(filter);
        net.setForwarding((frame, from, vlan, out) -> {
            out.to(pb);
            return true;
        });
        c.texts();
        pa.send(hello(C, A));
        assertThat(b.texts()).containsExactly("hello");
        assertThat(c.texts()).isEmpty();
        net.setForwarding(null);
        assertThat(net.ports()).hasSize(3);
    }

    @Test
    void forwardingAllocatesNothing() throws ReflectiveOperationException {
        Station nobody = frame -> {};
        SwitchPort pa = guest("a", A, nobody);
        SwitchPort pb = guest("b", B, nobody);
        pb.send(hello(A, B));
        Frame frame = Frames.udp(B, A, "10.0.0.1", 1, "10.0.0.2", 2, new byte[100]);
        // By name, since the module under test has no need to read jdk.management.
        Method allocated = Class.forName("com.sun.management.ThreadMXBean").getMethod("getCurrentThreadAllocatedBytes");
        Object threads = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 20 && least >= 20_000; round++) {
            long before = (long) allocated.invoke(threads);
            for (int i = 0; i < 20_000; i++) {
                pa.send(frame);
            }
            least = Math.min(least, (long) allocated.invoke(threads) - before);
        }
        assertThat(least).as("bytes for 20,000 frames").isLessThan(20_000);
    }

    @Test
    void prefixesAreReadAndMatch() {
        assertThat(IpPrefix.parse("10.1.2.3/8")).hasToString("10.0.0.0/8");
        assertThat(IpPrefix.parse("fd00::1").bits()).isEqualTo(128);
        assertThat(IpPrefix.parse("10.0.0.0/8").contains(InetAddress.ofLiteral("10.255.0.1")))
                .isTrue();
        assertThat(IpPrefix.parse("10.0.0.0/8").contains(InetAddress.ofLiteral("11.0.0.1")))
                .isFalse();
        for (String nonsense : List.of("", "host", "10.0.0.0/33", "10.0.0.0/x", "::/129", "1.2.3.4.5")) {
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> IpPrefix.parse(nonsense))
                    .as(nonsense)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
