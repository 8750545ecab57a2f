package io.javisor.storage.file;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * Which bytes of a disk image stand for what, as locks (fcntl(2)): far beyond what a file can hold, so that no other program's
 * locks are meant.
 */
public final class LockBytes {
    private static final long BASE = 1L << 62;

    /** Held, shared, by those who read the disk and rely on it to stay as it is. */
    public static final long READERS = BASE;
    /** Held, shared, by those who write it together. */
    public static final long SHARERS = BASE + 1;
    /** Held, shared, by those who know what is reserved. */
    public static final long MEMBERS = BASE + 2;
    /** Held alone by who is about to change what is reserved; shared by who takes a change over. */
    public static final long TURN = BASE + 3;
    /** Held, shared, by those whose commands may run; alone by who changes what is reserved. */
    public static final long GATE = BASE + 4;

    private static final long NAMES = 1L << 61;

    private LockBytes() {}

    /** Held alone by who sends commands under a name. Two names have one byte with a probability of 2⁻⁶⁰. */
    public static long name(String initiator) {
        byte[] bytes = initiator.getBytes(StandardCharsets.UTF_8);
        var crc = new CRC32C();
        crc.update(bytes);
        long hash = crc.getValue();
        for (byte b : bytes) {
            hash = hash * 0x100000001B3L ^ b; // FNV-1's prime
        }
        return NAMES | hash & (NAMES >> 1) - 1;
    }
}
