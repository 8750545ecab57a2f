package io.javisor.networking.user;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.HypervisorException;
import java.net.InetSocketAddress;
import java.util.List;

/** A user-mode network on a port of a switch. It has one thread, and one more once a guest pings. Safe from any thread. */
public final class UserNetwork implements Station, AutoCloseable {
    private final NetworkLoop loop;
    private final Destinations destinations;
    private final Forwards forwards;
    private final SwitchPort port;

    /**
     * Begins to serve guests on a switch.
     *
     * @param on the switch
     * @param spec what it is like
     * @param mtu bytes of the largest packet on the switch
     * @throws HypervisorException with code {@code port-forward} if a forwarded port can't be listened on
     */
    public UserNetwork(VirtualSwitch on, UserNetworkSpec spec, int mtu) {
        var parts = new Parts(on.name(), spec, mtu);
        loop = parts.loop;
        destinations = parts.destinations;
        forwards = parts.forwards;
        try {
            spec.forwards().forEach(forwards::listen);
            port = on.connect("user", PortSettings.uplink(), this);
        } catch (RuntimeException | Error e) {
            loop.close();
            throw e;
        }
        parts.out = port;
        loop.start();
    }

    /** What there is of it, and who knows whom. */
    private static final class Parts {
        final NetworkLoop loop;
        final Destinations destinations;
        final Forwards forwards;
        final Gateway gateway;

        @SuppressWarnings("NullAway.Init") // before the thread starts, which alone sends
        private SwitchPort out;

        Parts(String name, UserNetworkSpec spec, int mtu) {
            loop = new NetworkLoop(name, this::received, this::ended);
            var link = new GuestLink(mtu, frame -> out.send(frame));
            destinations = new Destinations(spec);
            var flows = new Flows(loop, link, destinations);
            echoes = new Echoes(loop, link, destinations);
            var dhcp = new DhcpServer(mtu);
            var discovery = new NeighbourDiscovery(link, loop, destinations.hasNames());
            loop.watch(discovery);
            forwards = new Forwards(loop, flows, () -> IpAddress.ipv4(dhcp.first()));
            gateway = new Gateway(link, flows, echoes, dhcp, discovery, destinations);
        }

        private final Echoes echoes;

        private void received(Frame frame) {
            gateway.received(frame);
        }

        private void ended() {
            forwards.close();
            echoes.close();
        }
    }

    @Override
    public void receive(Frame from) {
        loop.put(from);
    }

    @Override
    public boolean takesLarge(int etherType) {
        return true;
    }

    @Override
    public boolean takesOpenChecksums() {
        return true;
    }

    /**
     * Begins to forward a port.
     *
     * @return where the host listens
     * @throws HypervisorException with code {@code port-forward} if it can't
     */
    public InetSocketAddress forward(PortForward forward) {
        return forwards.listen(forward);
    }

    /** Where the host listens for what is forwarded, in the order in which that was asked for. */
    public List<InetSocketAddress> forwards() {
        return forwards.all();
    }

    /** Connections, datagrams and pings that were refused because the policy forbids their destination. */
    public long refused() {
        return destinations.refused();
    }

    /** Closes all connections, and waits for the thread to end. Idempotent. */
    @Override
    public void close() {
        port.close();
        loop.close();
    }
}
