package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A request to the kernel about an interface (rtnetlink(7)), and its answer.
 *
 * <pre>
 * 0 bytes   4 kind   6 flags   8 sequence   12 port     struct nlmsghdr
 * 16 family   18 type   20 index   24 flags   28 change     struct ifinfomsg
 * 32 attributes, each to 4: 0 bytes   2 kind   4 content
 * answer: 16 negative errno
 * </pre>
 */
final class RouteMessage {
    static final short NEW_LINK = 16;
    static final short DELETE_LINK = 17;

    private static final int NETLINK = 16;
    private static final int ROUTE = 0;
    private static final int REQUEST_AND_ACKNOWLEDGE = 0x5;
    private static final int CREATE_EXCLUSIVELY = 0x600;
    private static final short ANSWER = 2; // NLMSG_ERROR, also of 0
    private static final int UP = 1;
    private static final int MOST = 256;
    private static final int PATIENCE_MILLIS = 10_000;
    private static final short MAC = 1;
    private static final short NAME = 3;
    private static final short MTU = 4;
    private static final short LINK = 5;
    private static final short LINK_INFO = 18;
    private static final short INFO_KIND = 1;
    private static final short INFO_DATA = 2;
    private static final short MACVLAN_MODE = 1;
    private static final short VETH_PEER = 1;

    private final ByteBuffer message = ByteBuffer.allocate(MOST).order(ByteOrder.nativeOrder());

    RouteMessage(short kind, int index) {
        message.putShort(4, kind).putShort(6, (short) REQUEST_AND_ACKNOWLEDGE).putInt(20, index);
        message.position(32);
    }

    RouteMessage creating() {
        message.putShort(6, (short) (REQUEST_AND_ACKNOWLEDGE | CREATE_EXCLUSIVELY));
        return this;
    }

    RouteMessage up() {
        return up(true);
    }

    RouteMessage up(boolean up) {
        message.putInt(24, up ? UP : 0).putInt(28, UP);
        return this;
    }

    RouteMessage name(String name) {
        return attribute(NAME, (name + "\0").getBytes(StandardCharsets.UTF_8));
    }

    RouteMessage link(int index) {
        return attribute(LINK, number(index));
    }

    RouteMessage mac(long mac) {
        byte[] all = ByteBuffer.allocate(8).putLong(mac).array();
        return attribute(MAC, java.util.Arrays.copyOfRange(all, 2, 8));
    }

    RouteMessage macvtap(int mode) {
        int info = begin(LINK_INFO);
        attribute(INFO_KIND, "macvtap".getBytes(StandardCharsets.US_ASCII));
        int data = begin(INFO_DATA);
        attribute(MACVLAN_MODE, number(mode));
        end(data);
        end(info);
        return this;
    }

    RouteMessage mtu(int bytes) {
        return attribute(MTU, number(bytes));
    }

    /** Another interface at the other end of a virtual cable. */
    RouteMessage veth(String name, long mac, int mtu) {
        int info = begin(LINK_INFO);
        attribute(INFO_KIND, "veth".getBytes(StandardCharsets.US_ASCII));
        int data = begin(INFO_DATA);
        int peer = begin(VETH_PEER);
        message.putLong(0).putLong(0); // family, type, index, flags, change
        name(name).mac(mac).mtu(mtu);
        end(peer);
        end(data);
        end(info);
        return this;
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }

    private RouteMessage attribute(short kind, byte[] content) {
        int at = begin(kind);
        message.put(content);
        end(at);
        return this;
    }

    private int begin(short kind) {
        int at = message.position();
        message.putShort((short) 0).putShort(kind);
        return at;
    }

    private void end(int at) {
        message.putShort(at, (short) (message.position() - at));
        message.position(message.position() + 3 & ~3);
    }

    /**
     * Sends it, and waits for the answer.
     *
     * @param call what to name it in a message
     */
    void send(String call, String values) {
        CallState state = CallState.current();
        int length = message.position();
        message.putInt(0, length);
        int fd = SocketCalls.socket(state, NETLINK, SocketCalls.RAW, ROUTE);
        if (fd < 0) {
            throw new LinuxException("socket", "AF_NETLINK", -fd);
        }
        try (Descriptor socket = Descriptor.adopt(fd, "netlink");
                Epoll epoll = new Epoll(1);
                Arena arena = Arena.ofConfined()) {
            epoll.add(socket, Epoll.READABLE, 0);
            MemorySegment memory = arena.allocate(4096, 8);
            MemorySegment.copy(message.array(), 0, memory, JAVA_BYTE, 0, length);
            long n = FileCalls.write(state, fd, memory, length);
            if (n >= 0) {
                epoll.await(PATIENCE_MILLIS);
                n = FileCalls.read(state, fd, memory, memory.byteSize());
            }
            boolean answered = n >= 20 && memory.get(java.lang.foreign.ValueLayout.JAVA_SHORT, 4) == ANSWER;
            int error = n < 0 ? (int) -n : answered ? -memory.get(JAVA_INT, 16) : Errno.EIO;
            if (error != 0) {
                throw new LinuxException(call, values, error);
            }
        }
    }
}
