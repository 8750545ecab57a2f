package io.javisor.api.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.NetworkSpec;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.user.EgressPolicy;
import io.javisor.networking.user.UserNetworkSpec;
import io.javisor.networking.vswitch.IpPrefix;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
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
    void nonsenseIsRefused() {
        byte[] bytes = new StateWriter().put("mac", 1L << 50).put("mtu", 1500).toByteArray();
        assertThatThrownBy(() -> NetworkLeaf.read(new StateReader("network0", 1, bytes)))
                .isInstanceOf(StateException.class);
    }
}
