package io.javisor.networking.user;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Frames;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A guest's network stack, as far as tests need one: it sends what they say and keeps what comes. */
final class GuestStack implements Station {
    static final MacAddress MAC = Frames.A;
    static final MacAddress GATEWAY = Addresses.GATEWAY_MAC;
    static final String SELF = "10.0.2.15";
    static final String SELF6 = "fd4a:5600:2::15";
    static final String LINK6 = "fe80::15";

    private final LinkedBlockingQueue<Frame> arrived = new LinkedBlockingQueue<>();
    final SwitchPort port;

    GuestStack(VirtualSwitch net) {
        port = net.connect("guest", PortSettings.guest(MAC), this);
    }

    @Override
    public void receive(Frame frame) {
        Frame copy = new Frame(Math.max(60, frame.length()));
        System.arraycopy(frame.bytes(), 0, copy.bytes(), 0, frame.length());
        copy.begin(frame.length());
        copy.parse();
        arrived.add(copy);
    }

    void send(Frame frame) {
        port.send(frame);
    }

    /** The next frame that fits; others are forgotten. Null if none comes in time. */
    @Nullable
    Frame await(Predicate<Frame> which, long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        try {
            while (true) {
                Frame next = arrived.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
                if (next == null) {
                    return null;
                }
                if (which.test(next)) {
                    if (!next.isFragment() && (next.protocol() == Frame.TCP || next.protocol() == Frame.UDP)) {
                        assertThat(Checksums.isRight(next)).as("checksum").isTrue();
                    }
                    return next;
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    Frame expect(Predicate<Frame> which) {
        Frame found = await(which, 60_000);
        if (found == null) {
            throw new AssertionError("nothing has come that fits");
        }
        return found;
    }

    /** A DHCP message of one kind, with more options. */
    static Frame dhcp(int kind, byte... options) {
        ByteBuffer message = ByteBuffer.allocate(300);
        message.put(0, (byte) 1).put(1, (byte) 1).put(2, (byte) 6).putInt(4, 0x1234_5678);
        message.put(28, MAC.toByteArray()).putInt(236, 0x6382_5363);
        message.position(240)
                .put((byte) 53)
                .put((byte) 1)
                .put((byte) kind)
                .put(options)
                .put((byte) 255);
        return Frames.udp(MacAddress.BROADCAST, MAC, "0.0.0.0", 68, "255.255.255.255", 67, message.array());
    }

    void udp(String to, int toPort, int fromPort, byte[] content) {
        send(Frames.udp(GATEWAY, MAC, SELF, fromPort, to, toPort, content));
    }

    /** A TCP connection from a port of the guest's. */
    final class Connection {
        final String to;
        final int toPort;
        final int ownPort;
        int next = 1_000_000;
        int expected;
        boolean finished;

        Connection(String to, int toPort, int ownPort) {
            this.to = to;
            this.toPort = toPort;
            this.ownPort = ownPort;
        }

        boolean mine(Frame f) {
            return f.protocol() == Frame.TCP && f.destinationPort() == ownPort && f.sourcePort() == toPort;
        }

        void emit(int flags, byte[] content) {
            String self = to.contains(":") ? SELF6 : SELF;
            send(Frames.tcp(GATEWAY, MAC, self, ownPort, to, toPort, next, expected, flags, content));
            next += content.length + ((flags & 3) != 0 ? 1 : 0);
        }

        /** Opens it; returns whether the other side agreed. */
        boolean open() {
            emit(TcpFlow.SYN, new byte[0]);
            Frame answer = expect(this::mine);
            if ((answer.getByte(answer.transport() + 13) & TcpFlow.RST) != 0) {
                return false;
            }
            expected = answer.getInt(answer.transport() + 4) + 1;
            emit(TcpFlow.ACK, new byte[0]);
            return true;
        }

        /** Answers a SYN of the other side. */
        void accept(Frame syn) {
            expected = syn.getInt(syn.transport() + 4) + 1;
            emit(TcpFlow.SYN | TcpFlow.ACK, new byte[0]);
        }

        /** Takes segments in order until the other side is done or there are so many bytes; loses every nth the first time. */
        byte[] read(int bytes, int losing) {
            var all = new ByteArrayOutputStream();
            int count = 0;
            while (all.size() < bytes && !finished) {
                Frame f = expect(this::mine);
                int flags = f.getByte(f.transport() + 13);
                assertThat(flags & TcpFlow.RST).as("reset").isZero();
                int sequence = f.getInt(f.transport() + 4);
                int length = f.length() - f.payload();
                if (losing > 0 && length > 0 && ++count % losing == 0) {
                    continue;
                }
                if (sequence == expected) {
                    all.write(f.bytes(), f.payload(), length);
                    expected += length;
                    if ((flags & TcpFlow.FIN) != 0) {
                        expected++;
                        finished = true;
                    }
                }
                if (length > 0 || (flags & TcpFlow.FIN) != 0) {
                    emit(TcpFlow.ACK, new byte[0]);
                }
            }
            return all.toByteArray();
        }

        /** Sends content in segments, each when the one before has been acknowledged. */
        void write(byte[] content) {
            for (int at = 0; at < content.length; at += 1400) {
                emit(TcpFlow.ACK, Arrays.copyOfRange(content, at, Math.min(content.length, at + 1400)));
                int upTo = next;
                expect(f -> mine(f) && f.getInt(f.transport() + 8) == upTo);
            }
        }
    }
}
