package io.javisor.vmbus;

import io.javisor.vmbus.channel.GuestBuffer;
import io.javisor.vmbus.channel.Packet;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** A packet without a ring, for tests that call a handler themselves. */
public final class StubPacket implements Packet {
    private final MemorySegment bytes;
    private boolean finished;

    public StubPacket(byte[] payload) {
        bytes = MemorySegment.ofArray(payload);
    }

    public boolean isFinished() {
        return finished;
    }

    @Override
    public int type() {
        return 6;
    }

    @Override
    public long transactionId() {
        return 0;
    }

    @Override
    public boolean completionRequested() {
        return false;
    }

    @Override
    public int length() {
        return (int) bytes.byteSize();
    }

    @Override
    public int getByte(int offset) {
        return bytes.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }

    @Override
    public int getShort(int offset) {
        return bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), offset) & 0xFFFF;
    }

    @Override
    public int getInt(int offset) {
        return bytes.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), offset);
    }

    @Override
    public long getLong(int offset) {
        return bytes.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), offset);
    }

    @Override
    public MemorySegment payload() {
        return bytes.asReadOnly();
    }

    @Override
    public byte[] toByteArray() {
        return bytes.toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public GuestBuffer buffer() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void complete(MemorySegment payload) {
        release();
    }

    @Override
    public void release() {
        if (finished) {
            throw new IllegalStateException("finished twice");
        }
        finished = true;
    }
}
