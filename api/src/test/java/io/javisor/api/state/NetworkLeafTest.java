package io.javisor.api.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.NetworkSpec;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.user.EgressPolicy;
import io.javisor.networking.user.UserNetworkSpec;
import io.javisor.networking.vswitch.AccessRule;
import io.javisor.networking.vswitch.IpPrefix;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is saved of an adapter's description comes back. */
class NetworkLeafTest {
    private static final MacAddress MAC = MacAddress.parse("02:00:00:00:00:01");

    @Test
    void descriptionsComeBack() {
        UserNetworkSpec user = UserNetworkSpec.DEFAULT
                .forward(8080, 80)
                .egress(EgressPolicy.allow(IpPrefix.parse("10.0.0.0/8")).deny(IpPrefix.parse("10.1.0.0/16")))
                .withHostLoopback()
                .nameServers(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.53"), 53));
        for (NetworkSpec spec : List.of(NetworkSpec.user(user), NetworkSpec.tap("tap0"), NetworkSpec.unplugged())) {
            NetworkSpec saved = spec.mac(MAC).mtu(9000);
            byte[] bytes = NetworkLeaf.save(saved).toByteArray();
            assertThat(NetworkLeaf.read(new StateReader("network0", 1, bytes))).isEqualTo(saved);
        }
    }

    @Test
    void portsOfASwitchComeBack() {
        PortSettings trunk = PortSettings.guest(new MacAddress(0))
                .trunk(Set.of(10, 4094), 7)
                .isolated(true)
                .guards(true, false, true)
                .addresses(InetAddress.ofLiteral("192.0.2.1"), InetAddress.ofLiteral("2001:db8::1"))
                .accessList(
                        AccessRule.of(AccessRule.Direction.OUT, AccessRule.Action.METER),
                        AccessRule.of(AccessRule.Direction.IN, AccessRule.Action.DENY)
                                .remote("2001:db8::/32")
                                .remoteMac(MAC)
                                .ports(6, 80, 1024))
                .mirror(PortSettings.Mirror.SOURCE)
                .stormLimit(100)
                .bandwidth(1L << 40, 30)
                .mostMacs(3);
        for (PortSettings port :
                List.of(trunk, PortSettings.guest(new MacAddress(0)).vlan(4))) {
            NetworkSpec saved =
                    NetworkSpec.on(new VirtualSwitch("lan")).mac(MAC).port(_ -> port.mac(MAC));
            NetworkSpec back = NetworkSpec.onSaved("lan").mac(MAC).port(_ -> port);
            byte[] bytes = NetworkLeaf.save(saved).toByteArray();
            assertThat(NetworkLeaf.read(new StateReader("network0", 1, bytes))).isEqualTo(back);
            assertThat(NetworkLeaf.save(back).toByteArray()).isEqualTo(bytes);
        }
    }

    @Test
    void nonsenseIsRefused() {
        byte[] bytes = new StateWriter().put("mac", 1L << 50).put("mtu", 1500).toByteArray();
        assertThatThrownBy(() -> NetworkLeaf.read(new StateReader("network0", 1, bytes)))
                .isInstanceOf(StateException.class);
        byte[] vlan = new StateWriter()
                .put("mac", MAC.value())
                .put("mtu", 1500)
                .put("switch", "lan")
                .put("port", new StateWriter().put("rule", 0).put("vlan", 4095))
                .toByteArray();
        assertThatThrownBy(() -> NetworkLeaf.read(new StateReader("network0", 1, vlan)))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("vlan");
    }
}
