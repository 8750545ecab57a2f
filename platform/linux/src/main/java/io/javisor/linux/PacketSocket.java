package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A station on the network that an interface of the host's is on (packet(7)): sees all that arrives there, whomever it is for,
 * and sends as if it were the interface. The host's own stack is no part of it: what it sends there is not seen here, and it does
 * not see what is sent here. Needs CAP_NET_RAW.
 */
public final class PacketSocket implements FrameDevice {
    private static final int PACKET = 17;
    private static final short ALL = 0x0300; // ETH_P_ALL in network order
    private static final int SOL_SOCKET = 1;
    private static final int SEND_BUFFER_FORCE = 32;
    private static final int RECEIVE_BUFFER_FORCE = 33;
    private static final int SOL_PACKET = 263;
    private static final int ADD_MEMBERSHIP = 1;
    private static final int AUXILIARY_DATA = 8;
    private static final int VNET_HEADER = 15;
    private static final int IGNORE_OUTGOING = 23;
    private static final short PROMISCUOUS = 1;
    private static final int BUFFER = 4 << 20;

    private static final int TAG_VALID = 0x10;
    private static final int TAG_PROTOCOL_VALID = 0x40;
    private static final int TAG = 4;
    private static final int BEFORE_TAG = HEADER_BYTES + 12;
    private static final short VLAN = (short) 0x8100;
    private static final ValueLayout.OfShort NETWORK_U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final Descriptor descriptor;
    private final String name;
    // struct msghdr: 16 vectors, 24 their number, 32 control, 40 its bytes, 48 flags; then an iovec, then what the
    // kernel says beside.
    private final MemorySegment message = Arena.ofAuto().allocate(56, 8);
    private final MemorySegment vector = Arena.ofAuto().allocate(16, 8);
    private final MemorySegment control = Arena.ofAuto().allocate(64, 8);

    private PacketSocket(Descriptor descriptor, String name) {
        this.descriptor = descriptor;
        this.name = name;
    }

    /**
     * Joins the network of an interface.
     *
     * @throws LinuxException with EPERM without CAP_NET_RAW, with ENODEV if there is no interface of the name, with EOPNOTSUPP if it
     *     is no Ethernet
     */
    public static PacketSocket open(String name) {
        HostInterface.mac(name);
        int index = HostInterface.index(name);
        CallState state = CallState.current();
        int fd = SocketCalls.socket(state, PACKET, SocketCalls.RAW, 0); // nothing is received before it is bound
        if (fd < 0) {
            throw new LinuxException("socket", "AF_PACKET, SOCK_RAW", -fd);
        }
        var socket = new PacketSocket(Descriptor.adopt(fd, "packets of " + name), name);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment on = arena.allocate(4, 4);
            on.set(JAVA_INT, 0, 1);
            socket.set(state, fd, "PACKET_VNET_HDR", VNET_HEADER, on);
            socket.set(state, fd, "PACKET_AUXDATA", AUXILIARY_DATA, on);
            socket.set(state, fd, "PACKET_IGNORE_OUTGOING", IGNORE_OUTGOING, on);
            MemorySegment membership = arena.allocate(16, 4); // struct packet_mreq
            membership.set(JAVA_INT, 0, index);
            membership.set(JAVA_SHORT, 4, PROMISCUOUS);
            socket.set(state, fd, "PACKET_ADD_MEMBERSHIP", ADD_MEMBERSHIP, membership);
            MemorySegment size = arena.allocate(4, 4);
            size.set(JAVA_INT, 0, BUFFER);
            // Without CAP_NET_ADMIN they stay as they are.
            SocketCalls.setsockopt(state, fd, SOL_SOCKET, SEND_BUFFER_FORCE, size);
            SocketCalls.setsockopt(state, fd, SOL_SOCKET, RECEIVE_BUFFER_FORCE, size);
            MemorySegment address = arena.allocate(20, 4); // struct sockaddr_ll
            address.set(JAVA_SHORT, 0, (short) PACKET);
            address.set(JAVA_SHORT, 2, ALL);
            address.set(JAVA_INT, 4, index);
            int result = SocketCalls.bind(state, fd, address);
            if (result < 0) {
                throw new LinuxException("bind", socket.descriptor.toString(), -result);
            }
            return socket;
        } catch (RuntimeException | Error e) {
            socket.close();
            throw e;
        }
    }

    private void set(CallState state, int fd, String what, int option, MemorySegment value) {
        int result = SocketCalls.setsockopt(state, fd, SOL_PACKET, option, value);
        if (result < 0) {
            throw new LinuxException("setsockopt", what + ", " + descriptor, -result);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Descriptor descriptor() {
        return descriptor;
    }

    /** One thread at a time. */
    @Override
    public int read(MemorySegment into) {
        long room = into.byteSize() - TAG;
        int fd = descriptor.acquire();
        try {
            long n;
            do {
                vector.set(JAVA_LONG, 0, into.address());
                vector.set(JAVA_LONG, 8, room);
                message.set(JAVA_LONG, 16, vector.address());
                message.set(JAVA_LONG, 24, 1);
                message.set(JAVA_LONG, 32, control.address());
                message.set(JAVA_LONG, 40, control.byteSize());
                n = SocketCalls.recvmsg(CallState.current(), fd, message, vector, into, control);
            } while (n == -Errno.EINTR);
            if (n < BEFORE_TAG) {
                // Nothing; or the interface is down, which may pass; or a packet of a kind that the header has no word
                // for.
                return 0;
            }
            return tagged(into, (int) n);
        } finally {
            descriptor.release();
        }
    }

    /** Puts a VLAN tag, which the kernel has taken out, into its place. Control: 0 bytes, 8 level, 12 type, 16 struct tpacket_auxdata. */
    private int tagged(MemorySegment into, int bytes) {
        boolean there = message.get(JAVA_LONG, 40) >= 36
                && control.get(JAVA_INT, 8) == SOL_PACKET
                && control.get(JAVA_INT, 12) == AUXILIARY_DATA;
        int status = there ? control.get(JAVA_INT, 16) : 0;
        if ((status & TAG_VALID) == 0) {
            return bytes;
        }
        MemorySegment.copy(into, BEFORE_TAG, into, BEFORE_TAG + TAG, bytes - BEFORE_TAG);
        into.set(NETWORK_U16, BEFORE_TAG, (status & TAG_PROTOCOL_VALID) != 0 ? control.get(JAVA_SHORT, 34) : VLAN);
        into.set(NETWORK_U16, BEFORE_TAG + 2, control.get(JAVA_SHORT, 32));
        return bytes + TAG;
    }

    @Override
    public boolean write(MemorySegment from, long bytes) {
        return descriptor.tryWrite(from, bytes) == bytes;
    }

    @Override
    public boolean write(IoVector from) {
        return descriptor.tryWrite(from) == from.byteSize();
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
