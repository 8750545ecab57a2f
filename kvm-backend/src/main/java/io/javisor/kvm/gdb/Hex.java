package io.javisor.kvm.gdb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/** Numbers and bytes as the protocol writes them. */
final class Hex {
    private static final HexFormat HEX = HexFormat.of();

    private Hex() {}

    static String of(byte... bytes) {
        return HEX.formatHex(bytes);
    }

    /** The low bytes of a value, the lowest first, as a little-endian guest has them in memory. */
    static String little(long value, int bytes) {
        byte[] all = new byte[8];
        ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
        return HEX.formatHex(all, 0, bytes);
    }

    /** Bytes, the lowest first, as a value. */
    static long fromLittle(byte[] bytes, int at, int count) {
        long value = 0;
        for (int i = count - 1; i >= 0; i--) {
            value = value << 8 | bytes[at + i] & 0xFF;
        }
        return value;
    }

    static byte[] bytes(String text) {
        try {
            return HEX.parseHex(text);
        } catch (IllegalArgumentException e) {
            throw new GdbError(GdbError.INVALID);
        }
    }

    /** An unsigned number of up to 64 bits. */
    static long number(String text) {
        try {
            return Long.parseUnsignedLong(text, 16);
        } catch (NumberFormatException e) {
            throw new GdbError(GdbError.INVALID);
        }
    }

    /** A number from 0 to a limit. */
    static int number(String text, int limit) {
        long value = number(text);
        if (value < 0 || value > limit) {
            throw new GdbError(GdbError.INVALID);
        }
        return (int) value;
    }

    /** A digit's value; 0 if it is none, which a checksum then tells. */
    static int digit(int c) {
        return Math.max(0, Character.digit(c, 16));
    }
}
