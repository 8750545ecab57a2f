package io.javisor.api;

import io.javisor.linux.TapDevice;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.netvsp.NetworkAdapter;
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
         */
        record Tap(String name) implements Attachment {}

        /**
         * A switch of the application's.
         *
         * @param on the switch
         */
        record Switch(VirtualSwitch on) implements Attachment {}
    }

    /** An adapter with a user-mode network of its own. */
    public static NetworkSpec user(UserNetworkSpec spec) {
        return of(new Attachment.User(spec));
    }

    /** An adapter on a TAP interface of the host's; whoever made it says what it is connected to. */
    public static NetworkSpec tap(String name) {
        return of(new Attachment.Tap(name));
    }

    /** An adapter on a switch. */
    public static NetworkSpec on(VirtualSwitch network) {
        return of(new Attachment.Switch(network));
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
        if (attachment instanceof Attachment.Tap(var name) && !TapDevice.isName(name)) {
            problems.add(at + ".tap", "is \"" + name + "\", which is not the name of an interface");
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
}
