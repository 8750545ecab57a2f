package io.javisor.vmbus.bus;

import io.javisor.partition.GuestMemory;
import io.javisor.vmbus.channel.GuestBuffer;
import io.javisor.vmbus.channel.Packet;
import io.javisor.vmbus.ring.PacketBuffer;
import io.javisor.vmbus.ring.PacketTypes;
import io.javisor.vmbus.ring.PageRuns;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A packet on loan to a handler; belongs to one channel for its life, and is used again and again. */
final class BusPacket implements Packet {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle HELD;

    static {
        try {
            HELD = MethodHandles.lookup().findVarHandle(BusPacket.class, "held", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final PacketBuffer buffer;
    final PageRuns pages;
    /** The next in the channel's list of finished packets. */
    @Nullable
    BusPacket next;

    private final BusChannel channel;
    private MemorySegment view = MemorySegment.NULL;
    private MemorySegment viewOf = MemorySegment.NULL;
    private int viewOffset;
    private MemorySegment response = MemorySegment.ofArray(new byte[64]);
    private int responseLength = -1; // none
    private boolean restored; // it has only its answer
    private long restoredTransaction;

    @SuppressWarnings("UnusedVariable") // by HELD
    private volatile boolean held;

    BusPacket(BusChannel channel, GuestMemory memory, int maxBytes) {
        this.channel = channel;
        buffer = new PacketBuffer(maxBytes);
        pages = new PageRuns(memory);
    }

    /** Given to a handler. */
    void lend() {
        restored = false;
        responseLength = -1;
        HELD.setRelease(this, true);
    }

    @Override
    public int type() {
        return buffer.type();
    }

    @Override
    public long transactionId() {
        return restored ? restoredTransaction : buffer.transactionId();
    }

    @Override
    public boolean completionRequested() {
        return buffer.type() != PacketTypes.COMPLETION && buffer.completionRequested();
    }

    @Override
    public int length() {
        return buffer.payloadLength();
    }

    private int at(int offset, int size) {
        return buffer.payloadOffset() + Objects.checkFromIndexSize(offset, size, buffer.payloadLength());
    }

    @Override
    public int getByte(int offset) {
        return buffer.bytes().get(ValueLayout.JAVA_BYTE, at(offset, 1)) & 0xFF;
    }

    @Override
    public int getShort(int offset) {
        return buffer.bytes().get(U16, at(offset, 2)) & 0xFFFF;
    }

    @Override
    public int getInt(int offset) {
        return buffer.bytes().get(U32, at(offset, 4));
    }

    @Override
    public long getLong(int offset) {
        return buffer.bytes().get(U64, at(offset, 8));
    }

    @Override
    public MemorySegment payload() {
        MemorySegment all = buffer.bytes();
        // Packets of a channel look alike: the view of the last one mostly fits this one too.
        if (!viewOf.equals(all) || view.byteSize() != buffer.payloadLength() || viewOffset != buffer.payloadOffset()) {
            viewOf = all;
            viewOffset = buffer.payloadOffset();
            view = all.asSlice(viewOffset, buffer.payloadLength()).asReadOnly();
        }
        return view;
    }

    @Override
    public byte[] toByteArray() {
        return buffer.payload();
    }

    @Override
    public GuestBuffer buffer() {
        return pages;
    }

    @Override
    public void complete(MemorySegment payload) {
        finish();
        if (completionRequested()) {
            int length = Math.toIntExact(payload.byteSize());
            if (response.byteSize() < length) {
                response = MemorySegment.ofArray(new byte[length]);
            }
            MemorySegment.copy(payload, 0, response, 0, length);
            responseLength = length;
        }
        channel.finished(this);
    }

    @Override
    public void release() {
        finish();
        channel.finished(this);
    }

    private void finish() {
        if (!HELD.compareAndSet(this, true, false)) {
            throw new IllegalStateException("packet finished twice");
        }
    }

    /** Whether a completion is to be sent. */
    boolean hasResponse() {
        return responseLength >= 0;
    }

    MemorySegment response() {
        return response;
    }

    int responseLength() {
        return responseLength;
    }

    byte[] responseBytes() {
        return response.asSlice(0, responseLength).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Becomes a finished packet whose completion was not sent yet. */
    void restore(long transaction, byte[] completion) {
        restored = true;
        restoredTransaction = transaction;
        response = MemorySegment.ofArray(completion);
        responseLength = completion.length;
    }
}
