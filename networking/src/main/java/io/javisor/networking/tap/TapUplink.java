package io.javisor.networking.tap;

import io.javisor.linux.Epoll;
import io.javisor.linux.EventFd;
import io.javisor.linux.LinuxException;
import io.javisor.linux.TapDevice;
import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.Segments;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.HypervisorException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A TAP interface on a port of a switch. Checksums and large packets go over it as they are, both ways: the host's kernel
 * finishes what leaves it. One thread reads; those who send write. Bringing the interface up, and giving it an address or a
 * bridge, is the host's administrator's. Safe from any thread.
 *
 * <pre>
 * struct virtio_net_hdr: 0 flags (1: checksum open)   1 kind (1 TCP/IPv4, 4 TCP/IPv6)   2 header bytes   4 MSS
 *                        6 checksum from   8 field of it, from there
 * </pre>
 */
public final class TapUplink implements Station, AutoCloseable {
    private static final int NEEDS_CHECKSUM = 1;
    private static final int TCP_IPV4 = 1;
    private static final int TCP_IPV6 = 4;
    private static final int KIND = 0x7F; // without the bit that tells of congestion
    private static final int BUFFER = TapDevice.HEADER_BYTES + 4 + Frame.MOST_BYTES;
    private static final int BURST = 64; // frames before it is looked whether it shall end
    private static final long TAP = 1;
    private static final long END = 2;
    private static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfShort NETWORK_U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final TapDevice tap;
    private final SwitchPort port;
    private final EventFd end = new EventFd();
    private final Epoll epoll = new Epoll(2);
    private final ReentrantLock writing = new ReentrantLock();
    private final MemorySegment outgoing = Arena.ofAuto().allocate(BUFFER, 8);
    private final LongAdder lost = new LongAdder();
    private final Thread reader;
    private volatile boolean closed;

    /**
     * Attaches an interface to a switch; it is made if it is not there, and lives then as long as this.
     *
     * @param name of the interface
     * @param settings of its port
     * @throws HypervisorException with code {@code tap} if the host refuses
     */
    public TapUplink(VirtualSwitch on, String name, PortSettings settings) {
        try {
            tap = TapDevice.open(name);
        } catch (LinuxException e) {
            end.close();
            epoll.close();
            throw new HypervisorException(
                    "tap",
                    "can't attach to the TAP interface " + name + ": " + e.getMessage(),
                    e.call(),
                    e.errno(),
                    "have it made for this user: ip tuntap add dev " + name + " mode tap user $USER; ip link set "
                            + name + " up",
                    e);
        }
        epoll.add(tap.descriptor(), Epoll.READABLE, TAP);
        epoll.add(end.descriptor(), Epoll.READABLE, END);
        port = on.connect("tap " + name, settings, this);
        reader = Thread.ofPlatform().daemon().name("javisor-tap-" + name).unstarted(this::read);
        reader.start();
    }

    /** Its port. */
    public SwitchPort port() {
        return port;
    }

    /** Frames that the interface did not take. */
    public long framesLost() {
        return lost.sum();
    }

    // To the host

    @Override
    public void receive(Frame frame) {
        writing.lock();
        try {
            if (closed) {
                return;
            }
            int tag = frame.vlan() == 0 && frame.priority() == 0 ? 0 : 4;
            header(frame, tag);
            int at = TapDevice.HEADER_BYTES;
            if (tag == 0) {
                MemorySegment.copy(frame.segment(), 0, outgoing, at, frame.length());
            } else {
                MemorySegment.copy(frame.segment(), 0, outgoing, at, 12);
                outgoing.set(NETWORK_U16, at + 12, (short) Frame.VLAN);
                outgoing.set(NETWORK_U16, at + 14, (short) (frame.priority() << 13 | frame.vlan()));
                MemorySegment.copy(frame.segment(), 12, outgoing, at + 16, frame.length() - 12);
            }
            if (!tap.write(outgoing, at + tag + frame.length())) {
                lost.increment();
            }
        } finally {
            writing.unlock();
        }
    }

    private void header(Frame frame, int tag) {
        TapDevice.plainHeader(outgoing);
        if (frame.openChecksum()) {
            outgoing.set(U8, 0, (byte) NEEDS_CHECKSUM);
            outgoing.set(U16, 6, (short) (frame.transport() + tag));
            outgoing.set(U16, 8, (short) (frame.protocol() == Frame.TCP ? 16 : 6));
        }
        if (frame.mss() != 0) {
            outgoing.set(U8, 1, (byte) (frame.etherType() == Frame.IPV4 ? TCP_IPV4 : TCP_IPV6));
            outgoing.set(U16, 2, (short) (frame.payload() + tag));
            outgoing.set(U16, 4, (short) frame.mss());
        }
    }

    @Override
    public boolean takesLarge(int etherType) {
        return true;
    }

    @Override
    public boolean takesOpenChecksums() {
        return true;
    }

    // From the host

    private void read() {
        MemorySegment incoming = Arena.ofAuto().allocate(BUFFER, 8);
        Frame frame = new Frame();
        try {
            while (!closed) {
                epoll.await(-1);
                for (int i = 0; i < BURST && !closed; i++) {
                    int bytes = tap.read(incoming);
                    if (bytes == 0) {
                        break;
                    }
                    take(incoming, bytes, frame);
                }
            }
        } catch (LinuxException | IllegalStateException e) {
            if (!closed) {
                System.getLogger("io.javisor.networking")
                        .log(System.Logger.Level.ERROR, "the TAP interface " + tap.name() + " is lost", e);
            }
        }
    }

    private void take(MemorySegment incoming, int bytes, Frame frame) {
        int length = bytes - TapDevice.HEADER_BYTES;
        if (length < Frame.HEADER || length > Frame.MOST_BYTES) {
            return;
        }
        MemorySegment.copy(incoming, TapDevice.HEADER_BYTES, frame.segment(), 0, length);
        frame.begin(length);
        if (!frame.parse()) {
            return;
        }
        boolean open = (incoming.get(U8, 0) & NEEDS_CHECKSUM) != 0;
        if (open && frame.transport() != 0 && (frame.protocol() == Frame.TCP || frame.protocol() == Frame.UDP)) {
            Checksums.open(frame);
        }
        int kind = incoming.get(U8, 1) & KIND;
        if (kind == TCP_IPV4 || kind == TCP_IPV6) {
            frame.setMss(incoming.get(U16, 4) & 0xFFFF);
            if (!Segments.canCut(frame)) {
                return;
            }
        }
        port.send(frame);
    }

    /** Lets go of the interface, and waits for the thread to end. Idempotent. */
    @Override
    public void close() {
        port.close();
        writing.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            writing.unlock();
        }
        end.signal();
        boolean interrupted = false;
        while (reader.isAlive() && !Thread.currentThread().equals(reader)) {
            try {
                reader.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        epoll.close();
        end.close();
        tap.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
