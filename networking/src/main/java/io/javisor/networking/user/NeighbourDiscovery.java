package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import org.jspecify.annotations.Nullable;

/**
 * The gateway on the link of version 6 (RFC 4861): who has its addresses, who is the router, what prefix guests make their
 * addresses of (RFC 4862), and who knows names (RFC 8106). For one thread.
 *
 * <pre>
 * advertisement of the router, from the fifth byte on:
 * 0 hops  1 flags (0x40: more by DHCP)  2 lifetime  4 reachable time  8 retransmission  12 options
 * neighbour solicitation and advertisement: 0 flags (router, solicited, override)  4 target  20 options
 * </pre>
 */
final class NeighbourDiscovery implements Timed {
    /** How often the router makes itself known unasked, well within its lifetime. */
    private static final long INTERVAL_NANOS = 600_000_000_000L;

    private static final int LIFETIME_SECONDS = 1800;
    private static final int PREFERRED_SECONDS = 14_400;
    private static final int VALID_SECONDS = 86_400;
    private static final int OTHER_BY_DHCP = 0x40;
    private static final int ON_LINK_AND_AUTONOMOUS = 0xC0;
    private static final int ROUTER_AND_OVERRIDE = 0xA000_0000;
    private static final int SOLICITED = 0x4000_0000;
    private static final int HOPS = 255; // not forwarded by anybody
    private static final long MULTICAST = 0x3333L << 32;

    private final GuestLink link;
    private final NetworkLoop loop;
    private final boolean names;
    private long deadline;

    /**
     * @param names whether the name server answers
     */
    NeighbourDiscovery(GuestLink link, NetworkLoop loop, boolean names) {
        this.link = link;
        this.loop = loop;
        this.names = names;
        deadline = NetworkLoop.now() + INTERVAL_NANOS;
    }

    /** A guest's message; true if it was one of these. */
    boolean received(Frame in, IpAddress from) {
        int icmp = in.transport();
        int bytes = Checksums.transportLength(in);
        int type = in.getByte(icmp);
        if (type != Icmp.ROUTER_SOLICITATION
                && type != Icmp.NEIGHBOUR_SOLICITATION
                && type != Icmp.NEIGHBOUR_ADVERTISEMENT) {
            return false;
        }
        if (in.getByte(Frame.HEADER + 7) != HOPS || in.getByte(icmp + 1) != 0) {
            return true; // from somewhere else
        }
        if (type == Icmp.ROUTER_SOLICITATION && bytes >= 8) {
            advertise(from.isUnspecified() ? null : from, in.source());
        } else if (type == Icmp.NEIGHBOUR_SOLICITATION && bytes >= 24) {
            var target = IpAddress.ipv6(in.getLong(icmp + 8), in.getLong(icmp + 16));
            if (Addresses.isGateway(target) || Addresses.isNameServer(target)) {
                answer(target, from, in.source());
            }
        }
        return true;
    }

    private void answer(IpAddress target, IpAddress asker, long mac) {
        Frame frame = link.writer().frame();
        int at = FrameWriter.icmpRest(true);
        boolean known = !asker.isUnspecified(); // else it wants to know whether the address is free
        frame.putInt(at, ROUTER_AND_OVERRIDE | (known ? SOLICITED : 0));
        target.put(frame, at + 4);
        int end = linkAddress(frame, at + 20, 2);
        link.send(link.writer()
                .discovery(
                        known ? mac : multicastMac(Addresses.ALL_NODES),
                        target,
                        known ? asker : Addresses.ALL_NODES,
                        Icmp.NEIGHBOUR_ADVERTISEMENT,
                        end - at + 4));
    }

    /** Asks all whose address might be this one (RFC 4291, 2.7.1: ff02::1:ffXX:XXXX). */
    static Frame solicitation(FrameWriter writer, IpAddress target) {
        Frame frame = writer.frame();
        int at = FrameWriter.icmpRest(true);
        frame.putInt(at, 0);
        target.put(frame, at + 4);
        int end = linkAddress(frame, at + 20, 1);
        var group = IpAddress.ipv6(0xFF02L << 48, 0x1_FF00_0000L | target.low() & 0xFF_FFFF);
        return writer.discovery(
                multicastMac(group), Addresses.GATEWAY_LINK, group, Icmp.NEIGHBOUR_SOLICITATION, end - at + 4);
    }

    /** Makes the router known: to one who has asked, or to all. */
    private void advertise(@Nullable IpAddress asker, long mac) {
        Frame frame = link.writer().frame();
        int at = FrameWriter.icmpRest(true);
        frame.putInt(at, 64 << 24 | (names ? OTHER_BY_DHCP : 0) << 16 | LIFETIME_SECONDS);
        frame.putInt(at + 4, 0);
        frame.putInt(at + 8, 0);
        int end = linkAddress(frame, at + 12, 1);
        frame.putInt(end, 5 << 24 | 1 << 16); // MTU
        frame.putInt(end + 4, link.mtu());
        end += 8;
        frame.putInt(end, 3 << 24 | 4 << 16 | 64 << 8 | ON_LINK_AND_AUTONOMOUS); // prefix of 64 bits
        frame.putInt(end + 4, VALID_SECONDS);
        frame.putInt(end + 8, PREFERRED_SECONDS);
        frame.putInt(end + 12, 0);
        IpAddress.ipv6(Addresses.PREFIX6, 0).put(frame, end + 16);
        end += 32;
        if (names) {
            frame.putInt(end, 25 << 24 | 3 << 16);
            frame.putInt(end + 4, LIFETIME_SECONDS);
            Addresses.NAME_SERVER6.put(frame, end + 8);
            end += 24;
        }
        link.send(link.writer()
                .discovery(
                        asker == null ? multicastMac(Addresses.ALL_NODES) : mac,
                        Addresses.GATEWAY_LINK,
                        asker == null ? Addresses.ALL_NODES : asker,
                        Icmp.ROUTER_ADVERTISEMENT,
                        end - at + 4));
    }

    /** The option that tells the gateway's MAC address: of the sender (1), of the target (2). */
    private static int linkAddress(Frame frame, int at, int kind) {
        frame.putShort(at, kind << 8 | 1);
        frame.putMac(at + 2, Addresses.GATEWAY_MAC.value());
        return at + 8;
    }

    private static long multicastMac(IpAddress group) {
        return MULTICAST | group.low() & 0xFFFF_FFFFL; // RFC 2464, 7
    }

    @Override
    public long deadline() {
        return deadline;
    }

    @Override
    public void timedOut() {
        deadline = NetworkLoop.now() + INTERVAL_NANOS;
        loop.timerAt(deadline);
        advertise(null, 0);
    }
}
