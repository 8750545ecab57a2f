package io.javisor.vmbus.protocol;

import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** An immutable string of bytes, equal by content. */
public final class Octets {
    /** No bytes. */
    public static final Octets EMPTY = new Octets(new byte[0]);

    private final byte[] bytes;

    private Octets(byte[] bytes) {
        this.bytes = bytes;
    }

    /** A copy of the bytes. */
    public static Octets of(byte... bytes) {
        return new Octets(bytes.clone());
    }

    /** Number of bytes. */
    public int size() {
        return bytes.length;
    }

    /** One byte, as 0 to 255. */
    public int get(int index) {
        return bytes[index] & 0xFF;
    }

    /** A copy of the bytes. */
    public byte[] toByteArray() {
        return bytes.clone();
    }

    /** These bytes, cut or filled with zeroes to a length. */
    public Octets resized(int length) {
        return new Octets(Arrays.copyOf(bytes, length));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Octets o && Arrays.equals(bytes, o.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes);
    }
}
