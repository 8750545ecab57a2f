package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskFormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/** Numbers of MS-VHDX that several structures share. */
final class Layout {
    static final int KIB = 1 << 10;
    static final int MIB = 1 << 20;
    /** Unit of the log and of metadata updates (section 2.3.1). */
    static final int PAGE = 4 * KIB;

    /** "vhdxfile" (section 2.2.1). */
    static final long FILE_SIGNATURE = signature("vhdxfile");

    static final long HEADER_1 = 64 * KIB;
    static final long HEADER_2 = 128 * KIB;
    static final long REGIONS_1 = 192 * KIB;
    static final long REGIONS_2 = 256 * KIB;
    static final int REGION_TABLE_BYTES = 64 * KIB;
    /** Everything else begins here (section 2.1). */
    static final long BODY = MIB;

    /** Largest virtual disk (section 2.6.2.2). */
    static final long LARGEST_DISK = 64L << 40;
    /** No file of such a disk is larger: a bound for lengths that only an image claims. */
    static final long LARGEST_FILE = 128L << 40;

    private Layout() {}

    static long signature(String ascii) {
        byte[] bytes = ascii.getBytes(StandardCharsets.US_ASCII);
        long value = 0;
        for (int i = bytes.length - 1; i >= 0; i--) {
            value = value << 8 | bytes[i];
        }
        return value;
    }

    static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** CRC-32C of bytes whose checksum field, 4 bytes at an offset, counts as zero. */
    static int checksum(byte[] bytes, int fieldAt) {
        var crc = new CRC32C();
        crc.update(bytes, 0, fieldAt);
        crc.update(new byte[4], 0, 4);
        crc.update(bytes, fieldAt + 4, bytes.length - fieldAt - 4);
        return (int) crc.getValue();
    }

    static long roundUp(long value, long unit) {
        return Math.addExact(value, unit - 1) / unit * unit;
    }

    /** Throws unless a place is where the specification lets a region or the log be. */
    static void checkPlace(String file, long at, String what, long offset, long length, long fileSize) {
        if (offset < BODY || offset % MIB != 0 || length <= 0 || length % MIB != 0 || length > fileSize - offset) {
            throw new DiskFormatException(
                    file,
                    at,
                    what + " of " + length + " bytes at " + offset
                            + " is not made of whole MiB between the first MiB and the file's end at " + fileSize);
        }
    }
}
