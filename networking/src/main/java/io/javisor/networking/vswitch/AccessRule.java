package io.javisor.networking.vswitch;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.MacAddress;
import org.jspecify.annotations.Nullable;

/**
 * One line of a port's access list. A frame fits if it fits everything that is said; what is not said is not looked at. Of the
 * rules that allow or deny the first that fits decides; those that meter count, and the next is looked at. An IP packet whose headers
 * can't be read fits rules about IP that deny, and no others.
 *
 * @param direction of the frame, as the station sees it
 * @param action what becomes of it
 * @param remoteMac the other side's address
 * @param remote the other side's IP address; a frame without one does not fit
 * @param protocol IP protocol, 1 to 255; 0 for any
 * @param localPort TCP or UDP port of the station, 1 to 65,535; 0 for any
 * @param remotePort TCP or UDP port of the other side; 0 for any
 */
public record AccessRule(
        Direction direction,
        Action action,
        @Nullable MacAddress remoteMac,
        @Nullable IpPrefix remote,
        int protocol,
        int localPort,
        int remotePort) {

    /** Where a frame goes. */
    public enum Direction {
        /** From the station into the switch. */
        OUT,
        /** From the switch to the station. */
        IN
    }

    /** What becomes of a frame. */
    public enum Action {
        /** It passes. */
        ALLOW,
        /** It is dropped. */
        DENY,
        /** It is counted. */
        METER
    }

    /** Checks the ranges. */
    public AccessRule {
        if (protocol < 0 || protocol > 255) {
            throw new IllegalArgumentException("protocol " + protocol);
        }
        if ((localPort | remotePort) >>> 16 != 0) {
            throw new IllegalArgumentException("ports " + localPort + " and " + remotePort);
        }
        if ((localPort | remotePort) != 0 && protocol != Frame.TCP && protocol != Frame.UDP) {
            throw new IllegalArgumentException("ports need protocol 6 (TCP) or 17 (UDP), not " + protocol);
        }
    }

    /** A rule about all frames of a direction. */
    public static AccessRule of(Direction direction, Action action) {
        return new AccessRule(direction, action, null, null, 0, 0, 0);
    }

    /** The same, for one IP address or range of them on the other side. */
    public AccessRule remote(String prefix) {
        return new AccessRule(direction, action, remoteMac, IpPrefix.parse(prefix), protocol, localPort, remotePort);
    }

    /** The same, for one MAC address on the other side. */
    public AccessRule remoteMac(MacAddress mac) {
        return new AccessRule(direction, action, mac, remote, protocol, localPort, remotePort);
    }

    /** The same, for one protocol. */
    public AccessRule protocol(int number) {
        return new AccessRule(direction, action, remoteMac, remote, number, localPort, remotePort);
    }

    /** The same, for one protocol and the ports of both sides; 0 for any. */
    public AccessRule ports(int number, int local, int other) {
        return new AccessRule(direction, action, remoteMac, remote, number, local, other);
    }

    /** Whether a frame fits, given its direction. */
    boolean fits(Direction of, Frame frame) {
        boolean out = of == Direction.OUT;
        if (of != direction
                || (remoteMac != null && remoteMac.value() != (out ? frame.destination() : frame.source()))) {
            return false;
        }
        IpPrefix range = remote;
        if ((range != null || protocol != 0) && isUnreadable(frame)) {
            // It may be what the rule is about, or not: let nothing pass for it that others forbid.
            return action == Action.DENY && (range == null || range.ipv6() == (frame.etherType() == Frame.IPV6));
        }
        if (range != null) {
            int at = addressAt(frame, range.ipv6(), out);
            if (at < 0 || !range.contains(frame, at)) {
                return false;
            }
        }
        if (protocol == 0) {
            return true;
        }
        if (frame.protocol() != protocol) {
            return false;
        }
        int local = out ? frame.sourcePort() : frame.destinationPort();
        int other = out ? frame.destinationPort() : frame.sourcePort();
        return (localPort == 0 || localPort == local) && (remotePort == 0 || remotePort == other);
    }

    private static boolean isUnreadable(Frame frame) {
        return frame.protocol() == 0 && (frame.etherType() == Frame.IPV4 || frame.etherType() == Frame.IPV6);
    }

    /** Where the other side's address stands; −1 if there is none. ARP carries one too. */
    private static int addressAt(Frame frame, boolean ipv6, boolean out) {
        if (!ipv6 && frame.etherType() == Frame.ARP && frame.length() >= Frame.HEADER + 28) {
            return Frame.HEADER + (out ? 24 : 14);
        }
        if (frame.protocol() == 0 || frame.etherType() != (ipv6 ? Frame.IPV6 : Frame.IPV4)) {
            return -1;
        }
        return Frame.HEADER + (ipv6 ? (out ? 24 : 8) : (out ? 16 : 12));
    }
}
