package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;

/** Datagrams between a guest's port and one of somebody else's, over a connected socket of the host's. For the network's thread. */
final class UdpFlow implements Flow {
    private static final long IDLE_LIMIT = 60_000_000_000L;
    private static final int BURST = 64; // datagrams before others have their turn
    private static final int MOST_BYTES = 65_507; // of a datagram's content (RFC 768, in a packet of RFC 791)

    private final Flows flows;
    private final FlowKey key;
    private final DatagramChannel channel;
    private long deadline;

    UdpFlow(Flows flows, FlowKey key, DatagramChannel channel, InetSocketAddress to) throws IOException {
        this.flows = flows;
        this.key = key;
        this.channel = channel;
        channel.connect(to);
        deadline = NetworkLoop.now() + IDLE_LIMIT;
        flows.loop().register(channel, this).interestOps(SelectionKey.OP_READ);
    }

    FlowKey key() {
        return key;
    }

    private void used() {
        deadline = NetworkLoop.now() + IDLE_LIMIT;
        flows.loop().timerAt(deadline);
    }

    /** A datagram of the guest's. */
    void received(Frame frame) {
        int bytes = Math.min(frame.getShort(frame.transport() + 4), Checksums.transportLength(frame)) - 8;
        if (bytes < 0) {
            return;
        }
        used();
        try {
            channel.write(ByteBuffer.wrap(frame.bytes(), frame.payload(), bytes));
        } catch (IOException e) {
            // Nobody listens, or the host's buffers are full: datagrams get lost.
            return;
        }
    }

    @Override
    public void ready() {
        Frame frame = flows.link().writer().frame();
        int payload = FrameWriter.udpPayload(key.ipv6());
        for (int i = 0; i < BURST; i++) {
            try {
                ByteBuffer into =
                        ByteBuffer.wrap(frame.bytes(), payload, Math.min(MOST_BYTES, frame.bytes().length - payload));
                if (channel.read(into) <= 0 && into.position() == payload) {
                    return; // nothing more, or a datagram of nothing, which nobody misses
                }
                used();
                flows.link().datagram(key, into.position() - payload);
            } catch (IOException e) {
                return; // refused there; the guest finds out by itself
            }
        }
    }

    @Override
    public long deadline() {
        return deadline;
    }

    @Override
    public void timedOut() {
        flows.remove(this);
        close();
    }

    @Override
    public void close() {
        Flow.close(channel, false);
    }
}
