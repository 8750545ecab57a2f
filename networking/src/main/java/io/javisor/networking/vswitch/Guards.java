package io.javisor.networking.vswitch;

import io.javisor.networking.frame.Frame;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a station may say of itself and others. */
final class Guards {
    private static final int DHCP_SERVER = 67;
    private static final int DHCP_CLIENT = 68;
    private static final int DHCPV6_SERVER = 547;
    private static final int ROUTER_SOLICITATION = 133;
    private static final int ROUTER_ADVERTISEMENT = 134;
    private static final int NEIGHBOUR_SOLICITATION = 135;
    private static final int NEIGHBOUR_ADVERTISEMENT = 136;
    private static final int REDIRECT = 137;
    private static final int ICMP_REDIRECT = 5;
    private static final int STACKED_VLAN = 0x88A8;

    private Guards() {}

    /** Why a frame must not enter by a port; null if it may. */
    static @Nullable Drop check(PortSettings settings, Frame frame) {
        long source = frame.source();
        if ((source >>> 40 & 1) != 0) {
            return Drop.MALFORMED; // a group sends nothing
        }
        if (frame.hidesTransport()) {
            return Drop.MALFORMED; // behind which all that follows could pass
        }
        int type = frame.etherType();
        if (settings.vlan() instanceof VlanMode.Access && (type == Frame.VLAN || type == STACKED_VLAN)) {
            return Drop.VLAN; // a tag behind the tag
        }
        boolean unreadable = type == Frame.IPV6 && frame.protocol() == 0;
        if (!settings.macSpoofing()) {
            boolean arpOfAnother = type == Frame.ARP && isEthernetArp(frame) && mac(frame, Frame.HEADER + 8) != source;
            boolean another = settings.mac() != null && settings.mac().value() != source;
            if (another || arpOfAnother || namesAnother(frame, source)) {
                return Drop.MAC_SPOOFED;
            }
        }
        if (settings.dhcpGuard() && frame.protocol() == Frame.UDP) {
            int from = frame.sourcePort();
            if (from == DHCP_SERVER || from == DHCPV6_SERVER || frame.destinationPort() == DHCP_CLIENT) {
                return Drop.DHCP_GUARD;
            }
        }
        if (settings.routerGuard()) {
            // Neighbour discovery is never in fragments (RFC 6980), nor behind headers that nobody can read (RFC 7113).
            if (unreadable || (frame.protocol() == Frame.ICMPV6 && frame.isFragment())) {
                return Drop.ROUTER_GUARD;
            }
            int kind = icmpType(frame, Frame.ICMPV6);
            if (kind == ROUTER_ADVERTISEMENT || kind == REDIRECT || icmpType(frame, Frame.ICMP) == ICMP_REDIRECT) {
                return Drop.ROUTER_GUARD;
            }
        }
        return settings.addresses().isEmpty() || speaksForItself(settings.addresses(), frame)
                ? null
                : Drop.ADDRESS_SPOOFED;
    }

    private static int icmpType(Frame frame, int protocol) {
        return frame.protocol() == protocol && frame.transport() != 0 && frame.transport() < frame.length()
                ? frame.getByte(frame.transport())
                : -1;
    }

    private static long mac(Frame frame, int at) {
        return (long) frame.getShort(at) << 32 | frame.getInt(at + 2) & 0xFFFF_FFFFL;
    }

    /** Whether neighbour discovery tells of a link address that is not the sender's (RFC 4861, 4.6.1). */
    private static boolean namesAnother(Frame frame, long source) {
        if (frame.protocol() != Frame.ICMPV6) {
            return false;
        }
        int kind = icmpType(frame, Frame.ICMPV6);
        boolean ofNeighbour = kind == NEIGHBOUR_SOLICITATION || kind == NEIGHBOUR_ADVERTISEMENT;
        if (!ofNeighbour && kind != ROUTER_SOLICITATION) {
            return false;
        }
        int at = frame.transport() + (ofNeighbour ? 24 : 8);
        while (at + 8 <= frame.length()) {
            int option = frame.getByte(at);
            int units = frame.getByte(at + 1);
            boolean linkAddress = option == 1 || option == 2; // source's, target's
            if (units == 0 || (linkAddress && mac(frame, at + 2) != source)) {
                return true; // an option without length makes the whole message void
            }
            at += 8 * units;
        }
        return false;
    }

    private static boolean isEthernetArp(Frame frame) {
        return frame.length() >= Frame.HEADER + 28
                && frame.getInt(Frame.HEADER) == 0x0001_0800 // Ethernet, IPv4
                && frame.getShort(Frame.HEADER + 4) == 0x0604; // in 6 and 4 bytes
    }

    @SuppressWarnings("RefactorSwitch") // steps, not an expression
    private static boolean speaksForItself(List<IpPrefix> own, Frame frame) {
        switch (frame.etherType()) {
            case Frame.ARP -> {
                // Address 0 asks whether an address is free (RFC 5227).
                return isEthernetArp(frame)
                        && (frame.getInt(Frame.HEADER + 14) == 0 || has(own, frame, Frame.HEADER + 14, false));
            }
            case Frame.IPV4 -> {
                boolean booting = frame.protocol() == Frame.UDP
                        && frame.sourcePort() == DHCP_CLIENT
                        && frame.getInt(Frame.HEADER + 12) == 0;
                return frame.protocol() != 0 && (booting || has(own, frame, Frame.HEADER + 12, false));
            }
            case Frame.IPV6 -> {
                if (frame.protocol() == 0 || frame.protocol() == Frame.ICMPV6 && frame.isFragment()) {
                    return false;
                }
                int kind = icmpType(frame, Frame.ICMPV6);
                boolean unspecified = (frame.getLong(Frame.HEADER + 8) | frame.getLong(Frame.HEADER + 16)) == 0;
                if (kind == NEIGHBOUR_ADVERTISEMENT) {
                    int target = frame.transport() + 8;
                    if (target + 16 > frame.length() || !has(own, frame, target, true)) {
                        return false;
                    }
                }
                return unspecified
                        ? kind == NEIGHBOUR_SOLICITATION || kind == 143
                        : has(own, frame, Frame.HEADER + 8, true);
            }
            default -> {
                return true;
            }
        }
    }

    private static boolean has(List<IpPrefix> own, Frame frame, int at, boolean ipv6) {
        for (int i = 0; i < own.size(); i++) { // no iterator, on the way of every frame
            IpPrefix prefix = own.get(i);
            if (prefix.ipv6() == ipv6 && prefix.contains(frame, at)) {
                return true;
            }
        }
        return false;
    }
}
