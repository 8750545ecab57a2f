package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * One end of a TAP interface (linux/if_tun.h): what is written here the host's network stack receives on the interface, what it
 * sends there is read here. Each frame follows a header that says what is left to be done to it (struct virtio_net_hdr). Safe
 * from any thread; reading and writing never wait, and allocate nothing.
 */
public final class TapDevice implements AutoCloseable {
    /** Bytes of the header before each frame. */
    public static final int HEADER_BYTES = 10;

    /** Letters of an interface's name at most (IFNAMSIZ, less the end). */
    public static final int MOST_NAME = 15;

    private static final String PATH = "/dev/net/tun";
    private static final int AT_FDCWD = -100;
    private static final int READ_WRITE_NON_BLOCKING = 0x2 | 0x800 | 0x80000; // and close-on-exec
    private static final long TUNSETIFF = 0x4004_54CAL;
    private static final long TUNSETOFFLOAD = 0x4004_54D0L;
    private static final short TAP = 0x0002;
    private static final short NO_PACKET_INFO = 0x1000;
    private static final short VNET_HEADER = 0x4000;
    private static final long CHECKSUMS_AND_TCP = 0x1 | 0x2 | 0x4; // TUN_F_CSUM, TSO4, TSO6

    private final Descriptor descriptor;
    private final String name;

    private TapDevice(Descriptor descriptor, String name) {
        this.descriptor = descriptor;
        this.name = name;
    }

    /**
     * Attaches to a TAP interface; if there is none of the name it is made, and lives until this is closed.
     *
     * @param name 1 to {@link #MOST_NAME} letters, as the host knows it
     * @throws LinuxException with EPERM if that needs CAP_NET_ADMIN: an interface that was made for this user before does not;
     *     with EBUSY if somebody is attached to it
     */
    public static TapDevice open(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (!isName(name)) {
            throw new IllegalArgumentException("\"" + name + "\" is not the name of an interface");
        }
        CallState state = CallState.current();
        try (Arena arena = Arena.ofConfined()) {
            int fd = FileCalls.openat(state, AT_FDCWD, arena.allocateFrom(PATH), READ_WRITE_NON_BLOCKING, 0);
            if (fd < 0) {
                throw new LinuxException("openat", PATH, -fd);
            }
            Descriptor descriptor = Descriptor.adopt(fd, "TAP " + name);
            try {
                MemorySegment request = arena.allocate(40, 8); // struct ifreq
                MemorySegment.copy(bytes, 0, request, JAVA_BYTE, 0, bytes.length);
                request.set(JAVA_SHORT, 16, (short) (TAP | NO_PACKET_INFO | VNET_HEADER));
                descriptor.ioctl("TUNSETIFF", TUNSETIFF, request);
                descriptor.ioctl("TUNSETOFFLOAD", TUNSETOFFLOAD, CHECKSUMS_AND_TCP);
                return new TapDevice(descriptor, name);
            } catch (RuntimeException | Error e) {
                descriptor.close();
                throw e;
            }
        }
    }

    /** Whether an interface can have a name. */
    public static boolean isName(String name) {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        return bytes > 0 && bytes <= MOST_NAME && !name.matches("(?s).*[\\s/%\\x00].*");
    }

    /** The interface's name. */
    public String name() {
        return name;
    }

    /** The descriptor, for those who wait until there is something to read. Closed with this. */
    public Descriptor descriptor() {
        return descriptor;
    }

    /**
     * Reads a frame after its header.
     *
     * @param into native memory
     * @return bytes in all; 0 if there is none now
     */
    public int read(MemorySegment into) {
        int fd = descriptor.acquire();
        try {
            long n;
            do {
                n = FileCalls.read(CallState.current(), fd, into, into.byteSize());
            } while (n == -Errno.EINTR);
            if (n >= 0 || n == -Errno.EAGAIN) {
                return (int) Math.max(n, 0);
            }
            throw new LinuxException("read", descriptor.toString(), (int) -n);
        } finally {
            descriptor.release();
        }
    }

    /**
     * Writes a frame after its header.
     *
     * @param from native memory
     * @param bytes of it
     * @return false if the frame is lost: the interface is down, or has no room, or does not like it
     */
    public boolean write(MemorySegment from, long bytes) {
        if (bytes > from.byteSize()) {
            throw new IndexOutOfBoundsException(bytes + " bytes of " + from.byteSize());
        }
        int fd = descriptor.acquire();
        try {
            long n;
            do {
                n = FileCalls.write(CallState.current(), fd, from, bytes);
            } while (n == -Errno.EINTR);
            return n == bytes;
        } finally {
            descriptor.release();
        }
    }

    /** Lets go of the interface. Idempotent. */
    @Override
    public void close() {
        descriptor.close();
    }

    /** Writes the header of a frame with nothing left to do. */
    public static void plainHeader(MemorySegment at) {
        at.set(JAVA_INT.withByteAlignment(1), 0, 0);
        at.set(JAVA_INT.withByteAlignment(1), 4, 0);
        at.set(JAVA_SHORT.withByteAlignment(1), 8, (short) 0);
    }
}
