package io.javisor.storage.vhd;

import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The footer, 512 bytes at the file's end and, except for fixed disks, at its beginning.
 *
 * <pre>
 *   0 "conectix"   8 features   12 version   16 offset of the header   24 time   28 creator   32 its version   36 its system
 *   40 original size   48 size   56 cylinders, heads, sectors   60 type   64 checksum   68 unique ID   84 saved state
 * </pre>
 *
 * @param headerOffset where the dynamic header is; −1 for a fixed disk
 * @param originalSize of the disk when it was made, in bytes
 * @param size of the disk in bytes
 * @param type {@link #FIXED}, {@link #DYNAMIC} or {@link #DIFFERENCING}
 * @param id of the disk
 * @param seconds since 2000-01-01 UTC that it was made at
 */
record VhdFooter(long headerOffset, long originalSize, long size, int type, UUID id, int seconds) {
    static final int FIXED = 2;
    static final int DYNAMIC = 3;
    static final int DIFFERENCING = 4;
    static final int BYTES = 512;
    static final int SECTOR = 512;
    /** 2,040 GiB, Hyper-V's limit: sector numbers of the format's last block still fit 32 bits. */
    static final long LARGEST = 2040L << 30;

    private static final byte[] COOKIE = {'c', 'o', 'n', 'e', 'c', 't', 'i', 'x'};
    private static final int VERSION = 0x10000;
    private static final int CHECKSUM = 64;
    // Other programs take the disk's size from the geometry, which is coarse, unless this creator wrote the file.
    private static final byte[] CREATOR = {'w', 'i', 'n', ' '};
    private static final byte[] SYSTEM = {'W', 'i', '2', 'k'};
    private static final long EPOCH_2000 = 946_684_800L;

    static int now(Clock clock) {
        return (int) (Instant.now(clock).getEpochSecond() - EPOCH_2000);
    }

    /** A footer and what is known of where it came from. */
    record Found(VhdFooter footer, boolean atEnd) {}

    /** Reads the footer at the end or, if that is damaged, the copy at the beginning. */
    static Found read(BackingFile file) {
        long size = file.size();
        if (size < BYTES) {
            throw new DiskFormatException(file.name(), 0, "a file of " + size + " bytes has no room for a footer");
        }
        // Virtual PC before 2004 wrote 511 bytes, so the end need not be a sector's.
        long last = (size - BYTES) / SECTOR * SECTOR;
        byte[] end = file.read(last, BYTES);
        if (fits(end)) {
            return new Found(parse(file.name(), last, end), true);
        }
        byte[] copy = file.read(0, BYTES);
        if (!fits(copy)) {
            throw new DiskFormatException(
                    file.name(), last, "no \"conectix\" footer with a checksum that fits, here or at the beginning");
        }
        VhdFooter footer = parse(file.name(), 0, copy);
        if (footer.type == FIXED) {
            throw new DiskFormatException(file.name(), last, "the footer of a fixed disk is not at the file's end");
        }
        return new Found(footer, false);
    }

    private static boolean fits(byte[] bytes) {
        return Arrays.equals(bytes, 0, COOKIE.length, COOKIE, 0, COOKIE.length)
                && ByteBuffer.wrap(bytes).getInt(CHECKSUM) == checksum(bytes, CHECKSUM);
    }

    private static VhdFooter parse(String file, long at, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.getInt(12) >>> 16 != VERSION >>> 16) {
            throw new DiskFormatException(file, at + 12, "version 0x" + Integer.toHexString(in.getInt(12)));
        }
        int type = in.getInt(60);
        if (type < FIXED || type > DIFFERENCING) {
            throw new DiskFormatException(
                    file, at + 60, "disk type " + Integer.toUnsignedString(type) + "; 2, 3 and 4 are understood");
        }
        long size = in.getLong(48);
        if (size <= 0 || size > LARGEST || size % SECTOR != 0) {
            throw new DiskFormatException(
                    file,
                    at + 48,
                    "a disk of " + Long.toUnsignedString(size) + " bytes; whole sectors up to 2040 GiB are possible");
        }
        return new VhdFooter(
                in.getLong(16), in.getLong(40), size, type, new UUID(in.getLong(68), in.getLong(76)), in.getInt(24));
    }

    /** The ones' complement of the sum of all bytes but the checksum's. */
    static int checksum(byte[] bytes, int fieldAt) {
        int sum = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (i < fieldAt || i >= fieldAt + 4) {
                sum += bytes[i] & 0xFF;
            }
        }
        return ~sum;
    }

    byte[] toByteArray() {
        byte[] bytes = new byte[BYTES];
        ByteBuffer out = ByteBuffer.wrap(bytes);
        out.put(0, COOKIE);
        out.putInt(8, 2); // reserved, always set
        out.putInt(12, VERSION);
        out.putLong(16, headerOffset);
        out.putInt(24, seconds);
        out.put(28, CREATOR);
        out.putInt(32, 0xA0000);
        out.put(36, SYSTEM);
        out.putLong(40, originalSize);
        out.putLong(48, size);
        out.putInt(56, geometry(size / SECTOR));
        out.putInt(60, type);
        out.putLong(68, id.getMostSignificantBits());
        out.putLong(76, id.getLeastSignificantBits());
        out.putInt(CHECKSUM, checksum(bytes, CHECKSUM));
        return bytes;
    }

    VhdFooter withSize(long newSize) {
        return new VhdFooter(headerOffset, originalSize, newSize, type, id, seconds);
    }

    /** Cylinders, heads and sectors per track of a disk (the specification's appendix). */
    static int geometry(long sectors) {
        long total = Math.min(sectors, 65535L * 16 * 255);
        int perTrack;
        long heads;
        long cylindersTimesHeads;
        if (total >= 65535L * 16 * 63) {
            perTrack = 255;
            heads = 16;
            cylindersTimesHeads = total / perTrack;
        } else {
            perTrack = 17;
            cylindersTimesHeads = total / perTrack;
            heads = Math.max(4, (cylindersTimesHeads + 1023) / 1024);
            if (cylindersTimesHeads >= heads * 1024 || heads > 16) {
                perTrack = 31;
                heads = 16;
                cylindersTimesHeads = total / perTrack;
            }
            if (cylindersTimesHeads >= heads * 1024) {
                perTrack = 63;
                heads = 16;
                cylindersTimesHeads = total / perTrack;
            }
        }
        return (int) (cylindersTimesHeads / heads) << 16 | (int) heads << 8 | perTrack;
    }

    static @Nullable VhdFooter copyAtBeginning(BackingFile file) {
        byte[] copy = file.read(0, BYTES);
        return fits(copy) ? parse(file.name(), 0, copy) : null;
    }
}
