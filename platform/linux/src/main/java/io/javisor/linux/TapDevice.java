package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * One end of a TAP interface, or one queue of it (linux/if_tun.h): what is written here the host's network stack receives on the
 * interface, what it sends there is read here. A macvtap interface is one whose other end is not the host's stack but the network
 * that a lower interface is on (linux/if_macvlan.h).
 */
public final class TapDevice implements FrameDevice {
    /** Letters of an interface's name at most (IFNAMSIZ, less the end). */
    public static final int MOST_NAME = 15;

    private static final String PATH = "/dev/net/tun";
    private static final int AT_FDCWD = -100;
    private static final int READ_WRITE_NON_BLOCKING = 0x2 | 0x800 | 0x80000; // and close-on-exec
    private static final long TUNSETIFF = 0x4004_54CAL;
    private static final long TUNSETOFFLOAD = 0x4004_54D0L;
    private static final long TUNSETVNETHDRSZ = 0x4004_54D8L;
    private static final short TAP = 0x0002;
    private static final short NO_PACKET_INFO = 0x1000;
    private static final short VNET_HEADER = 0x4000;
    private static final short MULTI_QUEUE = 0x0100;
    private static final long CHECKSUMS_AND_TCP = 0x1 | 0x2 | 0x4; // TUN_F_CSUM, TSO4, TSO6

    private final Descriptor descriptor;
    private final String name;

    private TapDevice(Descriptor descriptor, String name) {
        this.descriptor = descriptor;
        this.name = name;
    }

    /**
     * Attaches to a TAP interface that has one queue; if there is none of the name it is made, and lives until this is closed.
     *
     * @param name 1 to {@link #MOST_NAME} letters, as the host knows it
     * @throws LinuxException with EPERM if that needs CAP_NET_ADMIN: an interface that was made for this user before does not;
     *     with EBUSY if somebody is attached to it; with EINVAL if it was made for several queues
     */
    public static TapDevice open(String name) {
        return open(name, false);
    }

    /**
     * Attaches one more queue to a TAP interface that may have several.
     *
     * @throws LinuxException as {@link #open(String)}; with EINVAL if the interface was made for one queue, with E2BIG if it has 256
     */
    public static TapDevice openQueue(String name) {
        return open(name, true);
    }

    private static TapDevice open(String name, boolean several) {
        checkName(name);
        Descriptor descriptor = opened(PATH, "TAP " + name);
        return attach(descriptor, name, (short) (TAP | NO_PACKET_INFO | VNET_HEADER | (several ? MULTI_QUEUE : 0)));
    }

    /**
     * Attaches one more queue to a macvtap interface that is there.
     *
     * @throws LinuxException with ENODEV if there is none of the name, with ENOENT if its device is not in /dev or it is no macvtap
     *     interface, with EACCES if that belongs to somebody else, with EBUSY if it has as many queues as it can
     */
    public static TapDevice openMacvtap(String name) {
        checkName(name);
        Descriptor descriptor = opened("/dev/tap" + HostInterface.index(name), "macvtap " + name);
        return attach(descriptor, name, (short) (TAP | NO_PACKET_INFO | VNET_HEADER | MULTI_QUEUE));
    }

    private static void checkName(String name) {
        if (!isName(name)) {
            throw new IllegalArgumentException("\"" + name + "\" is not the name of an interface");
        }
    }

    private static Descriptor opened(String path, String what) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = FileCalls.openat(
                    CallState.current(), AT_FDCWD, arena.allocateFrom(path), READ_WRITE_NON_BLOCKING, 0);
            if (fd < 0) {
                throw new LinuxException("openat", path, -fd);
            }
            return Descriptor.adopt(fd, what);
        }
    }

    private static TapDevice attach(Descriptor descriptor, String name, short flags) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(40, 8); // struct ifreq
            MemorySegment.copy(bytes, 0, request, JAVA_BYTE, 0, bytes.length);
            request.set(JAVA_SHORT, 16, flags);
            descriptor.ioctl("TUNSETIFF", TUNSETIFF, request);
            MemorySegment size = arena.allocate(4, 4);
            size.set(JAVA_INT, 0, HEADER_BYTES);
            descriptor.ioctl("TUNSETVNETHDRSZ", TUNSETVNETHDRSZ, size);
            descriptor.ioctl("TUNSETOFFLOAD", TUNSETOFFLOAD, CHECKSUMS_AND_TCP);
            return new TapDevice(descriptor, name);
        } catch (RuntimeException | Error e) {
            descriptor.close();
            throw e;
        }
    }

    /** Whether an interface can have a name. */
    public static boolean isName(String name) {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        return bytes > 0 && bytes <= MOST_NAME && !name.matches("(?s).*[\\s/%\\x00].*");
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Descriptor descriptor() {
        return descriptor;
    }

    @Override
    public int read(MemorySegment into) {
        long n = descriptor.tryRead(into);
        if (n >= 0 || n == -Errno.EAGAIN) {
            return (int) Math.max(n, 0);
        }
        throw new LinuxException("read", descriptor.toString(), (int) -n);
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
