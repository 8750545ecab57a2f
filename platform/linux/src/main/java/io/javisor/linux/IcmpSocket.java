package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteOrder;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Asks one address for echoes (ping). Where the host's net.ipv4.ping_group_range has this process's group that needs no
 * privilege (icmp(7)); elsewhere CAP_NET_RAW. Sending is for one thread at a time, receiving for one; neither ever waits.
 *
 * <pre>
 * message: 0 type   1 code   2 checksum   4 identifier   6 number   8 …        in network order
 * </pre>
 */
public final class IcmpSocket implements AutoCloseable {
    /** Bytes of memory that {@link #receive} needs: an IP packet. */
    public static final int MOST_BYTES = 65_535;

    private static final int MOST_OTHERS = 64; // messages for other sockets that are looked at in one go
    private static final int INET = 2;
    private static final int INET6 = 10;
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final int SOL_RAW = 255;
    private static final int ICMP_FILTER = 1;
    private static final int ICMP6_FILTER = 1;
    private static final int ECHO_REPLY = 0;
    private static final int ECHO_REPLY6 = 129;
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final Descriptor descriptor;
    private final boolean ipv6;
    private final boolean raw;
    private final short identifier;

    private IcmpSocket(Descriptor descriptor, boolean ipv6, boolean raw) {
        this.descriptor = descriptor;
        this.ipv6 = ipv6;
        this.raw = raw;
        identifier = (short) ThreadLocalRandom.current().nextInt(1 << 16);
    }

    /**
     * Opens a socket to an address.
     *
     * @throws LinuxException with EACCES or EPERM if this process may not ping; with ENETUNREACH if there is no way to the address
     */
    public static IcmpSocket open(InetAddress to) {
        CallState state = CallState.current();
        boolean ipv6 = to instanceof Inet6Address;
        int family = ipv6 ? INET6 : INET;
        int protocol = ipv6 ? ICMPV6 : ICMP;
        boolean raw = false;
        int fd = SocketCalls.socket(state, family, SocketCalls.DATAGRAM, protocol);
        if (fd == -Errno.EACCES) {
            raw = true;
            int privileged = SocketCalls.socket(state, family, SocketCalls.RAW, protocol);
            fd = privileged == -Errno.EPERM ? fd : privileged;
        }
        if (fd < 0) {
            throw new LinuxException("socket", (ipv6 ? "AF_INET6" : "AF_INET") + ", ICMP", -fd);
        }
        var socket = new IcmpSocket(Descriptor.adopt(fd, "ICMP to " + to.getHostAddress()), ipv6, raw);
        try (Arena arena = Arena.ofConfined()) {
            if (raw) {
                socket.filter(state, arena, fd);
            }
            int result = SocketCalls.connect(state, fd, address(arena, to));
            if (result < 0) {
                throw new LinuxException("connect", socket.descriptor.toString(), -result);
            }
            return socket;
        } catch (RuntimeException | Error e) {
            socket.close();
            throw e;
        }
    }

    /** A raw socket sees all of the host's ICMP: only answers are of interest. */
    private void filter(CallState state, Arena arena, int fd) {
        int result;
        if (ipv6) {
            MemorySegment blocked = arena.allocate(32, 4); // a bit for each type, set: blocked
            blocked.fill((byte) 0xFF);
            blocked.set(JAVA_INT, ECHO_REPLY6 / 32 * 4, ~(1 << ECHO_REPLY6 % 32));
            result = SocketCalls.setsockopt(state, fd, ICMPV6, ICMP6_FILTER, blocked);
        } else {
            MemorySegment blocked = arena.allocate(4, 4);
            blocked.set(JAVA_INT, 0, ~(1 << ECHO_REPLY));
            result = SocketCalls.setsockopt(state, fd, SOL_RAW, ICMP_FILTER, blocked);
        }
        if (result < 0) {
            throw new LinuxException("setsockopt", "ICMP filter", -result);
        }
    }

    /** struct sockaddr_in: 0 family, 4 address; struct sockaddr_in6: 0 family, 8 address, 24 scope. */
    private static MemorySegment address(Arena arena, InetAddress to) {
        byte[] bytes = to.getAddress();
        boolean six = to instanceof Inet6Address;
        MemorySegment address = arena.allocate(six ? 28 : 16, 4);
        address.set(JAVA_SHORT, 0, (short) (six ? INET6 : INET));
        MemorySegment.copy(bytes, 0, address, JAVA_BYTE, six ? 8 : 4, bytes.length);
        return address;
    }

    /** The descriptor, for those who wait until there is something to receive. Closed with this. */
    public Descriptor descriptor() {
        return descriptor;
    }

    /**
     * Sends an echo request. Its identifier and checksum are overwritten.
     *
     * @param message native memory, of 8 bytes or more
     * @return false if the host did not take it
     */
    public boolean send(MemorySegment message, int bytes) {
        message.set(U16, 4, identifier);
        message.set(U16, 2, (short) 0);
        if (!ipv6) {
            message.set(U16, 2, (short) ~sum(message, bytes)); // version 6 has its checksum from the kernel
        }
        return descriptor.tryWrite(message, bytes) == bytes;
    }

    private static int sum(MemorySegment message, int bytes) {
        long sum = 0;
        for (int i = 0; i + 1 < bytes; i += 2) {
            sum += message.get(U16, i) & 0xFFFF;
        }
        if ((bytes & 1) != 0) {
            sum += (message.get(JAVA_BYTE, bytes - 1) & 0xFF) << 8;
        }
        sum = (sum >>> 16) + (sum & 0xFFFF);
        return (int) ((sum >>> 16) + (sum & 0xFFFF));
    }

    /**
     * Receives an answer.
     *
     * @param into native memory of {@link #MOST_BYTES}; the ICMP message is at its beginning then
     * @return bytes of the message; 0 if there is none now
     */
    public int receive(MemorySegment into) {
        int fd = descriptor.acquire();
        try {
            for (int i = 0; i < MOST_OTHERS; i++) {
                long n = FileCalls.read(CallState.current(), fd, into, into.byteSize());
                if (n == -Errno.EINTR) {
                    continue;
                }
                if (n <= 0) {
                    return 0; // nothing, or an error that an earlier question met: its answer does not come
                }
                int header = raw && !ipv6 ? (into.get(JAVA_BYTE, 0) & 0xF) * 4 : 0;
                int bytes = (int) n - header;
                if (bytes < 8) {
                    continue;
                }
                if (header > 0) {
                    MemorySegment.copy(into, header, into, 0, bytes);
                }
                boolean answers = (into.get(JAVA_BYTE, 0) & 0xFF) == (ipv6 ? ECHO_REPLY6 : ECHO_REPLY);
                if (answers && (!raw || into.get(U16, 4) == identifier)) {
                    return bytes;
                }
            }
            return 0; // others are asked too, and answered a lot: look again later
        } finally {
            descriptor.release();
        }
    }

    /** Closes it. Idempotent. */
    @Override
    public void close() {
        descriptor.close();
    }
}
