package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import java.util.Arrays;

/** What becomes of each frame of a guest: the gateway answers it, or a flow goes on with it. For the network's thread. */
final class Gateway {
    private static final int DHCP = 67;
    private static final int DHCP_CLIENT = 68;
    private static final int DHCPV6 = 547;
    private static final long EVERYBODY = 0xFFFF_FFFF_FFFFL;

    private final GuestLink link;
    private final Flows flows;
    private final Echoes echoes;
    private final DhcpServer dhcp;
    private final NeighbourDiscovery discovery;
    private final Destinations destinations;
    private final Reassembly reassembly = new Reassembly();

    Gateway(
            GuestLink link,
            Flows flows,
            Echoes echoes,
            DhcpServer dhcp,
            NeighbourDiscovery discovery,
            Destinations destinations) {
        this.link = link;
        this.flows = flows;
        this.echoes = echoes;
        this.dhcp = dhcp;
        this.discovery = discovery;
        this.destinations = destinations;
    }

    /** A frame of a guest's, which has been parsed. */
    void received(Frame in) {
        boolean mine = in.destination() == Addresses.GATEWAY_MAC.value();
        if (in.vlan() != 0 || (!mine && !in.isMulticast())) {
            return;
        }
        switch (in.etherType()) {
            case Frame.ARP -> arp(in);
            case Frame.IPV4, Frame.IPV6 -> {
                if (in.isFragment()) {
                    fragment(in, mine);
                } else if (in.protocol() != 0 && in.transport() != 0) {
                    packet(in);
                }
            }
            default -> {}
        }
    }

    /** A part of a packet; only those of guests, and for the gateway, are worth the memory. */
    private void fragment(Frame in, boolean mine) {
        if (!mine || in.protocol() == 0 || !Addresses.isGuest(IpAddress.source(in))) {
            return;
        }
        Frame whole = reassembly.add(in, NetworkLoop.now());
        if (whole != null && whole.protocol() != 0 && whole.transport() != 0) {
            packet(whole);
        }
    }

    private void arp(Frame in) {
        int at = Frame.HEADER;
        if (in.length() < at + 28 || in.getInt(at) != 0x0001_0800 || in.getShort(at + 4) != 0x0604) {
            return;
        }
        int sender = in.getInt(at + 14);
        int target = in.getInt(at + 24);
        link.neighbours().meet(IpAddress.ipv4(sender), in.source());
        if (in.getShort(at + 6) == 1 && (target == Addresses.GATEWAY || target == Addresses.NAME_SERVER)) {
            link.send(link.writer().arpAnswer(in.source(), target, sender));
        }
    }

    private void packet(Frame in) {
        IpAddress from = IpAddress.source(in);
        IpAddress to = IpAddress.destination(in);
        int protocol = in.protocol();
        if (protocol == Frame.UDP && in.destinationPort() == (from.ipv6() ? DHCPV6 : DHCP)) {
            dhcp(in, from);
            return;
        }
        if (Addresses.isGuest(from)) {
            link.neighbours().meet(from, in.source());
        }
        if (protocol == Frame.ICMPV6 && from.ipv6() && in.transport() < in.length() && discovery.received(in, from)) {
            return;
        }
        if (!Addresses.isGuest(from) || in.isMulticast()) {
            return;
        }
        switch (protocol) {
            case Frame.TCP -> flows.tcp(in, from, to);
            case Frame.UDP -> flows.udp(in, from, to);
            case Frame.ICMP, Frame.ICMPV6 -> echo(in, from, to);
            default -> link.send(link.writer().unreachable(in.source(), in, FrameWriter.Unreachable.PROTOCOL));
        }
    }

    private void dhcp(Frame in, IpAddress from) {
        byte[] message = Arrays.copyOfRange(in.bytes(), in.payload(), in.length());
        FrameWriter writer = link.writer();
        if (!from.ipv6()) {
            byte[] answer = dhcp.answer(message);
            if (answer != null) {
                System.arraycopy(answer, 0, writer.frame().bytes(), FrameWriter.udpPayload(false), answer.length);
                link.send(writer.udp(
                        EVERYBODY, Addresses.GATEWAY4, DHCP, IpAddress.ipv4(-1), DHCP_CLIENT, answer.length));
            }
            return;
        }
        byte[] answer = from.isLinkLocal() && destinations.hasNames() ? Dhcpv6Server.answer(message) : null;
        if (answer != null) {
            System.arraycopy(answer, 0, writer.frame().bytes(), FrameWriter.udpPayload(true), answer.length);
            link.send(writer.udp(in.source(), Addresses.GATEWAY_LINK, DHCPV6, from, in.sourcePort(), answer.length));
        }
    }

    private void echo(Frame in, IpAddress from, IpAddress to) {
        int icmp = in.transport();
        int bytes = Checksums.transportLength(in);
        boolean asks = (in.protocol() == Frame.ICMPV6) == from.ipv6()
                && bytes >= Icmp.ECHO_HEADER
                && in.getByte(icmp) == (from.ipv6() ? Icmp.ECHO6 : Icmp.ECHO);
        if (!asks) {
            return;
        }
        if (Addresses.isGateway(to) || Addresses.isNameServer(to)) {
            System.arraycopy(
                    in.bytes(), icmp + 4, link.writer().frame().bytes(), FrameWriter.icmpRest(from.ipv6()), bytes - 4);
            link.echo(to, from, bytes);
        } else if (!echoes.ask(in, from, to, bytes)) {
            link.send(link.writer().unreachable(in.source(), in, FrameWriter.Unreachable.PROHIBITED));
        }
    }
}
