package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * A way for Ethernet frames into the host's kernel and out of it. Each frame follows a header that says what is left to be done
 * to it (struct virtio_net_hdr). Safe from any thread; reading and writing never wait, and allocate nothing.
 *
 * <pre>
 * 0 flags (1: checksum open)   1 kind (1 TCP/IPv4, 4 TCP/IPv6)   2 header bytes   4 MSS   6 checksum from   8 field of it, from there
 * </pre>
 */
public sealed interface FrameDevice extends AutoCloseable permits TapDevice, PacketSocket {
    /** Bytes of the header before each frame. */
    int HEADER_BYTES = 10;

    /** The interface's name. */
    String name();

    /** The descriptor, for those who wait until there is something to read. Closed with this. */
    Descriptor descriptor();

    /**
     * Reads a frame after its header; a VLAN tag is in its place.
     *
     * @param into native memory, of which the last 4 bytes stay free for a tag
     * @return bytes in all; 0 if there is none now
     * @throws LinuxException if there will be none any more
     */
    int read(MemorySegment into);

    /**
     * Writes a frame after its header.
     *
     * @param from native memory
     * @param bytes of it
     * @return false if the frame is lost: the interface is down, or has no room, or does not like it
     */
    boolean write(MemorySegment from, long bytes);

    /**
     * Writes a frame that lies in several pieces after its header; the kernel copies them from where they are.
     *
     * @param from pieces that {@linkplain IoVector#fitsOneCall fit one call}
     * @return false if the frame is lost
     */
    boolean write(IoVector from);

    /** Lets go of the interface. Idempotent. */
    @Override
    void close();

    /** Writes the header of a frame with nothing left to do. */
    static void plainHeader(MemorySegment at) {
        at.set(JAVA_INT_UNALIGNED, 0, 0);
        at.set(JAVA_INT_UNALIGNED, 4, 0);
        at.set(JAVA_SHORT_UNALIGNED, 8, (short) 0);
    }
}
