package io.javisor.partition.state;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * Writes one leaf as named, typed fields. Not safe for several threads.
 *
 * <pre>
 * leaf  := field*
 * field := kind:u8  nameLength:u16  name:UTF-8  (long:i64 | length:i32 bytes)      big-endian
 * </pre>
 */
public final class StateWriter {
    static final int LONG = 1;
    static final int BYTES = 2;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final DataOutputStream out = new DataOutputStream(bytes);
    private final Set<String> names = new HashSet<>();

    /** Writes a number; any integral type and flags fit. */
    public StateWriter put(String name, long value) {
        try {
            head(LONG, name);
            out.writeLong(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Writes a flag. */
    public StateWriter put(String name, boolean value) {
        return put(name, value ? 1 : 0);
    }

    /** Writes bytes. */
    public StateWriter put(String name, byte[] value) {
        try {
            head(BYTES, name);
            out.writeInt(value.length);
            out.write(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Writes text. */
    public StateWriter put(String name, String value) {
        return put(name, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes a leaf inside this one. */
    public StateWriter put(String name, StateWriter inner) {
        return put(name, inner.toByteArray());
    }

    /** What has been written. */
    public byte[] toByteArray() {
        return bytes.toByteArray();
    }

    private void head(int kind, String name) throws IOException {
        if (!names.add(name)) {
            throw new IllegalStateException("field written twice: " + name);
        }
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        out.writeByte(kind);
        out.writeShort(utf8.length);
        out.write(utf8);
    }
}
