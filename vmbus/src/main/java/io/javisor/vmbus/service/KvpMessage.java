package io.javisor.vmbus.service;

import io.javisor.vmbus.protocol.Octets;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The body of key/value exchanges.
 *
 * <pre>
 * operation:u8  pool:u8  0:u16
 *   get, set     { type:u32  key bytes:u32  value bytes:u32  key[512]  value[2048] }
 *   enumerate    index:u32 { the same }
 *   delete       key bytes:u32  key[512]
 * </pre>
 *
 * Text is UTF-16 with an end, which its length counts. Source: include/uapi/linux/hyperv.h.
 */
final class KvpMessage {
    static final int SET = 1;
    static final int DELETE = 2;
    static final int ENUMERATE = 3;

    /** Bytes of a key with its end (HV_KVP_EXCHANGE_MAX_KEY_SIZE). */
    static final int KEY = 512;
    /** Bytes of a value with its end (HV_KVP_EXCHANGE_MAX_VALUE_SIZE). */
    static final int VALUE = 2_048;

    private static final int TYPE_TEXT = 1; // REG_SZ
    private static final int TYPE_INT = 4; // REG_U32
    private static final int TYPE_LONG = 8; // REG_U64
    private static final int HEADER = 4;
    private static final int SIZES = 12;

    /**
     * An item as the guest told it.
     *
     * @param key its name
     * @param value its value, numbers in decimal
     */
    record Item(String key, String value) {}

    private KvpMessage() {}

    static byte[] set(int pool, String key, String value) {
        ByteBuffer out = Wire.buffer(new byte[HEADER + SIZES + KEY + VALUE]);
        header(out, SET, pool);
        byte[] keyBytes = text(key, KEY);
        byte[] valueBytes = text(value, VALUE);
        out.putInt(TYPE_TEXT).putInt(keyBytes.length).putInt(valueBytes.length);
        out.put(HEADER + SIZES, keyBytes).put(HEADER + SIZES + KEY, valueBytes);
        return Wire.bytes(out);
    }

    static byte[] delete(int pool, String key) {
        ByteBuffer out = Wire.buffer(new byte[HEADER + 4 + KEY]);
        header(out, DELETE, pool);
        byte[] keyBytes = text(key, KEY);
        out.putInt(keyBytes.length).put(keyBytes);
        return Wire.bytes(out);
    }

    static byte[] enumerate(int pool, int index) {
        ByteBuffer out = Wire.buffer(new byte[HEADER + 4 + SIZES + KEY + VALUE]);
        header(out, ENUMERATE, pool);
        out.putInt(index);
        return Wire.bytes(out);
    }

    private static void header(ByteBuffer out, int operation, int pool) {
        out.put((byte) operation).put((byte) pool).putShort((short) 0);
    }

    private static byte[] text(String text, int limit) {
        byte[] bytes = (text + "\0").getBytes(StandardCharsets.UTF_16LE);
        if (bytes.length > limit) {
            throw new IllegalArgumentException("key or value of " + text.length() + " characters; " + (limit / 2 - 1)
                    + " are allowed: " + text.substring(0, 40) + "…");
        }
        return bytes;
    }

    /** The item in an answer to {@link #enumerate}. */
    static Item enumerated(Octets body) {
        int at = HEADER + 4;
        if (body.size() < at + SIZES + KEY + VALUE) {
            throw IntegrationException.nonsense("key/value exchange", body.size() + " bytes");
        }
        ByteBuffer in = Wire.buffer(body.toByteArray());
        int type = in.getInt(at);
        String key = text(in, at + SIZES, in.getInt(at + 4), KEY);
        int valueAt = at + SIZES + KEY;
        String value = switch (type) {
            case TYPE_TEXT -> text(in, valueAt, in.getInt(at + 8), VALUE);
            case TYPE_INT -> Integer.toUnsignedString(in.getInt(valueAt));
            case TYPE_LONG -> Long.toUnsignedString(in.getLong(valueAt));
            default -> throw IntegrationException.nonsense("key/value exchange", "value of type " + type);
        };
        return new Item(key, value);
    }

    private static String text(ByteBuffer in, int at, int length, int limit) {
        if (length < 0 || length > limit) {
            throw IntegrationException.nonsense("key/value exchange", "text of " + length + " bytes");
        }
        byte[] bytes = new byte[length];
        in.get(at, bytes);
        String text = new String(bytes, 0, length & ~1, StandardCharsets.UTF_16LE);
        int end = text.indexOf('\0');
        return end < 0 ? text : text.substring(0, end);
    }
}
