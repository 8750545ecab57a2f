package io.javisor.networking.user;

import io.javisor.networking.frame.Frame;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;

/** The connections and datagram flows of a user-mode network: finds the one of a packet, or begins one. For the network's thread. */
final class Flows {
    /** Of both kinds at the same time. */
    static final int MOST = 1024;

    private static final int FIRST_FORWARD_PORT = 32_768;
    private static final int GREATEST_PORT = 65_535;

    private final NetworkLoop loop;
    private final GuestLink link;
    private final Destinations destinations;
    private final Map<FlowKey, TcpFlow> tcp = new HashMap<>();
    private final Map<FlowKey, UdpFlow> udp = new HashMap<>();
    private final SecureRandom random = new SecureRandom();
    private int nextForwardPort = FIRST_FORWARD_PORT;

    Flows(NetworkLoop loop, GuestLink link, Destinations destinations) {
        this.loop = loop;
        this.link = link;
        this.destinations = destinations;
    }

    NetworkLoop loop() {
        return loop;
    }

    GuestLink link() {
        return link;
    }

    int initialSequence() {
        return random.nextInt();
    }

    private boolean isFull() {
        return tcp.size() + udp.size() >= MOST;
    }

    void remove(TcpFlow flow) {
        loop.forget(flow);
        tcp.remove(flow.key(), flow);
    }

    void remove(UdpFlow flow) {
        loop.forget(flow);
        udp.remove(flow.key(), flow);
    }

    private static FlowKey key(Frame in, IpAddress from, IpAddress to) {
        return new FlowKey(from, in.sourcePort(), to, in.destinationPort());
    }

    /** A guest's TCP segment. */
    void tcp(Frame in, IpAddress from, IpAddress to) {
        FlowKey key = key(in, from, to);
        TcpFlow flow = tcp.get(key);
        if (flow != null) {
            flow.received(in);
            return;
        }
        int flags = in.getByte(in.transport() + 13);
        if ((flags & TcpFlow.RST) != 0) {
            return;
        }
        boolean wanted = (flags & (TcpFlow.SYN | TcpFlow.ACK)) == TcpFlow.SYN;
        InetSocketAddress there = wanted ? destinations.of(to, key.remotePort()) : null;
        if (there == null || isFull()) {
            link.send(link.writer().reset(in.source(), in));
            return;
        }
        SocketChannel channel = null;
        TcpFlow begun = null;
        try {
            channel = SocketChannel.open();
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            begun = new TcpFlow(this, key, channel, in);
            tcp.put(key, begun);
            begun.connect(there);
        } catch (IOException | RuntimeException e) {
            if (begun != null) {
                remove(begun);
            }
            if (channel != null) {
                Flow.close(channel, false);
            }
            link.send(link.writer().reset(in.source(), in));
        }
    }

    /** A guest's datagram. */
    void udp(Frame in, IpAddress from, IpAddress to) {
        FlowKey key = key(in, from, to);
        UdpFlow flow = udp.get(key);
        if (flow == null) {
            InetSocketAddress there = destinations.of(to, key.remotePort());
            if (there == null) {
                boolean gateway = Addresses.isGateway(to) || Addresses.isNameServer(to);
                link.send(link.writer()
                        .unreachable(
                                in.source(),
                                in,
                                gateway ? FrameWriter.Unreachable.PORT : FrameWriter.Unreachable.PROHIBITED));
                return;
            }
            if (isFull()) {
                return;
            }
            DatagramChannel channel = null;
            try {
                channel = DatagramChannel.open();
                flow = new UdpFlow(this, key, channel, there);
                udp.put(key, flow);
            } catch (IOException | RuntimeException e) {
                if (channel != null) {
                    Flow.close(channel, false);
                }
                return;
            }
        }
        flow.received(in);
    }

    /** Somebody has connected to a forwarded port: goes on to a port of the first guest's. */
    void accepted(SocketChannel channel, IpAddress guest, int guestPort) throws IOException {
        int own = nextForwardPort;
        nextForwardPort = own == GREATEST_PORT ? FIRST_FORWARD_PORT : own + 1;
        var key = new FlowKey(guest, guestPort, Addresses.GATEWAY4, own);
        if (isFull() || tcp.containsKey(key)) {
            Flow.close(channel, true);
            return;
        }
        try {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            var begun = new TcpFlow(this, key, channel);
            tcp.put(key, begun);
            begun.ask();
        } catch (IOException | RuntimeException e) {
            Flow.close(channel, true);
            throw e;
        }
    }
}
