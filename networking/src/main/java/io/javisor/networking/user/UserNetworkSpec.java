package io.javisor.networking.user;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * What a user-mode network is like. Guests are in 10.0.2.0/24, the gateway is 10.0.2.2, the name server 10.0.2.3; leases begin
 * with 10.0.2.15.
 *
 * @param forwards ports of the host that lead to the first guest
 * @param egress what guests may reach
 * @param hostLoopback whether the gateway's address stands for the host's loopback, 127.0.0.1
 * @param nameServers that answer the guests' questions; empty for those of the host
 */
public record UserNetworkSpec(
        List<PortForward> forwards, EgressPolicy egress, boolean hostLoopback, List<InetSocketAddress> nameServers) {
    /** The world outside, and nothing of the host. */
    public static final UserNetworkSpec DEFAULT = new UserNetworkSpec(List.of(), EgressPolicy.ANY, false, List.of());

    /** Copies the lists. */
    public UserNetworkSpec {
        forwards = List.copyOf(forwards);
        nameServers = List.copyOf(nameServers);
    }

    /** The same with one more port of the host's loopback that leads into the guest; host port 0 for any that is free. */
    public UserNetworkSpec forward(int hostPort, int guestPort) {
        return forward(PortForward.local(hostPort, guestPort));
    }

    /** The same with one more port of the host that leads into the guest. */
    public UserNetworkSpec forward(PortForward forward) {
        var all = new ArrayList<>(forwards);
        all.add(forward);
        return new UserNetworkSpec(all, egress, hostLoopback, nameServers);
    }

    /** The same with another egress policy. */
    public UserNetworkSpec egress(EgressPolicy policy) {
        return new UserNetworkSpec(forwards, policy, hostLoopback, nameServers);
    }

    /** The same, where the gateway's address stands for the host's loopback: all that listens there can be reached. */
    public UserNetworkSpec withHostLoopback() {
        return new UserNetworkSpec(forwards, egress, true, nameServers);
    }

    /** The same with other name servers. */
    public UserNetworkSpec nameServers(InetSocketAddress... servers) {
        return new UserNetworkSpec(forwards, egress, hostLoopback, List.of(servers));
    }
}
