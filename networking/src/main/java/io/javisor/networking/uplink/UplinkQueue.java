package io.javisor.networking.uplink;

import io.javisor.linux.Epoll;
import io.javisor.linux.EventFd;
import io.javisor.linux.FrameDevice;
import io.javisor.linux.IoVector;
import io.javisor.linux.LinuxException;
import io.javisor.networking.frame.Checksums;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.FrameBody;
import io.javisor.networking.frame.Segments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** One queue of an uplink: those who send write, one thread reads. Safe from any thread; allocates nothing for a frame. */
final class UplinkQueue implements AutoCloseable {
    private static final int NEEDS_CHECKSUM = 1;
    private static final int TCP_IPV4 = 1;
    private static final int TCP_IPV6 = 4;
    private static final int KIND = 0x7F; // without the bit that tells of congestion
    private static final int BUFFER = FrameDevice.HEADER_BYTES + 4 + Frame.MOST_BYTES;
    private static final int BURST = 64; // frames before it is looked whether it shall end
    private static final int MOST_PIECES = 64; // of a frame: pages, and what is before them
    private static final long DEVICE = 1;
    private static final long END = 2;
    private static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfShort NETWORK_U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final FrameDevice device;
    private final Consumer<Frame> in;
    private final LongAdder lost;
    private final EventFd end = new EventFd();
    private final Epoll epoll = new Epoll(2);
    private final ReentrantLock writing = new ReentrantLock();
    private final MemorySegment outgoing = Arena.ofAuto().allocate(BUFFER, 8);
    private final IoVector pieces = new IoVector(MOST_PIECES);
    private final FrameBody.Pieces addPiece = this::addPiece;
    private final Thread reader;
    private volatile boolean closed;

    /**
     * A queue that has not begun to read.
     *
     * @param device which is its own from here on
     * @param in takes what the host sends
     * @param lost counts frames that one side did not take
     */
    UplinkQueue(FrameDevice device, int number, Consumer<Frame> in, LongAdder lost) {
        this.device = device;
        this.in = in;
        this.lost = lost;
        epoll.add(device.descriptor(), Epoll.READABLE, DEVICE);
        epoll.add(end.descriptor(), Epoll.READABLE, END);
        reader = Thread.ofPlatform()
                .daemon()
                .name("javisor-uplink-" + device.name() + "-" + number)
                .unstarted(this::read);
    }

    void start() {
        reader.start();
    }

    /** Gives the host a frame. */
    void write(Frame frame) {
        writing.lock();
        try {
            if (closed) {
                return;
            }
            int tag = frame.vlan() == 0 && frame.priority() == 0 ? 0 : 4;
            header(frame, tag);
            int at = FrameDevice.HEADER_BYTES;
            int first = frame.held();
            if (tag == 0) {
                frame.copy(0, outgoing, at, first);
            } else {
                frame.copy(0, outgoing, at, 12);
                outgoing.set(NETWORK_U16, at + 12, (short) Frame.VLAN);
                outgoing.set(NETWORK_U16, at + 14, (short) (frame.priority() << 13 | frame.vlan()));
                frame.copy(12, outgoing, at + 16, first - 12);
            }
            if (!write(frame, at + tag, first)) {
                lost.increment();
            }
        } finally {
            writing.unlock();
        }
    }

    /** Writes a frame whose first bytes are there: the others from where they lie, if the kernel can find them. */
    private boolean write(Frame frame, int before, int first) {
        int rest = frame.length() - first;
        if (rest == 0) {
            return device.write(outgoing, before + first);
        }
        pieces.clear();
        try {
            pieces.add(outgoing, 0, before + first);
            if (frame.gather(first, rest, addPiece) && pieces.fitsOneCall()) {
                return device.write(pieces);
            }
        } finally {
            pieces.clear();
        }
        frame.copy(first, outgoing, before + first, rest);
        return device.write(outgoing, before + frame.length());
    }

    private boolean addPiece(MemorySegment memory, long at, long count) {
        boolean possible = memory.isNative() && pieces.size() < pieces.capacity();
        if (possible) {
            pieces.add(memory, at, count);
        }
        return possible;
    }

    private void header(Frame frame, int tag) {
        FrameDevice.plainHeader(outgoing);
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

    private void read() {
        MemorySegment incoming = Arena.ofAuto().allocate(BUFFER, 8);
        FrameBody content = new Incoming(incoming);
        Frame frame = new Frame();
        try {
            while (!closed) {
                epoll.await(-1);
                for (int i = 0; i < BURST && !closed; i++) {
                    int bytes = device.read(incoming);
                    if (bytes == 0) {
                        break;
                    }
                    if (!take(incoming, bytes, content, frame)) {
                        lost.increment();
                    }
                }
            }
        } catch (LinuxException | IllegalStateException e) {
            if (!closed) {
                System.getLogger("io.javisor.networking")
                        .log(System.Logger.Level.ERROR, "the interface " + device.name() + " is lost", e);
            }
        }
    }

    /** What was read, behind its header. */
    private record Incoming(MemorySegment memory) implements FrameBody {
        @Override
        public void copy(int from, MemorySegment into, long to, int count) {
            MemorySegment.copy(memory, U8, (long) FrameDevice.HEADER_BYTES + from, into, U8, to, count);
        }

        @Override
        public boolean gather(int from, int count, Pieces to) {
            return to.add(memory, (long) FrameDevice.HEADER_BYTES + from, count);
        }
    }

    private boolean take(MemorySegment incoming, int bytes, FrameBody content, Frame frame) {
        int length = bytes - FrameDevice.HEADER_BYTES;
        if (length < Frame.HEADER || length > Frame.MOST_BYTES) {
            return false;
        }
        frame.begin(length, content, 0);
        if (!frame.parse()) {
            return false;
        }
        boolean open = (incoming.get(U8, 0) & NEEDS_CHECKSUM) != 0;
        if (open && frame.transport() != 0 && (frame.protocol() == Frame.TCP || frame.protocol() == Frame.UDP)) {
            Checksums.open(frame);
        }
        int kind = incoming.get(U8, 1) & KIND;
        if (kind == TCP_IPV4 || kind == TCP_IPV6) {
            frame.setMss(incoming.get(U16, 4) & 0xFFFF);
            if (!Segments.canCut(frame)) {
                return false;
            }
        } else if (kind != 0) {
            return false; // of large packets, only those of TCP are known here
        }
        in.accept(frame);
        return true;
    }

    /** Lets go of the device, and waits for the thread to end. Idempotent. */
    @Override
    public void close() {
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
        device.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
