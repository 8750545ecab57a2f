package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Network interfaces of the host: what they are, and macvtap interfaces made and removed (rtnetlink(7)). Safe from any thread. */
public final class HostInterface {
    private static final int INET = 2;
    private static final long SIOCGIFHWADDR = 0x8927;
    private static final int ETHERNET = 1; // ARPHRD_ETHER

    private HostInterface() {}

    /**
     * An interface's number.
     *
     * @throws LinuxException with ENODEV if there is none of the name
     */
    public static int index(String name) {
        try (Arena arena = Arena.ofConfined()) {
            int index = SocketCalls.ifNameToIndex(CallState.current(), arena.allocateFrom(name));
            if (index == 0) {
                throw new LinuxException("if_nametoindex", name, Errno.ENODEV);
            }
            return index;
        }
    }

    /**
     * An Ethernet interface's MAC address, the first byte on the wire in bits 47 to 40.
     *
     * @throws LinuxException with ENODEV if there is none of the name, with EOPNOTSUPP if it is of another kind
     */
    public static long mac(String name) {
        int fd = SocketCalls.socket(CallState.current(), INET, SocketCalls.DATAGRAM, 0);
        if (fd < 0) {
            throw new LinuxException("socket", "AF_INET, SOCK_DGRAM", -fd);
        }
        try (Descriptor socket = Descriptor.adopt(fd, "socket");
                Arena arena = Arena.ofConfined()) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            MemorySegment request = arena.allocate(40, 8); // struct ifreq: 0 name, 16 kind of address, 18 address
            MemorySegment.copy(bytes, 0, request, JAVA_BYTE, 0, Math.min(bytes.length, TapDevice.MOST_NAME));
            int result = socket.tryIoctl(CallState.current(), SIOCGIFHWADDR, request);
            if (result < 0) {
                throw new LinuxException("SIOCGIFHWADDR", name, -result);
            }
            if (request.get(JAVA_SHORT, 16) != ETHERNET) {
                throw new LinuxException(
                        "SIOCGIFHWADDR", name + " is of kind " + request.get(JAVA_SHORT, 16), Errno.EOPNOTSUPP);
            }
            long mac = 0;
            for (int i = 0; i < 6; i++) {
                mac = mac << 8 | request.get(JAVA_BYTE, 18 + i) & 0xFF;
            }
            return mac;
        }
    }

    /**
     * Sets an interface's MAC address.
     *
     * @throws LinuxException with EPERM without CAP_NET_ADMIN
     */
    public static void setMac(String name, long mac) {
        new RouteMessage(RouteMessage.NEW_LINK, index(name)).mac(mac).send("RTM_NEWLINK", name);
    }

    /**
     * Makes a macvtap interface and brings it up.
     *
     * @param name that it shall have
     * @param lower the interface whose network it is on
     * @param mode how it stands to others on the lower interface: 1 private, 2 VEPA, 4 bridge, 8 passthru (linux/if_link.h)
     * @param mac its address
     * @throws LinuxException with EPERM without CAP_NET_ADMIN, with EEXIST if the name is taken, with EBUSY if the lower interface is
     *     somebody else's, with EOPNOTSUPP if the kernel has no macvtap
     */
    public static void makeMacvtap(String name, String lower, int mode, long mac) {
        int link = index(lower);
        new RouteMessage(RouteMessage.NEW_LINK, 0)
                .creating()
                .up()
                .name(name)
                .link(link)
                .mac(mac)
                .macvtap(mode)
                .send("RTM_NEWLINK", name + " on " + lower);
    }

    /**
     * Makes two interfaces at the ends of one virtual cable (veth), and brings both up.
     *
     * @param name of one
     * @param mac its address
     * @param peer name of the other
     * @param peerMac its address
     * @param mtu of both, in bytes
     * @throws LinuxException with EPERM without CAP_NET_ADMIN, with EEXIST if a name is taken, with EOPNOTSUPP if the kernel has
     *     no veth
     */
    public static void makeVeth(String name, long mac, String peer, long peerMac, int mtu) {
        new RouteMessage(RouteMessage.NEW_LINK, 0)
                .creating()
                .name(name)
                .mac(mac)
                .mtu(mtu)
                .veth(peer, peerMac, mtu)
                .send("RTM_NEWLINK", name + " and " + peer);
        setUp(peer, true); // neither can be before the other is there
        setUp(name, true);
    }

    /** Sets the most bytes of a frame's payload. */
    public static void setMtu(String name, int mtu) {
        new RouteMessage(RouteMessage.NEW_LINK, index(name)).mtu(mtu).send("RTM_NEWLINK", name + ", MTU " + mtu);
    }

    /**
     * Brings an interface up or down.
     *
     * @throws LinuxException with EPERM without CAP_NET_ADMIN, with ENODEV if there is none of the name
     */
    public static void setUp(String name, boolean up) {
        new RouteMessage(RouteMessage.NEW_LINK, index(name)).up(up).send("RTM_NEWLINK", name + (up ? " up" : " down"));
    }

    /**
     * Removes an interface.
     *
     * @throws LinuxException with EPERM without CAP_NET_ADMIN, with ENODEV if it is gone
     */
    public static void remove(String name) {
        new RouteMessage(RouteMessage.DELETE_LINK, index(name)).send("RTM_DELLINK", name);
    }
}
