package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.NetworkSpec;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.uplink.Macvtap;
import io.javisor.networking.user.EgressPolicy;
import io.javisor.networking.user.PortForward;
import io.javisor.networking.user.UserNetworkSpec;
import io.javisor.networking.vswitch.IpPrefix;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.networking.vswitch.VlanMode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code --net} understands. */
class NetArgumentTest {
    private static NetworkSpec spec(String text) {
        return NetArgument.parse(text).spec(VirtualSwitch::new);
    }

    private static UserNetworkSpec user(String text) {
        return ((NetworkSpec.Attachment.User) spec(text).attachment()).spec();
    }

    @Test
    void aUserModeNetwork() {
        assertThat(user("user")).isEqualTo(UserNetworkSpec.DEFAULT);
        UserNetworkSpec all =
                user("user,forward=8080:80,forward=0:22,egress=allow:10.0.0.0/8+192.0.2.1,host,dns=192.0.2.53:5353");
        assertThat(all.forwards()).containsExactly(PortForward.local(8080, 80), PortForward.local(0, 22));
        assertThat(all.egress())
                .isEqualTo(EgressPolicy.allow(IpPrefix.parse("10.0.0.0/8"), IpPrefix.parse("192.0.2.1")));
        assertThat(all.hostLoopback()).isTrue();
        assertThat(all.nameServers()).containsExactly(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.53"), 5353));
        assertThat(user("user,egress=deny").egress()).isEqualTo(EgressPolicy.NONE);
    }

    @Test
    void aSwitchATapAndNothing() {
        NetworkSpec on = spec("switch=lan,vlan=10,max=100M,weight=7,mac=02:00:00:00:00:01,mtu=9000");
        assertThat(((NetworkSpec.Attachment.Switch) on.attachment()).on().name())
                .isEqualTo("lan");
        assertThat(on.port().vlan()).isEqualTo(new VlanMode.Access(10));
        assertThat(on.port().maximum()).isEqualTo(100L << 20);
        assertThat(on.port().weight()).isEqualTo(7);
        assertThat(on.mac()).isEqualTo(MacAddress.parse("02:00:00:00:00:01"));
        assertThat(on.mtu()).isEqualTo(9000);
        assertThat(spec("tap=tap0").attachment()).isEqualTo(new NetworkSpec.Attachment.Tap("tap0", 1));
        assertThat(spec("tap=tap0,queues=4").attachment()).isEqualTo(new NetworkSpec.Attachment.Tap("tap0", 4));
        assertThat(spec("macvtap=mv0,queues=2").attachment())
                .isEqualTo(new NetworkSpec.Attachment.MacvtapDevice(Macvtap.existing("mv0"), 2));
        assertThat(spec("macvtap=mv0,link=eth0,mode=private").attachment())
                .isEqualTo(new NetworkSpec.Attachment.MacvtapDevice(
                        Macvtap.on("eth0", "mv0").mode(Macvtap.Mode.PRIVATE), 1));
        assertThat(spec("packet=eth0").attachment()).isEqualTo(new NetworkSpec.Attachment.Packet("eth0"));
        assertThat(spec("none").attachment()).isEqualTo(new NetworkSpec.Attachment.None());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "bridge",
                "user=x",
                "switch",
                "tap=",
                "tap=tap0,queues=0",
                "tap=tap0,link=eth0",
                "macvtap=mv0,mode=private",
                "macvtap=mv0,link=eth0,mode=bus",
                "packet",
                "user,vlan=3",
                "user,forward=80",
                "user,forward=1:70000",
                "user,egress=some",
                "user,egress=allow:host",
                "user,dns=name",
                "user,host=1",
                "switch=lan,vlan=5000",
                "none,mtu=100",
                "none,mac=1"
            })
    void nonsenseIsRefused(String text) {
        assertThatThrownBy(() -> NetArgument.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("--net " + text);
    }
}
