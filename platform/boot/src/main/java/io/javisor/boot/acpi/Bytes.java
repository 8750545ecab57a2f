package io.javisor.boot.acpi;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Little-endian bytes that grow as they are written. */
final class Bytes {
    private byte[] bytes = new byte[256];
    private int length;

    int length() {
        return length;
    }

    Bytes u8(int value) {
        grow(1);
        bytes[length++] = (byte) value;
        return this;
    }

    Bytes u16(int value) {
        return u8(value).u8(value >>> 8);
    }

    Bytes u32(int value) {
        return u16(value).u16(value >>> 16);
    }

    Bytes u64(long value) {
        return u32((int) value).u32((int) (value >>> 32));
    }

    Bytes zeros(int count) {
        grow(count);
        length += count;
        return this;
    }

    Bytes put(byte... more) {
        grow(more.length);
        System.arraycopy(more, 0, bytes, length, more.length);
        length += more.length;
        return this;
    }

    Bytes ascii(String text) {
        return put(text.getBytes(StandardCharsets.US_ASCII));
    }

    byte[] toArray() {
        return Arrays.copyOf(bytes, length);
    }

    private void grow(int count) {
        if (count > bytes.length - length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, Math.addExact(length, count)));
        }
    }

    /** What a checksum byte must be, so that all bytes from {@code start} to {@code end} sum up to 0. */
    static byte checksum(byte[] bytes, int start, int end) {
        byte sum = 0;
        for (int i = start; i < end; i++) {
            sum += bytes[i];
        }
        return (byte) -sum;
    }
}
