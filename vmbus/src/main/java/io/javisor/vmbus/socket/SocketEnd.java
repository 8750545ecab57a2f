package io.javisor.vmbus.socket;

import io.javisor.partition.reactor.Reactor;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.ChannelOffer;
import io.javisor.vmbus.channel.ChannelRefusedException;
import io.javisor.vmbus.channel.Packet;
import io.javisor.vmbus.protocol.HostMessage;
import io.javisor.vmbus.protocol.Octets;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The host's end of a socket: a device with one channel. Between its reactor and the threads that read and write stands a lock
 * that nobody holds for longer than a copy of 16 KiB.
 *
 * <pre>
 * packet   type:u32 = 1   bytes:u32   bytes
 * </pre>
 */
final class SocketEnd implements ChannelDevice, ChannelHandler {
    /** Bytes of content in a packet at most (HVS_MTU_SIZE). */
    static final int MTU = 16 * 1024;

    /** Bytes that were written and wait for room in the ring, at most. */
    static final int BUFFER = 64 * 1024;

    /** How long the guest may take to read what is left after a close. */
    static final long LINGER_NANOS = 10_000_000_000L;

    /** Packets that are moved before others have their turn on the reactor. */
    private static final int BUDGET = 64;

    private static final int ASK_SECONDS = 1;
    private static final long LINGER_STEP_NANOS = 20_000_000L;
    private static final int HEADER = 8;
    private static final int PACKET_DATA = 1;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What the socket's owner does when its state changes. */
    interface Owner {
        /** The guest opened it; on the reactor. */
        void opened(SocketEnd end);

        /** It is over on this side: take the offer back. */
        void finished(SocketEnd end);
    }

    private final ChannelOffer offer;
    private final Owner owner;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock.
    private final ArrayDeque<Packet> packets = new ArrayDeque<>(); // of the guest, unread; the first perhaps in part
    private int consumed; // of the first
    private byte[] leftover = new byte[0]; // what was unread when the channel closed
    private int leftoverAt;
    private final byte[] buffer = new byte[BUFFER];
    private int head;
    private int buffered;
    private boolean guestEnded;
    private boolean outputShut;
    private boolean closed; // by this side
    private boolean gone; // the channel
    private @Nullable Channel channel;

    // The reactor's.
    private final MemorySegment packet = MemorySegment.ofArray(new byte[HEADER + MTU]);
    private boolean endSent;
    private long lingered;
    private boolean lingering;
    private volatile boolean flushScheduled;

    SocketEnd(UUID type, UUID instance, boolean fromHost, Owner owner) {
        offer = new ChannelOffer(
                type,
                instance,
                HostMessage.FLAG_ENUMERATE | HostMessage.FLAG_NAMED_PIPE | HostMessage.FLAG_SOCKET,
                0,
                Octets.of((byte) 4, (byte) 0, (byte) 0, (byte) 0, (byte) (fromHost ? 1 : 0)));
        this.owner = owner;
    }

    // The device

    @Override
    public ChannelOffer offer() {
        return offer;
    }

    @Override
    public int maxPacketBytes() {
        return 16 + HEADER + MTU;
    }

    @Override
    public int maxPacketsHeld() {
        return 16;
    }

    @Override
    public ChannelHandler opened(Channel opened) {
        lock.lock();
        try {
            if (closed || channel != null) {
                throw new ChannelRefusedException("the socket is closed");
            }
            channel = opened;
        } finally {
            lock.unlock();
        }
        owner.opened(this);
        return this;
    }

    @Override
    public ChannelHandler restored(Channel opened) {
        throw new ChannelRefusedException("sockets do not outlive their machine's process");
    }

    @Override
    public void received(Packet received) {
        if (received.length() < HEADER) {
            throw new ChannelRefusedException("socket packet of " + received.length() + " bytes");
        }
        int type = received.getInt(0);
        int bytes = received.getInt(4);
        if (type != PACKET_DATA || bytes < 0 || bytes > MTU || bytes > received.length() - HEADER) {
            throw new ChannelRefusedException("socket packet of type " + type + " says it has "
                    + Integer.toUnsignedString(bytes) + " of " + (received.length() - HEADER) + " bytes");
        }
        boolean drop;
        lock.lock();
        try {
            if (bytes == 0) {
                guestEnded = true;
            }
            drop = bytes == 0 || closed || guestEnded;
            if (!drop) {
                packets.add(received);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (drop) {
            received.release();
            linger();
        }
    }

    @Override
    public void writable() {
        flush();
    }

    @Override
    public void closed() {
        lock.lock();
        try {
            gone = true;
            keepUnread();
            buffered = 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        owner.finished(this);
    }

    /** Copies what is unread, so that the guest gets its memory back though nobody has read yet. */
    private void keepUnread() {
        int bytes = -consumed;
        for (Packet one : packets) {
            bytes += one.getInt(4);
        }
        if (packets.isEmpty() || closed) {
            bytes = 0;
        }
        byte[] kept = new byte[bytes];
        int at = 0;
        for (Packet one : packets) {
            int n = one.getInt(4) - consumed;
            if (bytes != 0) {
                MemorySegment.copy(one.payload(), ValueLayout.JAVA_BYTE, HEADER + consumed, kept, at, n);
                at += n;
            }
            consumed = 0;
            one.release();
        }
        packets.clear();
        leftover = kept;
        leftoverAt = 0;
    }

    // Reading

    int read(ByteBuffer into) throws IOException, InterruptedException {
        Packet done = null;
        int n;
        lock.lockInterruptibly();
        try {
            while (true) {
                if (closed) {
                    throw new ClosedChannelException();
                }
                if (!into.hasRemaining()) {
                    return 0;
                }
                Packet first = packets.peek();
                if (first != null) {
                    int left = first.getInt(4) - consumed;
                    n = Math.min(into.remaining(), left);
                    into.put(into.position(), buffer(first, n), 0, n).position(into.position() + n);
                    consumed += n;
                    if (n == left) {
                        done = packets.remove();
                        consumed = 0;
                    }
                    break;
                }
                if (leftoverAt < leftover.length) {
                    n = Math.min(into.remaining(), leftover.length - leftoverAt);
                    into.put(leftover, leftoverAt, n);
                    leftoverAt += n;
                    return n;
                }
                if (guestEnded) {
                    return -1;
                }
                if (gone) {
                    throw new IOException("the guest closed the socket without ending its direction");
                }
                changed.await();
            }
        } finally {
            lock.unlock();
        }
        if (done != null) {
            done.release();
        }
        return n;
    }

    private ByteBuffer buffer(Packet first, int n) {
        return first.payload().asSlice(HEADER + consumed, n).asByteBuffer();
    }

    // Writing

    /**
     * Writes, waiting for room.
     *
     * @param limitNanos how long to wait at most
     * @return bytes written: all, unless the time was up
     */
    int write(ByteBuffer from, long limitNanos) throws IOException, InterruptedException {
        int total = from.remaining();
        long left = limitNanos;
        while (from.hasRemaining()) {
            lock.lockInterruptibly();
            try {
                while (buffered == BUFFER && !closed && !outputShut && !gone) {
                    if (left <= 0) {
                        return total - from.remaining();
                    }
                    left = changed.awaitNanos(left);
                }
                if (closed || outputShut) {
                    throw new ClosedChannelException();
                }
                if (gone) {
                    throw new IOException("the guest closed the socket");
                }
                int at = (head + buffered) % BUFFER;
                int n = Math.min(from.remaining(), Math.min(BUFFER - buffered, BUFFER - at));
                from.get(buffer, at, n);
                buffered += n;
            } finally {
                lock.unlock();
            }
            scheduleFlush();
        }
        return total;
    }

    /** Whether the guest's program has read all that was written, or never will. Asks the reactor, which others keep busy. */
    boolean isDrained() throws InterruptedException {
        Channel to;
        lock.lockInterruptibly();
        try {
            if (gone || closed) {
                return true;
            }
            if (buffered > 0 || channel == null) {
                return buffered == 0;
            }
            to = channel;
        } finally {
            lock.unlock();
        }
        try {
            return CompletableFuture.supplyAsync(() -> !to.isOpen() || to.isDrained(), to.reactor())
                    .get(ASK_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return false; // the reactor is busy, or stopped and forgot our question
        } catch (RejectedExecutionException | ExecutionException e) {
            return true; // the machine is closing, or the guest has spoilt its ring
        }
    }

    void shutdownOutput() {
        lock.lock();
        try {
            outputShut = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        scheduleFlush();
    }

    private void scheduleFlush() {
        Channel to = channel();
        if (to != null && !flushScheduled) {
            flushScheduled = true;
            try {
                to.reactor().execute(this::flush);
            } catch (RejectedExecutionException e) {
                closed(); // the machine is closing
            }
        }
    }

    private @Nullable Channel channel() {
        lock.lock();
        try {
            return channel;
        } finally {
            lock.unlock();
        }
    }

    /** Moves what was written into the ring, as much as there is room for; on the reactor. */
    private void flush() {
        flushScheduled = false;
        Channel to = channel();
        if (to == null || !to.isOpen()) {
            return;
        }
        int most = Math.min(MTU, (to.maxPayload() / 2) - HEADER);
        int count = 0;
        while (true) {
            if (count++ == BUDGET) {
                scheduleFlush();
                break;
            }
            int n;
            boolean last;
            lock.lock();
            try {
                n = Math.min(most, Math.min(buffered, BUFFER - head));
                MemorySegment.copy(buffer, head, packet, ValueLayout.JAVA_BYTE, HEADER, n);
                last = n == 0 && (outputShut || closed) && !endSent;
            } finally {
                lock.unlock();
            }
            if (n == 0 && !last) {
                break;
            }
            packet.set(U32, 0, PACKET_DATA);
            packet.set(U32, 4, n);
            if (!to.send(0, false, packet.asSlice(0, HEADER + n))) {
                break; // writable() comes
            }
            if (last) {
                endSent = true;
                break;
            }
            lock.lock();
            try {
                if (buffered > 0) { // not if it closed meanwhile
                    head = (head + n) % BUFFER;
                    buffered -= n;
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
        linger();
    }

    // The end

    boolean wasOpened() {
        return channel() != null;
    }

    boolean isOpen() {
        lock.lock();
        try {
            return !closed && !gone;
        } finally {
            lock.unlock();
        }
    }

    void close() {
        ArrayDeque<Packet> unread;
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            unread = new ArrayDeque<>(packets);
            packets.clear();
            consumed = 0;
            changed.signalAll();
            if (gone || channel == null) {
                unread.forEach(Packet::release);
                owner.finished(this);
                return;
            }
        } finally {
            lock.unlock();
        }
        unread.forEach(Packet::release);
        scheduleFlush();
    }

    /** After this side's close: waits until the guest has read what was sent, then takes the channel away; on the reactor. */
    private void linger() {
        Channel to = channel();
        if (to == null || lingering || !isClosed()) {
            return;
        }
        Reactor reactor = to.reactor();
        lingering = true;
        step(to, reactor);
    }

    private void step(Channel to, Reactor reactor) {
        boolean bothEnded = endSent && isGuestEnded() && to.isOpen() && to.isDrained();
        if (bothEnded || !to.isOpen() || lingered >= LINGER_NANOS) {
            owner.finished(this);
        } else {
            lingered += LINGER_STEP_NANOS;
            reactor.schedule(LINGER_STEP_NANOS, () -> step(to, reactor));
        }
    }

    private boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    private boolean isGuestEnded() {
        lock.lock();
        try {
            return guestEnded;
        } finally {
            lock.unlock();
        }
    }

    // Never saved: a socket's other end is a thread of this process.

    @Override
    public String stateName() {
        return "socket." + offer.instance();
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    @Override
    public void save(StateWriter out) {
        throw new IllegalStateException("sockets are not saved");
    }

    @Override
    public void restore(StateReader in) {
        throw new IllegalStateException("sockets are not saved");
    }
}
