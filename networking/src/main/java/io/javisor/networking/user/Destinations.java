package io.javisor.networking.user;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Where guests' packets go on to, and where they do not: decided once for each flow, by the address that a socket is given. */
final class Destinations {
    private static final int DNS = 53;

    private final UserNetworkSpec spec;
    private final List<InetSocketAddress> nameServers;
    private final LongAdder refused = new LongAdder();

    Destinations(UserNetworkSpec spec) {
        this.spec = spec;
        nameServers = !spec.nameServers().isEmpty()
                ? spec.nameServers()
                : spec.egress().isNone() ? List.of() : HostResolvers.read();
    }

    /** Whether the name server answers. */
    boolean hasNames() {
        return !nameServers.isEmpty();
    }

    /** How often the answer was no. */
    long refused() {
        return refused.sum();
    }

    /** Where a guest's packet goes; null if it must not. */
    @Nullable
    InetSocketAddress of(IpAddress address, int port) {
        InetSocketAddress found = look(address, port);
        if (found == null) {
            refused.increment();
        }
        return found;
    }

    private @Nullable InetSocketAddress look(IpAddress address, int port) {
        if (Addresses.isNameServer(address)) {
            return port == DNS && hasNames() ? nameServers.getFirst() : null;
        }
        if (Addresses.isGateway(address)) {
            IpAddress loopback = address.ipv6() ? Addresses.LOOPBACK6 : Addresses.LOOPBACK4;
            return spec.hostLoopback() ? new InetSocketAddress(loopback.toInetAddress(), port) : null;
        }
        InetAddress there = port == 0 ? null : reachable(address);
        return there == null ? null : new InetSocketAddress(there, port);
    }

    /** Whom a guest may ask for an echo besides the gateway; null if it must not. */
    @Nullable
    InetAddress ofEcho(IpAddress address) {
        InetAddress found = reachable(address);
        if (found == null) {
            refused.increment();
        }
        return found;
    }

    private @Nullable InetAddress reachable(IpAddress address) {
        if (Addresses.isLocal(address)) {
            return null;
        }
        InetAddress there = address.toInetAddress();
        boolean permitted = spec.egress().permits(there)
                && (!HostAddresses.isHost(there) || spec.egress().permitsHost(there));
        return permitted ? there : null;
    }
}
