package io.javisor.api.state;

import io.javisor.partition.state.StateException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The file {@code machine.state}: all leaves of a saved machine. Pure but for {@link #read}.
 *
 * <pre>
 * file   := magic:8  format:u32  leaves:u32  leaf*  digest:32                    big-endian
 * leaf   := nameLength:u16  name:UTF-8  version:u32  length:u32  bytes
 * digest := SHA-256 of all bytes before it
 * </pre>
 */
public final class StateFile {
    /** Its name in the folder. */
    public static final String NAME = "machine.state";

    /** The format that is written here, and the only one that is read. */
    public static final int FORMAT = 1;

    private static final byte[] MAGIC = "JVSTATE\n".getBytes(StandardCharsets.US_ASCII);
    private static final int HEADER = 16;
    private static final int DIGEST = 32;
    private static final int MAX_LEAVES = 65_536;
    private static final int MAX_NAME = 1024;

    /** 1 GiB: 4,096 vCPUs with 11 KiB of XSAVE state each are 100 MiB. */
    private static final long MAX_BYTES = 1L << 30;

    private StateFile() {}

    /** The bytes of a file with these leaves. */
    public static byte[] encode(Collection<Leaf> leaves) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            out.write(MAGIC);
            out.writeInt(FORMAT);
            out.writeInt(leaves.size());
            for (Leaf leaf : leaves) {
                byte[] name = leaf.name().getBytes(StandardCharsets.UTF_8);
                out.writeShort(name.length);
                out.write(name);
                out.writeInt(leaf.version());
                out.writeInt(leaf.bytes().length);
                out.write(leaf.bytes());
            }
            out.write(digest(bytes.toByteArray(), bytes.size()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /**
     * Reads the file of a folder.
     *
     * @throws StateException if there is none, or it is damaged
     */
    public static Map<String, Leaf> read(Path folder) {
        Path file = folder.resolve(NAME);
        try {
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw new StateException(file + ": " + size + " bytes are no machine's state");
            }
            return decode(file.toString(), Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            throw new StateException(folder + ": no saved machine; there is no file " + NAME + " in it");
        } catch (IOException e) {
            throw new StateException(file + ": can't be read: " + e);
        }
    }

    /**
     * The leaves, by name, in the order in which they were written.
     *
     * @param name of the file, for messages
     * @throws StateException if the bytes are anything but what {@link #encode} gave
     */
    public static Map<String, Leaf> decode(String name, byte[] bytes) {
        if (bytes.length < MAGIC.length || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new StateException(name + ": not the state of a machine");
        }
        if (bytes.length < HEADER + DIGEST) {
            throw new StateException(name + ": cut short after " + bytes.length + " bytes");
        }
        int format = ByteBuffer.wrap(bytes).getInt(MAGIC.length);
        if (format != FORMAT) {
            throw new StateException(name + ": format " + format + " is not known here (" + FORMAT
                    + " is); restore it with the version of Javisor that saved it");
        }
        int end = bytes.length - DIGEST;
        if (!Arrays.equals(digest(bytes, end), Arrays.copyOfRange(bytes, end, bytes.length))) {
            throw new StateException(name + ": damaged: its digest is not that of its " + end
                    + " bytes; they were changed, or the file was cut short");
        }
        return leaves(name, ByteBuffer.wrap(bytes, HEADER - 4, end - HEADER + 4).slice());
    }

    /** The part between header and digest. */
    static Map<String, Leaf> leaves(String name, ByteBuffer in) {
        var leaves = new LinkedHashMap<String, Leaf>();
        try {
            int count = in.getInt();
            if (count < 0 || count > MAX_LEAVES) {
                throw new StateException(name + ": " + count + " leaves");
            }
            for (int i = 0; i < count; i++) {
                String leaf =
                        new String(take(in, Short.toUnsignedInt(in.getShort()), MAX_NAME), StandardCharsets.UTF_8);
                int version = in.getInt();
                byte[] content = take(in, in.getInt(), Integer.MAX_VALUE);
                if (leaves.put(leaf, new Leaf(leaf, version, content)) != null) {
                    throw new StateException(name + ": leaf \"" + leaf + "\" given twice");
                }
            }
        } catch (BufferUnderflowException e) {
            throw new StateException(name + ": cut short after " + leaves.size() + " leaves");
        }
        if (in.hasRemaining()) {
            throw new StateException(name + ": " + in.remaining() + " bytes after the last leaf");
        }
        return leaves;
    }

    private static byte[] take(ByteBuffer in, int length, int most) {
        if (length < 0 || length > most || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] value = new byte[length];
        in.get(value);
        return value;
    }

    private static byte[] digest(byte[] bytes, int length) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(bytes, 0, length);
            return sha.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
