package io.javisor.api;

import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.netvsp.NetworkAdapter;
import io.javisor.networking.uplink.HostUplink;
import io.javisor.networking.uplink.Macvtap;
import io.javisor.networking.user.PortForward;
import io.javisor.networking.user.UserNetwork;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.PortStatistics;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.HypervisorException;
import io.javisor.vmbus.DeviceOffer;
import io.javisor.vmbus.VmBus;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A network adapter of a machine, which may be plugged into something else while the guest runs. Safe from any thread. */
public final class MachineAdapter {
    private final String machine;
    private final int number;
    private final int vcpus;
    private NetworkSpec spec;
    private boolean connected = true;
    private @Nullable Run run;

    /** What there is of it while the machine runs. */
    private static final class Run {
        final NetworkAdapter adapter;
        final DeviceOffer offer;

        @Nullable
        UserNetwork user;

        @Nullable
        HostUplink uplink;

        @Nullable
        SwitchPort port;

        Run(NetworkAdapter adapter, DeviceOffer offer) {
            this.adapter = adapter;
            this.offer = offer;
        }
    }

    MachineAdapter(String machine, int number, int vcpus, NetworkSpec spec) {
        this.machine = machine;
        this.number = number;
        this.vcpus = vcpus;
        this.spec = spec;
    }

    /** Its number in the machine, from 0. */
    public int number() {
        return number;
    }

    /** What it is, and what it is plugged into. */
    public synchronized NetworkSpec spec() {
        return spec;
    }

    /** Its address. */
    public synchronized MacAddress mac() {
        Run now = run;
        return now == null ? spec.mac(machine, number) : now.adapter.mac();
    }

    /** Plugs it into something else; what the spec says of address and MTU stays. The guest sees the medium go and come. */
    public synchronized void plug(NetworkSpec other) {
        Run now = run;
        if (now != null) {
            disconnect(now);
        }
        spec = new NetworkSpec(other.attachment(), spec.mac(), spec.mtu(), other.port());
        if (now != null) {
            connect(now);
        }
    }

    /** Connects or interrupts the cable, as the guest sees it. */
    public synchronized void setConnected(boolean now) {
        connected = now;
        if (run != null) {
            run.adapter.setConnected(now);
        }
    }

    /** The port of the switch that it is plugged into; empty if it is on none, or the machine does not run. */
    public synchronized Optional<SwitchPort> port() {
        return Optional.ofNullable(run == null ? null : run.port);
    }

    /** What went through its port; zeroes if the machine does not run. */
    public PortStatistics statistics() {
        return port().map(SwitchPort::statistics)
                .orElse(new PortStatistics(0, 0, 0, 0, java.util.Map.of(), java.util.Map.of()));
    }

    /** Queues that the guest has open, 0 if its driver is not there. */
    public synchronized int openQueues() {
        return run == null ? 0 : run.adapter.openQueues();
    }

    /** Where the host listens for what is forwarded into the guest, in the order in which that was asked for. */
    public synchronized List<InetSocketAddress> forwards() {
        return run == null || run.user == null ? List.of() : run.user.forwards();
    }

    /**
     * Forwards a TCP port of the host's loopback into the guest, as long as the machine runs.
     *
     * @param hostPort 0 for any that is free
     * @return where the host listens
     * @throws HypervisorException with code {@code no-user-network} if the adapter is on none, {@code port-forward} if the port
     *     can't be listened on
     */
    public synchronized InetSocketAddress forward(int hostPort, int guestPort) {
        if (run == null || run.user == null) {
            throw new HypervisorException(
                    "no-user-network",
                    "adapter " + number + " of machine \"" + machine + "\" is on no user-mode network that runs",
                    "plug it into one, and start the machine");
        }
        return run.user.forward(PortForward.local(hostPort, guestPort));
    }

    /** The guest's address: of an existing macvtap interface the interface's, unless it was given. */
    private MacAddress ownMac() {
        if (spec.mac() == null
                && spec.attachment()
                        instanceof NetworkSpec.Attachment.MacvtapDevice(Macvtap(var name, var lower, var _), var _)
                && lower == null) {
            return HostUplink.mac(name);
        }
        return spec.mac(machine, number);
    }

    /** Offers it to a guest that runs or is about to. */
    synchronized void start(VmBus bus) {
        var adapter = new NetworkAdapter(
                number, ownMac(), spec.mtu(), Math.min(vcpus, NetworkAdapter.MOST_SUB_CHANNELS + 1) - 1);
        adapter.setConnected(connected);
        // Plugged in first, so that the guest finds its medium.
        var now = new Run(adapter, () -> {});
        try {
            connect(now);
            var offered = new Run(adapter, bus.add(adapter));
            offered.user = now.user;
            offered.uplink = now.uplink;
            offered.port = now.port;
            run = offered;
        } catch (RuntimeException | Error e) {
            disconnect(now);
            throw e;
        }
    }

    private void connect(Run now) {
        String name = machine + "/net" + number;
        switch (spec.attachment()) {
            case NetworkSpec.Attachment.None(), NetworkSpec.Attachment.SavedSwitch(var _) -> {}
            case NetworkSpec.Attachment.User(var user) -> {
                var own = new VirtualSwitch(name);
                now.user = new UserNetwork(own, user, spec.mtu());
                plugInto(own, "guest", now);
            }
            case NetworkSpec.Attachment.Tap(var tap, int queues) ->
                plugInto(name, now, own -> HostUplink.tap(own, tap, queues, PortSettings.uplink()));
            case NetworkSpec.Attachment.MacvtapDevice(var device, int queues) ->
                plugInto(
                        name,
                        now,
                        own -> HostUplink.macvtap(own, device, queues, now.adapter.mac(), PortSettings.uplink()));
            case NetworkSpec.Attachment.Packet(var of) ->
                plugInto(name, now, own -> HostUplink.packet(own, of, PortSettings.uplink()));
            case NetworkSpec.Attachment.Switch(var on) -> plugInto(on, name, now);
        }
    }

    /** Plugs it into a switch of its own, which has an uplink besides. */
    private void plugInto(String name, Run now, Function<VirtualSwitch, HostUplink> uplink) {
        var own = new VirtualSwitch(name);
        now.uplink = uplink.apply(own);
        plugInto(own, "guest", now);
    }

    private void plugInto(VirtualSwitch on, String name, Run now) {
        SwitchPort port = on.connect(name, spec.port().mac(now.adapter.mac()), now.adapter);
        now.port = port;
        now.adapter.plug(port);
    }

    private static void disconnect(Run now) {
        now.adapter.plug(null);
        if (now.port != null) {
            now.port.close();
            now.port = null;
        }
        if (now.user != null) {
            now.user.close();
            now.user = null;
        }
        if (now.uplink != null) {
            now.uplink.close();
            now.uplink = null;
        }
    }

    /** Takes it away from a guest that runs. */
    synchronized void remove() {
        Run now = run;
        if (now != null) {
            now.offer.close();
            stop();
        }
    }

    /** The run is over, or the guest has lost it. */
    synchronized void stop() {
        Run now = run;
        run = null;
        if (now != null) {
            disconnect(now);
        }
    }

    @Override
    public String toString() {
        return machine + "/net" + number + " " + mac();
    }
}
