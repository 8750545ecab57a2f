package io.javisor.networking.user;

import io.javisor.networking.frame.Frame;
import java.util.function.Consumer;

/** The way from the gateway to the guests: who is where, and the frames for them. For the network's thread. */
final class GuestLink {
    private final FrameWriter writer = new FrameWriter();
    private final Fragments fragments = new Fragments();
    private final Neighbours neighbours = new Neighbours();
    private final int mtu;
    private final Consumer<Frame> out;

    /**
     * @param mtu bytes of the largest packet
     * @param out takes what goes to the guests
     */
    GuestLink(int mtu, Consumer<Frame> out) {
        this.mtu = mtu;
        this.out = out;
    }

    int mtu() {
        return mtu;
    }

    /** What makes frames; whoever fills its frame hands it over before anybody else's turn. */
    FrameWriter writer() {
        return writer;
    }

    Neighbours neighbours() {
        return neighbours;
    }

    void send(Frame frame) {
        out.accept(frame);
    }

    /** Asks where a guest is. */
    private void ask(IpAddress guest) {
        send(guest.ipv6() ? NeighbourDiscovery.solicitation(writer, guest) : writer.arpQuestion(guest.bits32()));
    }

    /** A TCP segment whose options and payload are in the writer's frame; if nobody knows where to, it is lost, and sent again later. */
    void tcp(FlowKey key, int mss, int sequence, int acknowledged, int flags, int window, int options, int bytes) {
        Long mac = neighbours.of(key.guest());
        if (mac == null) {
            ask(key.guest());
        } else {
            send(writer.tcp(mac, key, mss, sequence, acknowledged, flags, window, options, bytes));
        }
    }

    /** A datagram whose payload is in the writer's frame. */
    void datagram(FlowKey key, int bytes) {
        Long mac = neighbours.of(key.guest());
        if (mac == null) {
            ask(key.guest());
        } else {
            Frame whole = writer.udp(mac, key.remote(), key.remotePort(), key.guest(), key.guestPort(), bytes);
            fragments.cut(whole, mtu, out);
        }
    }

    /** The answer to an echo, whose bytes from the fifth on are in the writer's frame. */
    void echo(IpAddress from, IpAddress guest, int bytes) {
        Long mac = neighbours.of(guest);
        if (mac != null) {
            send(writer.icmp(mac, from, guest, guest.ipv6() ? Icmp.ECHO_REPLY6 : Icmp.ECHO_REPLY, 0, bytes));
        }
    }
}
