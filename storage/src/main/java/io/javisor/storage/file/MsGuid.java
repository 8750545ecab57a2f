package io.javisor.storage.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.UUID;

/**
 * GUIDs as Microsoft's formats store them: the first three parts little-endian, the last eight bytes in order.
 *
 * <pre>
 * 00112233-4455-6677-8899-aabbccddeeff   is   33 22 11 00  55 44  77 66  88 99 aa bb cc dd ee ff
 * </pre>
 */
public final class MsGuid {
    /** Of no thing: all bits zero. */
    public static final UUID NONE = new UUID(0, 0);

    private MsGuid() {}

    /** Reads 16 bytes. */
    public static UUID get(ByteBuffer from, int at) {
        ByteBuffer little = from.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer big = from.duplicate().order(ByteOrder.BIG_ENDIAN);
        long high = Integer.toUnsignedLong(little.getInt(at)) << 32
                | Short.toUnsignedLong(little.getShort(at + 4)) << 16
                | Short.toUnsignedLong(little.getShort(at + 6));
        return new UUID(high, big.getLong(at + 8));
    }

    /** Writes 16 bytes. */
    public static void put(ByteBuffer into, int at, UUID guid) {
        ByteBuffer little = into.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        long high = guid.getMostSignificantBits();
        little.putInt(at, (int) (high >>> 32));
        little.putShort(at + 4, (short) (high >>> 16));
        little.putShort(at + 6, (short) high);
        into.duplicate().order(ByteOrder.BIG_ENDIAN).putLong(at + 8, guid.getLeastSignificantBits());
    }

    /** In braces, lower-case, as locators write it. */
    public static String inBraces(UUID guid) {
        return "{" + guid.toString().toLowerCase(Locale.ROOT) + "}";
    }
}
