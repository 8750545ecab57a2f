package io.javisor.networking.user;

import io.javisor.networking.vswitch.VirtualSwitch;
import org.junit.jupiter.api.AfterEach;

/** Tests that have a guest's packets on a user-mode network, which each of them starts. */
abstract class OnUserNetwork {
    static final int MTU = 1500;

    final VirtualSwitch net = new VirtualSwitch("user-test");
    final GuestStack guest = new GuestStack(net);

    @SuppressWarnings("NullAway.Init") // each test starts its own
    UserNetwork user;

    @AfterEach
    void close() {
        if (user != null) {
            user.close();
        }
    }

    void start(UserNetworkSpec spec) {
        user = new UserNetwork(net, spec, MTU);
    }

    void start(EgressPolicy egress) {
        start(UserNetworkSpec.DEFAULT.egress(egress));
    }
}
