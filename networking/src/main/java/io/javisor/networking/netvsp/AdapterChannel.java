package io.javisor.networking.netvsp;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.FrameBody;
import io.javisor.networking.frame.FrameQueue;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.Packet;
import io.javisor.vmbus.ring.PacketTypes;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One queue of an adapter: a channel, both ways. {@link #deliver} is called from any thread; the rest belongs to the channel's
 * reactor.
 */
final class AdapterChannel implements ChannelHandler {
    /** Answers to the guest's requests that wait for room; it asks one thing at a time. */
    private static final int MOST_ANSWERS = 64;

    /** Bytes that hold every field that is looked at. */
    private static final int LEAST_MESSAGE = 16;

    /** Sections of the largest packet that a guest takes in parts (Linux: NVSP_RSC_MAX). */
    private static final int MOST_PARTS = 562;

    private static final int MOST_HEADER = Rndis.PACKET_HEADER + 4 * 16;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final MemorySegment DATA = rndisPacket(Nvsp.DATA);
    private static final MemorySegment CONTROL = rndisPacket(Nvsp.CONTROL);
    private static final MemorySegment DONE = completion(Nvsp.STATUS_SUCCESS);
    private static final MemorySegment REFUSED = completion(Nvsp.STATUS_INVALID_PACKET);
    private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

    private enum Filled {
        YES,
        /** There is no section free. */
        LATER,
        /** It can't be, whatever the guest does. */
        NEVER
    }

    private final NetworkAdapter adapter;
    private final Channel channel;
    private final int index;
    private final RndisReader reader = new RndisReader();
    private final FrameQueue queue = new FrameQueue();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Runnable drain = this::drainLater;
    private final ArrayDeque<byte[]> answers = new ArrayDeque<>();
    private final byte[] header = new byte[MOST_HEADER];
    private final MemorySegment headerSegment = MemorySegment.ofArray(header);
    private int[] ranges = new int[8];
    private boolean blocked;

    // Who holds the lock fills sections of the receive buffer, which wait for the reactor in a list.
    private final Object toGuest = new Object();
    private @Nullable ReceiveBuffer filled;
    private int first = ReceiveBuffer.NONE;
    private int last = ReceiveBuffer.NONE;
    private boolean still;
    private volatile boolean closed;

    AdapterChannel(NetworkAdapter adapter, Channel channel) {
        this.adapter = adapter;
        this.channel = channel;
        index = channel.subChannelIndex();
        still = channel.isPaused();
    }

    private static MemorySegment rndisPacket(int kind) {
        byte[] bytes = new byte[16];
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(Nvsp.RNDIS_PACKET)
                .putInt(kind)
                .putInt(Nvsp.NO_SECTION)
                .putInt(0);
        return MemorySegment.ofArray(bytes).asReadOnly();
    }

    private static MemorySegment completion(int status) {
        byte[] bytes = new byte[8];
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(Nvsp.RNDIS_PACKET_COMPLETE)
                .putInt(status);
        return MemorySegment.ofArray(bytes).asReadOnly();
    }

    // From the guest

    @Override
    public void received(Packet packet) {
        switch (packet.type()) {
            case PacketTypes.COMPLETION -> {
                ReceiveBuffer buffer = adapter.session().receiveBuffer();
                boolean known = buffer == null || buffer.complete(packet.transactionId(), index);
                long transaction = packet.transactionId();
                packet.release();
                if (!known) {
                    channel.fail("a completion of transaction " + transaction + ", which is not under way");
                }
            }
            case PacketTypes.IN_BAND, PacketTypes.GPA_DIRECT -> {
                if (packet.length() < LEAST_MESSAGE) {
                    channel.fail("an NVSP message of " + packet.length() + " bytes");
                    packet.release();
                } else if (packet.getInt(0) == Nvsp.RNDIS_PACKET) {
                    rndis(packet);
                } else {
                    message(packet);
                }
            }
            default -> {
                channel.fail("a packet of type " + packet.type());
                packet.release();
            }
        }
    }

    @SuppressWarnings("ByteBufferBackingArray") // the session allocates its answers
    private void message(Packet packet) {
        if (index != 0) {
            packet.release();
            channel.fail("an NVSP message on sub-channel " + index);
            return;
        }
        ByteBuffer answer;
        try {
            answer = adapter.session().answer(channel, packet);
        } catch (RuntimeException e) {
            packet.release();
            throw e;
        }
        int type = packet.getInt(0);
        packet.complete(answer == null ? NOTHING : MemorySegment.ofArray(answer.array()));
        if (type == Nvsp.SUB_CHANNELS && answer != null && answer.getInt(8) > 0) {
            channel.offerSubChannels(answer.getInt(8));
        }
    }

    private void rndis(Packet packet) {
        int kind = packet.getInt(4);
        int section = packet.getInt(8);
        int bytes = packet.getInt(12);
        LentMemory sendBuffer = null;
        long from = 0;
        if (section != Nvsp.NO_SECTION) {
            sendBuffer = adapter.session().sendBuffer();
            from = Integer.toUnsignedLong(section) * Nvsp.SEND_SECTION_BYTES;
            if (sendBuffer == null
                    || bytes < 0
                    || bytes > Nvsp.SEND_SECTION_BYTES
                    || from > sendBuffer.length() - bytes) {
                packet.release();
                channel.fail("an RNDIS packet of " + bytes + " bytes in section " + section + " of the send buffer");
                return;
            }
        }
        reader.begin(sendBuffer, from, bytes, packet.buffer());
        long wait = 0;
        boolean sense = true;
        try {
            if (kind == Nvsp.CONTROL) {
                sense = control();
            } else {
                RndisReader.Found found;
                while ((found = reader.next()) == RndisReader.Found.FRAME) {
                    wait = Math.max(wait, adapter.sent(reader.frame()));
                }
                sense = found == RndisReader.Found.END;
            }
        } finally {
            reader.finish();
            if (wait <= 0) {
                packet.complete(sense ? DONE : REFUSED);
            } else {
                // The guest has its buffers back when the port's bandwidth allows more; until then it sends less.
                later(packet, wait);
            }
        }
        if (kind == Nvsp.CONTROL) {
            drainNow();
        }
    }

    private void later(Packet packet, long nanos) {
        try {
            channel.reactor().schedule(Math.min(nanos, SwitchPort.MOST_WAIT_NANOS), () -> packet.complete(DONE));
        } catch (RejectedExecutionException e) {
            packet.release(); // the machine is being closed
        }
    }

    private boolean control() {
        int length = reader.length();
        if (index != 0 || length > RndisControl.MOST_REQUEST_BYTES || answers.size() >= MOST_ANSWERS) {
            channel.fail("an RNDIS request of " + length + " bytes on channel " + index + ", " + answers.size()
                    + " answers waiting");
            return true;
        }
        byte[] request = new byte[length];
        reader.copy(0, MemorySegment.ofArray(request), 0, length);
        byte[] answer = adapter.control().answer(ByteBuffer.wrap(request).order(ByteOrder.LITTLE_ENDIAN));
        if (answer != null) {
            answers.add(answer);
        }
        return true;
    }

    @Override
    public void batchReceived() {
        if (blocked) {
            drainNow();
        }
    }

    @Override
    public void writable() {
        drainNow();
    }

    @Override
    public void gpadlReleased(int gpadl) {
        adapter.session().gpadlReleased(gpadl);
    }

    @Override
    public void paused() {
        synchronized (toGuest) {
            still = true;
        }
    }

    @Override
    public void resumed() {
        synchronized (toGuest) {
            still = false;
        }
        drainNow();
    }

    @Override
    public void closed() {
        synchronized (toGuest) {
            closed = true;
            forget();
            queue.clear();
        }
        answers.clear();
        adapter.closed(this);
    }

    /** The receive buffer that there was is not the guest's to lend any more. From any thread. */
    void receiveBufferGone() {
        synchronized (toGuest) {
            forget();
        }
    }

    private void forget() {
        ReceiveBuffer buffer = filled;
        for (int next = first; next != ReceiveBuffer.NONE && buffer != null; ) {
            int sections = next;
            next = buffer.following(sections);
            buffer.giveBack(sections);
            adapter.lost();
        }
        filled = null;
        first = ReceiveBuffer.NONE;
        last = ReceiveBuffer.NONE;
    }

    // To the guest

    Channel channel() {
        return channel;
    }

    int index() {
        return index;
    }

    /**
     * Takes a frame for the guest: copies it to where the guest will find it, or keeps a copy until there is room. From any thread.
     *
     * @return false if it is lost
     */
    boolean deliver(Frame frame, int checksumInfo, int hash) {
        synchronized (toGuest) {
            if (closed) {
                return false;
            }
            Filled now = still || !queue.isEmpty()
                    ? Filled.LATER
                    : fill(frame, frame.length(), frame.vlan(), frame.priority(), checksumInfo, frame.mss(), hash);
            if (now == Filled.NEVER || (now == Filled.LATER && !queue.put(frame, checksumInfo, hash))) {
                return false;
            }
        }
        if (channel.reactor().isCurrent()) {
            drainNow();
        } else {
            wake();
        }
        return true;
    }

    private void wake() {
        // Pairs with the clear in drainLater(): a frame put after the clear finds false, and schedules.
        if (scheduled.compareAndSet(false, true)) {
            try {
                channel.reactor().execute(drain);
            } catch (RejectedExecutionException e) {
                closed = true; // so is the machine
            }
        }
    }

    private void drainLater() {
        scheduled.set(false);
        drainNow();
    }

    private void drainNow() {
        blocked = false;
        if (closed || channel.isPaused()) {
            return;
        }
        for (byte[] answer = answers.peek(); answer != null; answer = answers.peek()) {
            if (!sendControl(answer)) {
                // For want of a section, or of room in the ring: what waits in sections may go on nevertheless, and
                // frees them.
                blocked = true;
                break;
            }
            answers.remove();
        }
        while (sendNext()) {
            // one more
        }
    }

    /** Sends what waits longest; false if nothing waits, or it has to wait on. */
    private boolean sendNext() {
        synchronized (toGuest) {
            ReceiveBuffer buffer = filled;
            if (closed || still) {
                return false;
            }
            if (first == ReceiveBuffer.NONE || buffer == null) {
                return queue.next() && fillFromQueue();
            }
            if (!send(buffer, first, DATA)) {
                blocked = true;
                return false;
            }
            first = buffer.following(first);
            return true;
        }
    }

    private boolean fillFromQueue() {
        Filled now = fill(
                queue, queue.length(), queue.vlan(), queue.priority(), queue.checksumInfo(), queue.mss(), queue.hash());
        if (now == Filled.LATER) {
            blocked = true;
            return false;
        }
        if (now == Filled.NEVER) {
            adapter.lost();
        }
        queue.remove();
        return true;
    }

    /** Sends the guest an RNDIS message on its own account. From any thread; only of the primary channel. */
    void tell(byte[] message) {
        try {
            channel.reactor().execute(() -> {
                if (!closed && answers.size() < MOST_ANSWERS) {
                    answers.add(message);
                    drainNow();
                }
            });
        } catch (RejectedExecutionException e) {
            // the machine is being closed
        }
    }

    /** Sends an RNDIS message; true also if there is nowhere to send it to. */
    private boolean sendControl(byte[] message) {
        ReceiveBuffer buffer = adapter.session().receiveBuffer();
        if (buffer == null || message.length > buffer.sectionBytes()) {
            return true;
        }
        int section = buffer.take(1);
        if (section == ReceiveBuffer.NONE) {
            return false;
        }
        buffer.memory()
                .write((long) section * buffer.sectionBytes(), MemorySegment.ofArray(message), 0, message.length);
        buffer.setBytes(section, message.length);
        if (!send(buffer, section, CONTROL)) {
            buffer.giveBack(section);
            return false;
        }
        return true;
    }

    /** Fills sections with a frame, which then wait; with the lock. */
    private Filled fill(FrameBody from, int length, int vlan, int priority, int checksumInfo, int mss, int hash) {
        ReceiveBuffer buffer = adapter.session().receiveBuffer();
        if (buffer == null) {
            return Filled.NEVER;
        }
        int before = header(vlan, priority, checksumInfo, hash, false);
        int most = buffer.sectionBytes();
        int parts = 1;
        if (before + length > most) {
            if (mss == 0) {
                return Filled.NEVER;
            }
            before = header(vlan, priority, checksumInfo, hash, true);
            parts = (length + most - before - 1) / (most - before);
            if (parts > MOST_PARTS) {
                return Filled.NEVER;
            }
        }
        int sections = buffer.take(parts);
        if (sections == ReceiveBuffer.NONE) {
            return Filled.LATER;
        }
        try {
            fill(buffer, sections, parts, before, from, length);
        } catch (IllegalStateException e) {
            if (buffer.memory().isAlive()) {
                throw e;
            }
            closed = true; // so is the machine
            return Filled.NEVER;
        }
        if (first == ReceiveBuffer.NONE) {
            filled = buffer;
            first = sections;
        } else {
            buffer.setFollowing(last, sections);
        }
        buffer.setFollowing(sections, ReceiveBuffer.NONE);
        last = sections;
        return Filled.YES;
    }

    private void fill(ReceiveBuffer buffer, int sections, int parts, int before, FrameBody from, int length) {
        int most = buffer.sectionBytes();
        int done = 0;
        int section = sections;
        for (int part = 0; part < parts; part++) {
            int n = Math.min(length - done, most - before);
            if (parts > 1) {
                int flags = Rndis.ID_PART | (part == 0 ? Rndis.ID_FIRST : 0) | (part == parts - 1 ? Rndis.ID_LAST : 0);
                INT.set(header, before - 4, Rndis.ID_VERSION | flags << 8);
            }
            INT.set(header, 4, before + n);
            INT.set(header, 12, n);
            long to = (long) section * most;
            buffer.memory().write(to, headerSegment, 0, before);
            buffer.memory().write(to + before, from, done, n);
            buffer.setBytes(section, before + n);
            done += n;
            section = parts > 1 ? buffer.after(section) : section;
        }
    }

    /** Tells the guest of a transaction; on the reactor. */
    private boolean send(ReceiveBuffer buffer, int sections, MemorySegment message) {
        int parts = 0;
        for (int section = sections; section != ReceiveBuffer.NONE; section = buffer.after(section)) {
            if (ranges.length < 2 * parts + 2) {
                ranges = Arrays.copyOf(ranges, 4 * ranges.length);
            }
            ranges[2 * parts] = buffer.bytes(section);
            ranges[2 * parts + 1] = section * buffer.sectionBytes();
            parts++;
        }
        if (!channel.sendTransferPages(sections, buffer.id(), ranges, parts, message)) {
            return false;
        }
        buffer.sent(sections, index);
        return true;
    }

    /** Makes an RNDIS packet's header; returns its length. What depends on the part is filled in later. */
    private int header(int vlan, int priority, int checksumInfo, int hash, boolean parts) {
        int at = Rndis.PACKET_HEADER;
        if (checksumInfo != 0) {
            at = info(at, Rndis.INFO_CHECKSUM, checksumInfo);
        }
        if (vlan != 0 || priority != 0) {
            at = info(at, Rndis.INFO_VLAN, vlan << 4 | priority);
        }
        if (hash != 0) {
            at = info(at, Rndis.INFO_HASH, hash);
        }
        if (parts) {
            at = info(at, Rndis.INFO_PACKET_ID, 0);
        }
        INT.set(header, 0, Rndis.PACKET);
        INT.set(header, 8, at - Rndis.BASE);
        INT.set(header, 28, at == Rndis.PACKET_HEADER ? 0 : Rndis.PACKET_HEADER - Rndis.BASE);
        INT.set(header, 32, at - Rndis.PACKET_HEADER);
        return at;
    }

    private int info(int at, int kind, int value) {
        INT.set(header, at, 16);
        INT.set(header, at + 4, kind);
        INT.set(header, at + 8, Rndis.INFO_HEADER);
        INT.set(header, at + 12, value);
        return at + 16;
    }

    /** Answers that the guest has not had yet, for saved state. */
    ArrayDeque<byte[]> answers() {
        return answers;
    }
}
