package io.javisor.networking.netvsp;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.Packet;
import io.javisor.vmbus.ring.PacketTypes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One queue of an adapter: a channel, both ways. {@link #deliver} and {@link #receiveBufferGone} are called from any thread; the rest
 * belongs to the channel's reactor.
 */
final class AdapterChannel implements ChannelHandler {
    /** Answers to the guest's requests that wait for room; it asks one thing at a time. */
    private static final int MOST_ANSWERS = 64;

    /** Bytes that hold every field that is looked at. */
    private static final int LEAST_MESSAGE = 16;

    private static final MemorySegment DATA = rndisPacket(Nvsp.DATA);
    private static final MemorySegment CONTROL = rndisPacket(Nvsp.CONTROL);
    private static final MemorySegment DONE = completion(Nvsp.STATUS_SUCCESS);
    private static final MemorySegment REFUSED = completion(Nvsp.STATUS_INVALID_PACKET);
    private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

    private final NetworkAdapter adapter;
    private final Channel channel;
    private final int index;
    private final RndisReader reader = new RndisReader();
    private final GuestFrames frames;
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Runnable drain = this::drainLater;
    private final GuestFrames.Sender sendFrame = (buffer, sections) -> send(buffer, sections, DATA);
    private final ArrayDeque<byte[]> answers = new ArrayDeque<>();
    private int[] ranges = new int[8];
    private boolean blocked;

    private volatile boolean closed;

    AdapterChannel(NetworkAdapter adapter, Channel channel) {
        this.adapter = adapter;
        this.channel = channel;
        index = channel.subChannelIndex();
        frames = new GuestFrames(adapter, channel.isPaused());
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
        frames.hold(true);
    }

    @Override
    public void resumed() {
        frames.hold(false);
        drainNow();
    }

    @Override
    public void closed() {
        closed = true;
        frames.close();
        answers.clear();
        adapter.closed(this);
    }

    /** The receive buffer that there was is not the guest's to lend any more. From any thread. */
    void receiveBufferGone() {
        frames.receiveBufferGone();
    }

    // To the guest

    Channel channel() {
        return channel;
    }

    int index() {
        return index;
    }

    /**
     * Takes a frame for the guest. From any thread.
     *
     * @return false if it is lost
     */
    boolean deliver(Frame frame, int checksumInfo, int hash) {
        if (closed || !frames.put(frame, checksumInfo, hash)) {
            return false;
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
        blocked |= !frames.sendAll(sendFrame);
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

    /** Answers that the guest has not had yet, for saved state. */
    ArrayDeque<byte[]> answers() {
        return answers;
    }
}
