package io.javisor.devices;

import java.util.Arrays;

/** A bounded first-in first-out of bytes. Not thread-safe: its owner locks. */
final class ByteRing {
    private final byte[] bytes;
    private int head;
    private int count;

    ByteRing(int capacity) {
        bytes = new byte[capacity];
    }

    int count() {
        return count;
    }

    boolean isEmpty() {
        return count == 0;
    }

    int room() {
        return bytes.length - count;
    }

    /** Adds a byte; the caller has checked that there is room. */
    void add(byte value) {
        int tail = head + count;
        bytes[tail < bytes.length ? tail : tail - bytes.length] = value;
        count++;
    }

    /** Adds as many bytes as fit and says how many. */
    int addAll(byte[] from, int offset, int length) {
        int n = Math.min(length, room());
        for (int i = 0; i < n; i++) {
            add(from[offset + i]);
        }
        return n;
    }

    /** Takes the oldest byte; the caller has checked that there is one. */
    byte take() {
        byte value = bytes[head];
        head = head + 1 == bytes.length ? 0 : head + 1;
        count--;
        return value;
    }

    void clear() {
        head = 0;
        count = 0;
    }

    byte[] toByteArray() {
        byte[] copy = Arrays.copyOfRange(bytes, head, Math.min(head + count, bytes.length));
        if (copy.length == count) {
            return copy;
        }
        byte[] all = Arrays.copyOf(copy, count);
        System.arraycopy(bytes, 0, all, copy.length, count - copy.length);
        return all;
    }
}
