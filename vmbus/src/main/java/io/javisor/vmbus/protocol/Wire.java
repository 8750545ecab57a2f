package io.javisor.vmbus.protocol;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/** What the messages are made of: little-endian numbers, and GUIDs whose first three fields are little-endian too. */
public final class Wire {
    /** Bytes of a GUID. */
    public static final int GUID_BYTES = 16;

    private Wire() {}

    /** A little-endian buffer over all of an array. */
    public static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** All bytes of a buffer, from its start, wherever it stands. */
    public static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.capacity()];
        buffer.get(0, bytes);
        return bytes;
    }

    /** A message of a length in bytes with its type; the 32-bit padding after the type is skipped. */
    static ByteBuffer message(int type, int length) {
        return buffer(new byte[length]).putInt(type).putInt(0);
    }

    /** Writes a GUID. */
    public static ByteBuffer putGuid(ByteBuffer out, UUID guid) {
        long high = guid.getMostSignificantBits();
        out.putInt((int) (high >>> 32)).putShort((short) (high >>> 16)).putShort((short) high);
        return out.putLong(Long.reverseBytes(guid.getLeastSignificantBits()));
    }

    /** Reads a GUID. */
    public static UUID getGuid(ByteBuffer in) {
        long high = (long) in.getInt() << 32 | (in.getShort() & 0xFFFFL) << 16 | (in.getShort() & 0xFFFFL);
        return new UUID(high, Long.reverseBytes(in.getLong()));
    }
}
