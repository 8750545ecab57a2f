package io.javisor.networking.vswitch;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.AccessRule.Action;
import io.javisor.networking.vswitch.AccessRule.Direction;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest that knows how guards and access lists look at packets does not get past them. */
class GuardEvasionTest {
    private static final MacAddress A = Frames.A;
    private static final MacAddress B = Frames.B;
    private static final String LINK_LOCAL = "fe80::a";
    private static final String ALL_NODES = "ff02::1";

    private final VirtualSwitch net = new VirtualSwitch("net");
    private final Recorder b = new Recorder();
    private SwitchPort from = net.connect("a", PortSettings.guest(A), new Recorder());

    GuardEvasionTest() {
        net.connect("b", PortSettings.uplink(), b);
    }

    private void settings(PortSettings settings) {
        from.change(settings);
    }

    private long dropped(Drop why) {
        return from.statistics().dropped().getOrDefault(why, 0L);
    }

    private void send(List<Frame> frames) {
        frames.forEach(from::send);
    }

    @Test
    void portsDoNotHideBehindTinyFragments() {
        settings(PortSettings.guest(A)
                .accessList(AccessRule.of(Direction.OUT, Action.DENY).ports(Frame.TCP, 0, 22)));
        Frame syn = Frames.tcp(B, A, "10.0.0.1", 999, "10.0.0.2", 22, 1, 0, 2, new byte[0]);
        // With 8 bytes the ports are there, and the flags are in the next fragment.
        send(Frames.fragments(syn, 8, 1));
        assertThat(dropped(Drop.MALFORMED)).isEqualTo(1);
        assertThat(b.frames).as("the rest is no use without the first").hasSize(2);
        Frame other = Frames.tcp(B, A, "10.0.0.1", 999, "10.0.0.2", 80, 1, 0, 2, new byte[8]);
        send(Frames.fragments(other, 24, 2));
        assertThat(b.frames).as("fragments as everybody makes them pass").hasSize(4);
    }

    @Test
    void aDhcpServerDoesNotHideBehindTinyFragments() {
        // A header of options, which says that it goes on beyond this fragment; UDP from port 547 follows in the next.
        ByteBuffer options = ByteBuffer.allocate(16 + 8 + 4);
        options.put((byte) Frame.UDP).put((byte) 1).put((byte) 1).put((byte) 12);
        options.position(16);
        options.putShort((short) 547).putShort((short) 546).putShort((short) 12).putShort((short) 0);
        Frame whole = Frames.ipv6(B, A, 60, 64, LINK_LOCAL, "fe80::b", options.array());
        from.send(whole);
        assertThat(dropped(Drop.DHCP_GUARD)).isEqualTo(1);
        List<Frame> pieces = Frames.fragments(whole, 8, 3);
        from.send(pieces.getFirst());
        assertThat(dropped(Drop.MALFORMED)).isEqualTo(1);
        assertThat(b.frames).isEmpty();
    }

    @Test
    void headersThatNobodyReadsFitWhatDenies() {
        ByteBuffer headers = ByteBuffer.allocate(10 * 8 + 8);
        for (int i = 0; i < 10; i++) {
            headers.put((byte) (i == 9 ? Frame.UDP : 60))
                    .put((byte) 0)
                    .put((byte) 1)
                    .put((byte) 4)
                    .putInt(0);
        }
        headers.putShort((short) 1000).putShort((short) 53).putShort((short) 8).putShort((short) 0);
        Frame deep = Frames.ipv6(B, A, 60, 64, "2001:db8::1", "2001:db8::2", headers.array());
        PortSettings open = PortSettings.guest(A).guards(false, false, false);
        settings(open.accessList(AccessRule.of(Direction.OUT, Action.DENY).ports(Frame.UDP, 0, 53)));
        from.send(deep);
        assertThat(dropped(Drop.ACCESS_LIST)).isEqualTo(1);
        settings(open.accessList(
                AccessRule.of(Direction.OUT, Action.ALLOW).remote("2001:db8::2").protocol(Frame.UDP),
                AccessRule.of(Direction.OUT, Action.DENY).remote("::/0")));
        from.send(deep);
        assertThat(dropped(Drop.ACCESS_LIST)).isEqualTo(2);
        settings(open.accessList(AccessRule.of(Direction.OUT, Action.DENY).remote("10.0.0.0/8")));
        from.send(deep);
        assertThat(b.frames).as("a rule about the other version of IP").hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // Router solicitation; neighbour solicitation; neighbour advertisement.
                "85 00 0000 00000000 01 01 02000000000b",
                "87 00 0000 00000000 fe80000000000000000000000000000b 01 01 02000000000b",
                "88 00 0000 20000000 fe80000000000000000000000000000a 02 01 02000000000b",
                // In the second option; in the second, behind one without length.
                "88 00 0000 20000000 fe80000000000000000000000000000a 0e 01 000000000000 02 01 02000000000b",
                "88 00 0000 20000000 fe80000000000000000000000000000a 0e 00 000000000000 02 01 02000000000a"
            })
    void neighboursAreToldNoOthersAddress(String message) {
        from.send(Frames.icmp6(B, A, 255, LINK_LOCAL, ALL_NODES, Frames.hex(message)));
        assertThat(dropped(Drop.MAC_SPOOFED)).isEqualTo(1);
        assertThat(b.frames).isEmpty();
        String own = message.replace("02000000000b", "02000000000a").replace("0e 00", "0e 01");
        from.send(Frames.icmp6(B, A, 255, LINK_LOCAL, ALL_NODES, Frames.hex(own)));
        assertThat(b.frames).hasSize(1);
    }
}
