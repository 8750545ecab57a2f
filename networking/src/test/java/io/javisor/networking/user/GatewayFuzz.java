package io.javisor.networking.user;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.junit.jupiter.api.Tag;

/** What a guest may send to the gateway, as the input says. What comes back has to be right to the last checksum. */
@Tag("fuzz")
class GatewayFuzz {
    private static final int MTU = 1500;
    private static final byte[] HEAD4 = Frames.hex("4a5600000202 02000000000a 0800 45000000 00000000 40");
    private static final byte[] HEAD6 = Frames.hex("4a5600000202 02000000000a 86dd 60000000 0000");

    /** A gateway that nobody else uses, without a thread; nothing outside can be reached, so that no input finds a way there. */
    private static final class Alone {
        final NetworkLoop loop = new NetworkLoop("fuzz", frame -> {}, () -> {});
        final GuestLink link = new GuestLink(MTU, GatewayFuzz::check);
        final Flows flows;
        final Gateway gateway;

        Alone() {
            var spec = UserNetworkSpec.DEFAULT
                    .egress(EgressPolicy.NONE)
                    .nameServers(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9));
            var destinations = new Destinations(spec);
            flows = new Flows(loop, link, destinations);
            gateway = new Gateway(
                    link,
                    flows,
                    new Echoes(loop, link, destinations),
                    new DhcpServer(MTU),
                    new NeighbourDiscovery(link, loop, true),
                    destinations);
        }
    }

    private static void check(Frame out) {
        byte[] content = out.toByteArray();
        boolean large = out.mss() != 0;
        if (content.length < 14 || (!large && content.length > 14 + MTU) || content.length > Frame.MOST_BYTES) {
            throw new AssertionError(content.length + " bytes");
        }
        boolean checked = out.protocol() == Frame.TCP || out.protocol() == Frame.UDP;
        if (checked && !out.isFragment() && !out.openChecksum() && !Checksums.isRight(out)) {
            throw new AssertionError("checksum");
        }
        if (out.source() != Addresses.GATEWAY_MAC.value()) {
            throw new AssertionError("not from the gateway");
        }
    }

    /** Frames one after another, each after two bytes of its length; the highest bits choose the beginning of its headers. */
    @FuzzTest(maxDuration = "5m")
    void frames(byte[] input) {
        var alone = new Alone();
        var frame = new Frame(); // one for all, as an adapter has it
        try {
            for (int at = 0; at + 2 <= input.length; ) {
                int head = (input[at] & 0xFF) >>> 6;
                int length = Math.min((input[at] & 0x0F) << 8 | input[at + 1] & 0xFF, input.length - at - 2);
                byte[] before = head == 0 ? HEAD4 : head == 1 ? HEAD6 : new byte[0];
                System.arraycopy(before, 0, frame.bytes(), 0, before.length);
                System.arraycopy(input, at + 2, frame.bytes(), before.length, length);
                frame.begin(before.length + length);
                if (head == 0) {
                    frame.putShort(16, before.length + length - 14);
                    frame.putInt(26, 0x0A00_020F);
                } else if (head == 1) {
                    frame.putShort(18, Math.max(0, before.length + length - 54));
                    frame.putByte(21, 255);
                    frame.putLong(22, Addresses.PREFIX6);
                    frame.putLong(30, 0x15);
                }
                if (frame.parse()) {
                    alone.gateway.received(frame);
                }
                at += 2 + length;
            }
        } finally {
            alone.loop.close();
        }
    }

    /**
     * A guest's segments over a connection to a forwarded port, with a socket of this process's at its other end: for each, 12 bytes of
     * flags, window, how far sequence and acknowledgement are from what is right, and length; between them the other end writes, reads
     * or closes.
     */
    @FuzzTest(maxDuration = "5m")
    void segments(byte[] input) throws IOException {
        try (var server = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel host = SocketChannel.open(server.getLocalAddress())) {
            var guest = new Guest();
            host.configureBlocking(false);
            try {
                guest.alone.link.neighbours().meet(IpAddress.ipv4(Addresses.FIRST_LEASE), Frames.A.value());
                guest.alone.flows.accepted(server.accept(), IpAddress.ipv4(Addresses.FIRST_LEASE), 80);
                guest.run(input, host);
            } finally {
                guest.alone.loop.close();
            }
        }
    }

    private static final class Guest {
        private final Alone alone = new Alone();
        private int own = 1000;

        void run(byte[] input, SocketChannel host) throws IOException {
            int gateway = alone.link.writer().frame().getInt(38); // its number is random; what is right is near it
            for (int at = 0; at + 12 <= input.length; at += 12) {
                ByteBuffer in = ByteBuffer.wrap(input, at, 12);
                int flags = in.get() & 0x3F;
                int action = in.get() & 3;
                int window = in.getShort() & 0xFFFF;
                int sequence = own + in.getShort();
                int acknowledged = gateway + in.getShort();
                int length = in.getShort() & 0x7FF;
                act(action, at, host);
                Frame segment = Frames.tcp(
                        Addresses.GATEWAY_MAC,
                        Frames.A,
                        "10.0.2.15",
                        80,
                        "10.0.2.2",
                        32_768,
                        sequence,
                        acknowledged,
                        flags,
                        new byte[length]);
                segment.putShort(48, window);
                alone.gateway.received(segment);
                gateway = alone.link.writer().frame().getInt(38);
                own = alone.link.writer().frame().getInt(42);
                alone.loop.turnOnce();
            }
        }

        private static void act(int action, int at, SocketChannel host) {
            try {
                if (action == 1) {
                    host.write(ByteBuffer.wrap(new byte[1000]));
                } else if (action == 2) {
                    host.read(ByteBuffer.allocate(4096));
                } else if (action == 3 && at > 100) {
                    host.shutdownOutput();
                }
            } catch (IOException e) {
                return; // the guest has reset the connection
            }
        }
    }
}
