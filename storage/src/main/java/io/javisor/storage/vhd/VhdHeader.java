package io.javisor.storage.vhd;

import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * The header of dynamic and differencing disks, 1,024 bytes.
 *
 * <pre>
 *   0 "cxsparse"   8 offset of nothing   16 offset of the BAT   24 version   28 entries   32 block size   36 checksum
 *   40 parent's unique ID   56 its time   64 its name, UTF-16BE   576 eight locators of 24 bytes:
 *      0 platform   4 space   8 length   16 offset of the text
 * </pre>
 *
 * @param batOffset where the BAT is, in bytes
 * @param entries that the BAT has
 * @param blockBytes unit of allocation
 * @param parentId unique ID of the parent
 * @param parentName name of the parent's file
 * @param parentPaths where the parent may be, best first, with backslashes or slashes
 */
record VhdHeader(
        long batOffset, int entries, int blockBytes, UUID parentId, String parentName, List<String> parentPaths) {
    static final int BYTES = 1024;

    /** Bounds the BAT at 32 MiB: 2,040 GiB in blocks of 512 KiB need half of it. */
    static final int MOST_ENTRIES = 8 << 20;

    private static final byte[] COOKIE = {'c', 'x', 's', 'p', 'a', 'r', 's', 'e'};
    private static final int VERSION = 0x10000;
    private static final int CHECKSUM = 36;
    private static final int LOCATORS = 576;
    private static final int LOCATOR_BYTES = 24;
    private static final int LONGEST_PATH = 64 << 10;
    private static final int RELATIVE = 0x57327275; // "W2ru"
    private static final int ABSOLUTE = 0x57326B75; // "W2ku"

    VhdHeader {
        parentPaths = List.copyOf(parentPaths);
    }

    static VhdHeader read(BackingFile file, VhdFooter footer) {
        long at = footer.headerOffset();
        if (at < 0 || at % VhdFooter.SECTOR != 0 || at > file.size() - BYTES) {
            throw new DiskFormatException(
                    file.name(), 16, "the header at " + Long.toUnsignedString(at) + " is not inside the file");
        }
        byte[] bytes = file.read(at, BYTES);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (!Arrays.equals(bytes, 0, COOKIE.length, COOKIE, 0, COOKIE.length)
                || in.getInt(CHECKSUM) != VhdFooter.checksum(bytes, CHECKSUM)) {
            throw new DiskFormatException(file.name(), at, "no \"cxsparse\" header with a checksum that fits");
        }
        if (in.getInt(24) >>> 16 != VERSION >>> 16) {
            throw new DiskFormatException(
                    file.name(), at + 24, "header version 0x" + Integer.toHexString(in.getInt(24)));
        }
        int block = in.getInt(32);
        if (block < 4096 || block > 256 << 20 || Integer.bitCount(block) != 1) {
            throw new DiskFormatException(
                    file.name(),
                    at + 32,
                    "blocks of " + Integer.toUnsignedString(block)
                            + " bytes; a power of two from 4 KiB to 256 MiB is possible");
        }
        long blocks = (footer.size() + block - 1) / block;
        long entries = Integer.toUnsignedLong(in.getInt(28));
        if (entries < blocks || blocks > MOST_ENTRIES) {
            throw new DiskFormatException(
                    file.name(),
                    at + 28,
                    entries + " BAT entries for a disk of " + blocks + " blocks; at most " + MOST_ENTRIES
                            + " are possible");
        }
        long bat = in.getLong(16);
        if (bat < 0 || bat % VhdFooter.SECTOR != 0 || bat > file.size() - sectors(blocks * 4)) {
            throw new DiskFormatException(
                    file.name(),
                    at + 16,
                    "a BAT of " + blocks + " entries at " + Long.toUnsignedString(bat) + " is not inside the file");
        }
        return new VhdHeader(
                bat,
                (int) blocks,
                block,
                new UUID(in.getLong(40), in.getLong(48)),
                text(bytes, 64, 512, StandardCharsets.UTF_16BE),
                footer.type() == VhdFooter.DIFFERENCING ? paths(file, at, in) : List.of());
    }

    private static long sectors(long bytes) {
        return (bytes + VhdFooter.SECTOR - 1) / VhdFooter.SECTOR * VhdFooter.SECTOR;
    }

    private static List<String> paths(BackingFile file, long at, ByteBuffer in) {
        var relative = new ArrayList<String>();
        var absolute = new ArrayList<String>();
        for (int i = 0; i < 8; i++) {
            int entry = LOCATORS + i * LOCATOR_BYTES;
            int platform = in.getInt(entry);
            if (platform != RELATIVE && platform != ABSOLUTE) {
                continue;
            }
            int length = in.getInt(entry + 8);
            long offset = in.getLong(entry + 16);
            if (length <= 0 || length > LONGEST_PATH || offset < 0 || offset > file.size() - length) {
                throw new DiskFormatException(
                        file.name(),
                        at + entry,
                        "a parent locator of " + Integer.toUnsignedString(length) + " bytes at "
                                + Long.toUnsignedString(offset));
            }
            byte[] path = file.read(offset, length);
            (platform == RELATIVE ? relative : absolute).add(text(path, 0, length, StandardCharsets.UTF_16LE));
        }
        relative.addAll(absolute);
        return relative;
    }

    private static String text(byte[] bytes, int at, int length, Charset charset) {
        String all = new String(bytes, at, length, charset);
        int end = all.indexOf('\0');
        return end < 0 ? all : all.substring(0, end);
    }

    /** The header's bytes; the relative path, if there is a parent, is at {@code pathOffset} as UTF-16LE. */
    byte[] toByteArray(int parentSeconds, long pathOffset) {
        byte[] bytes = new byte[BYTES];
        ByteBuffer out = ByteBuffer.wrap(bytes);
        out.put(0, COOKIE);
        out.putLong(8, -1);
        out.putLong(16, batOffset);
        out.putInt(24, VERSION);
        out.putInt(28, entries);
        out.putInt(32, blockBytes);
        if (!parentPaths.isEmpty()) {
            out.putLong(40, parentId.getMostSignificantBits());
            out.putLong(48, parentId.getLeastSignificantBits());
            out.putInt(56, parentSeconds);
            byte[] name = parentName.getBytes(StandardCharsets.UTF_16BE);
            out.put(64, name, 0, Math.min(name.length, 510));
            int length = encodedPath().length;
            out.putInt(LOCATORS, RELATIVE);
            out.putInt(LOCATORS + 4, (int) sectors(length));
            out.putInt(LOCATORS + 8, length);
            out.putLong(LOCATORS + 16, pathOffset);
        }
        out.putInt(CHECKSUM, VhdFooter.checksum(bytes, CHECKSUM));
        return bytes;
    }

    /** The first path as the file holds it. */
    byte[] encodedPath() {
        return parentPaths.getFirst().getBytes(StandardCharsets.UTF_16LE);
    }
}
