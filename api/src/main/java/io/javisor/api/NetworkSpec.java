package io.javisor.api;

import io.javisor.linux.TapDevice;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.netvsp.NetworkAdapter;
import io.javisor.networking.uplink.HostUplink;
import io.javisor.networking.uplink.Macvtap;
import io.javisor.networking.user.UserNetworkSpec;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A network adapter of a machine, and what it is plugged into.
 *
 * @param attachment what is at the other end of its cable
 * @param mac its address; null for one that follows from the machine's name and the adapter's number
 * @param mtu bytes of the largest IP packet
 * @param port what its port lets pass; of a switch of the application's only. Its MAC address is filled in
 */
public record NetworkSpec(Attachment attachment, @Nullable MacAddress mac, int mtu, PortSettings port) {
    /** Bytes of the largest IP packet unless said otherwise. */
    public static final int DEFAULT_MTU = 1500;

    private static final MacAddress UNKNOWN = new MacAddress(0);

    /** What an adapter is plugged into. */
    public sealed interface Attachment {
        /** Nothing: the guest sees an adapter whose cable hangs in the air. */
        record None() implements Attachment {}

        /**
         * A user-mode network of its own, as long as the machine runs.
         *
         * @param spec what it is like
         */
        record User(UserNetworkSpec spec) implements Attachment {}

        /**
         * A TAP interface of the host's, which is made if it is not there and then lives as long as the machine runs.
         *
         * @param name of the interface
         * @param queues 1 to 16; an interface that is there must have been made for as many
         */
        record Tap(String name, int queues) implements Attachment {}

        /**
         * A macvtap interface of the host's, on whose network the guest is with an address of its own.
         *
         * @param device which is there, or is made and then lives as long as the machine runs
         * @param queues 1 to 16
         */
        record MacvtapDevice(Macvtap device, int queues) implements Attachment {}

        /**
         * The network that an interface of the host's is on, by a packet socket: the guest and the host do not see each other there.
         *
         * @param name of the interface
         */
        record Packet(String name) implements Attachment {}

        /**
         * A switch of the application's.
         *
         * @param on the switch
         */
        record Switch(VirtualSwitch on) implements Attachment {}

        /**
         * A switch of the application's that a saved machine was on. The adapter is unplugged until somebody says which switch that is
         * now: {@link SavedState#on}, {@link SavedState#network}, or {@link MachineAdapter#plug}.
         *
         * @param name of the switch
         */
        record SavedSwitch(String name) implements Attachment {}
    }

    /** An adapter with a user-mode network of its own. */
    public static NetworkSpec user(UserNetworkSpec spec) {
        return of(new Attachment.User(spec));
    }

    /** An adapter on a TAP interface of the host's; whoever made it says what it is connected to. */
    public static NetworkSpec tap(String name) {
        return tap(name, 1);
    }

    /** An adapter on a TAP interface of the host's with several queues. */
    public static NetworkSpec tap(String name, int queues) {
        return of(new Attachment.Tap(name, queues));
    }

    /**
     * An adapter on a macvtap interface. One without an address of its own takes that of an interface that is there; otherwise the
     * interface is given the adapter's, which needs CAP_NET_ADMIN.
     */
    public static NetworkSpec macvtap(Macvtap device, int queues) {
        return of(new Attachment.MacvtapDevice(device, queues));
    }

    /** An adapter on the network that an interface of the host's is on; needs CAP_NET_RAW. */
    public static NetworkSpec packet(String name) {
        return of(new Attachment.Packet(name));
    }

    /** An adapter on a switch. */
    public static NetworkSpec on(VirtualSwitch network) {
        return of(new Attachment.Switch(network));
    }

    /** An adapter that was on a switch of a name when its machine was saved; it is not plugged in. */
    public static NetworkSpec onSaved(String name) {
        return of(new Attachment.SavedSwitch(name));
    }

    /** An adapter that is not plugged in. */
    public static NetworkSpec unplugged() {
        return of(new Attachment.None());
    }

    private static NetworkSpec of(Attachment attachment) {
        return new NetworkSpec(attachment, null, DEFAULT_MTU, PortSettings.guest(UNKNOWN));
    }

    /** The same with an address of its own. */
    public NetworkSpec mac(MacAddress address) {
        return new NetworkSpec(attachment, address, mtu, port);
    }

    /** The same with another MTU, 1,280 to 9,000 bytes. */
    public NetworkSpec mtu(int bytes) {
        return new NetworkSpec(attachment, mac, bytes, port);
    }

    /** The same with another port: {@code port(p -> p.vlan(10))}. */
    public NetworkSpec port(UnaryOperator<PortSettings> change) {
        return new NetworkSpec(attachment, mac, mtu, change.apply(port));
    }

    /** The same, plugged into something else. */
    NetworkSpec at(Attachment other) {
        return new NetworkSpec(other, mac, mtu, port);
    }

    /** The address that it has as the nth adapter of a machine. */
    MacAddress mac(String machine, int number) {
        return mac == null ? MacAddress.generated(machine, number) : mac;
    }

    /** Whether there is certainly somebody who gives addresses. */
    boolean hasDhcp() {
        return attachment instanceof Attachment.User;
    }

    /** Reports what is wrong. */
    void check(String at, ProblemList problems) {
        switch (attachment) {
            case Attachment.Tap(var name, int queues) -> {
                checkName(at + ".tap", name, problems);
                checkQueues(at, queues, problems);
            }
            case Attachment.MacvtapDevice(Macvtap(var name, var lower, var _), int queues) -> {
                checkName(at + ".macvtap", name, problems);
                if (lower != null) {
                    checkName(at + ".macvtap.lower", lower, problems);
                }
                checkQueues(at, queues, problems);
            }
            case Attachment.Packet(var name) -> checkName(at + ".packet", name, problems);
            case Attachment.None _, Attachment.User _, Attachment.Switch _, Attachment.SavedSwitch _ -> {}
        }
        if (mac != null && (mac.isMulticast() || mac.value() == 0)) {
            problems.add(at + ".mac", "is " + mac + ", which is no single station's address");
        }
        if (mtu < NetworkAdapter.LEAST_MTU || mtu > NetworkAdapter.MOST_MTU) {
            problems.add(
                    at + ".mtu",
                    "is " + mtu + "; " + NetworkAdapter.LEAST_MTU + " to " + NetworkAdapter.MOST_MTU + " are possible");
        }
    }

    private static void checkName(String at, String name, ProblemList problems) {
        if (!TapDevice.isName(name)) {
            problems.add(at, "is \"" + name + "\", which is not the name of an interface");
        }
    }

    private static void checkQueues(String at, int queues, ProblemList problems) {
        if (queues < 1 || queues > HostUplink.MOST_QUEUES) {
            problems.add(at + ".queues", "is " + queues + "; 1 to " + HostUplink.MOST_QUEUES + " are possible");
        }
    }
}
