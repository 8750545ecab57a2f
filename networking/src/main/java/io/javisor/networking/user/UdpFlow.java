package io.javisor.networking.user;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/** Datagrams between a guest's port and one of somebody else's, over a connected socket of the host's. For the network's thread. */
final class UdpFlow implements Flow {
    private static final long IDLE_LIMIT = 60_000_000_000L;
    private static final int BURST = 64; // datagrams before others have their turn

    private final UserNetwork network;
    private final TcpFlow.Key key;
    private final DatagramChannel channel;
    private long deadline;

    UdpFlow(UserNetwork network, TcpFlow.Key key, DatagramChannel channel, InetSocketAddress to) throws IOException {
        this.network = network;
        this.key = key;
        this.channel = channel;
        channel.connect(to);
        network.register(channel, this).interestOps(java.nio.channels.SelectionKey.OP_READ);
        used();
    }

    TcpFlow.Key key() {
        return key;
    }

    private void used() {
        deadline = network.now() + IDLE_LIMIT;
        network.timerAt(deadline);
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
        Frame frame = network.writer().frame();
        for (int i = 0; i < BURST; i++) {
            try {
                ByteBuffer into = ByteBuffer.wrap(
                        frame.bytes(), FrameWriter.udpPayload(), frame.bytes().length - FrameWriter.udpPayload());
                int start = into.position();
                channel.read(into);
                int bytes = into.position() - start;
                if (bytes == 0) {
                    return;
                }
                used();
                network.emit(key, bytes);
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
        network.remove(this);
        close();
    }

    @Override
    public void close() {
        Flow.close(channel, false);
    }
}
