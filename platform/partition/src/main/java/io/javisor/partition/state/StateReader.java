package io.javisor.partition.state;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Reads one leaf that {@link StateWriter} wrote; hostile bytes give a {@link StateException}, nothing else. */
public final class StateReader {
    private final String leaf;
    private final int version;
    private final Map<String, Object> fields = new HashMap<>();

    /**
     * Parses a leaf.
     *
     * @param leaf its name, for error messages
     * @param version of its layout
     * @param bytes as {@link StateWriter#toByteArray()} gave them
     */
    public StateReader(String leaf, int version, byte[] bytes) {
        this.leaf = leaf;
        this.version = version;
        ByteBuffer in = ByteBuffer.wrap(bytes);
        try {
            while (in.hasRemaining()) {
                int kind = in.get();
                String name = new String(take(in, Short.toUnsignedInt(in.getShort())), StandardCharsets.UTF_8);
                Object value = switch (kind) {
                    case StateWriter.LONG -> in.getLong();
                    case StateWriter.BYTES -> take(in, in.getInt());
                    default -> throw new StateException(leaf + "." + name + ": unknown kind of field " + kind);
                };
                if (fields.put(name, value) != null) {
                    throw new StateException(leaf + "." + name + ": field given twice");
                }
            }
        } catch (BufferUnderflowException e) {
            throw new StateException(leaf + ": cut short at byte " + in.position());
        }
    }

    /** Version of the layout that was written. */
    public int version() {
        return version;
    }

    /** Throws unless the version is between 1 and the newest that the caller knows. */
    public void requireVersion(int newest) {
        if (version < 1 || version > newest) {
            throw new StateException(leaf + ": version " + version + " is not known here (1 to " + newest + " are)");
        }
    }

    /** Whether the field was written. */
    public boolean has(String name) {
        return fields.containsKey(name);
    }

    /** A number. */
    public long getLong(String name) {
        if (fields.get(name) instanceof Long value) {
            return value;
        }
        throw missing(name, "number");
    }

    /** A number between two bounds, both included. */
    public int getInt(String name, int least, int most) {
        long value = getLong(name);
        if (value < least || value > most) {
            throw new StateException(leaf + "." + name + ": " + value + " is not in " + least + ".." + most);
        }
        return (int) value;
    }

    /** A flag. */
    public boolean getBoolean(String name) {
        return getInt(name, 0, 1) == 1;
    }

    /** Bytes; the caller owns the array. */
    public byte[] getBytes(String name) {
        if (fields.get(name) instanceof byte[] value) {
            return value.clone();
        }
        throw missing(name, "byte string");
    }

    /** Bytes of exactly a length. */
    public byte[] getBytes(String name, int length) {
        byte[] value = getBytes(name);
        if (value.length != length) {
            throw new StateException(leaf + "." + name + ": " + value.length + " bytes instead of " + length);
        }
        return value;
    }

    /** Text. */
    public String getString(String name) {
        return new String(getBytes(name), StandardCharsets.UTF_8);
    }

    /** A leaf inside this one, of the same version. */
    public StateReader getInner(String name) {
        return new StateReader(leaf + "." + name, version, getBytes(name));
    }

    private StateException missing(String name, String kind) {
        return new StateException(leaf + "." + name + ": " + (has(name) ? "not a " : "missing ") + kind);
    }

    private static byte[] take(ByteBuffer in, int length) {
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] value = new byte[length];
        in.get(value);
        return value;
    }
}
