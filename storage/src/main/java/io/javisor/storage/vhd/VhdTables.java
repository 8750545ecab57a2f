package io.javisor.storage.vhd;

import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The BAT and the sector bitmaps of an open file, as they will be after the next commit. Looking needs the disk's lock
 * shared, changing needs it alone.
 *
 * <p>Each block in the file is a bitmap, rounded up to sectors, and the data. A bit, the highest of a byte first, says
 * whether the sector is present.
 */
final class VhdTables {
    private static final int UNUSED = -1;
    private static final int SECTOR = VhdFooter.SECTOR;
    /** Bytes of bitmaps kept in memory. */
    private static final int MOST_CACHED = 8 << 20;
    /** Changed bitmaps that wait for a commit at most, in bytes. */
    private static final int MOST_DIRTY = 2 << 20;

    private final BackingFile file;
    private final VhdHeader header;
    private final byte[] footer;
    private final int[] bat;
    private final int bitmapBytes;
    private final int blockBytes;
    // Blocks known to have all sectors; replaced under the lock held alone, added to by readers under its own monitor.
    private final BitSet full = new BitSet();
    private final Map<Integer, byte[]> bitmaps = new ConcurrentHashMap<>();
    private final TreeMap<Integer, byte[]> dirty = new TreeMap<>();
    private final BitSet dirtyBat = new BitSet();
    private long end;

    VhdTables(BackingFile file, VhdHeader header, VhdFooter.Found found) {
        this.file = file;
        this.header = header;
        footer = found.footer().toByteArray();
        blockBytes = header.blockBytes();
        bitmapBytes = (blockBytes / SECTOR / 8 + SECTOR - 1) / SECTOR * SECTOR;
        bat = readBat();
        for (int i = 0; i < bat.length; i++) {
            if (bat[i] != UNUSED) {
                checkPlace(i);
            }
        }
        // Not the last block's end: parent locators may lie anywhere.
        end = (found.atEnd() ? file.size() - SECTOR : file.size() + SECTOR - 1) / SECTOR * SECTOR;
    }

    static long batBytes(long entries) {
        return (entries * 4 + SECTOR - 1) / SECTOR * SECTOR;
    }

    private int[] readBat() {
        int[] table = new int[header.entries()];
        int step = 1 << 18;
        for (int i = 0; i < table.length; i += step) {
            int n = Math.min(step, table.length - i);
            byte[] bytes = file.read(header.batOffset() + 4L * i, (int) batBytes(n));
            ByteBuffer.wrap(bytes).asIntBuffer().get(table, i, n);
        }
        return table;
    }

    private void checkPlace(int block) {
        long place = place(block);
        if ((place < header.batOffset() + batBytes(header.entries())
                        && place + bitmapBytes + blockBytes > header.batOffset())
                || place < SECTOR
                || place > file.size() - bitmapBytes - blockBytes) {
            throw new DiskFormatException(
                    file.name(),
                    header.batOffset() + 4L * block,
                    "a BAT entry puts a block at " + place + ", over the BAT or outside the file of " + file.size()
                            + " bytes");
        }
    }

    private long place(int block) {
        return Integer.toUnsignedLong(bat[block]) * SECTOR;
    }

    /** Bytes of the file that a block takes, with its bitmap. */
    long bytesInFile() {
        return (long) bitmapBytes + blockBytes;
    }

    /** Where the blocks in the file are. */
    long[] places() {
        return java.util.stream.IntStream.range(0, bat.length)
                .filter(this::isAllocated)
                .mapToLong(this::place)
                .toArray();
    }

    int blockBytes() {
        return blockBytes;
    }

    boolean isAllocated(int block) {
        return bat[block] != UNUSED;
    }

    /** Where a block's data begins in the file. */
    long dataAt(int block) {
        return place(block) + bitmapBytes;
    }

    /** Whether a block is in the file and known to have all its sectors, without looking into the file. */
    boolean isKnownFull(int block) {
        if (!isAllocated(block)) {
            return false;
        }
        synchronized (full) {
            return full.get(block);
        }
    }

    /** Whether a block in the file has all its sectors. */
    boolean isFull(int block) {
        synchronized (full) {
            if (full.get(block)) {
                return true;
            }
        }
        if (dirty.containsKey(block) || !isAllOnes(bitmap(block))) {
            return false;
        }
        synchronized (full) {
            full.set(block);
        }
        bitmaps.remove(block);
        return true;
    }

    private boolean isAllOnes(byte[] bitmap) {
        for (int i = 0; i < blockBytes / SECTOR / 8; i++) {
            if (bitmap[i] != -1) {
                return false;
            }
        }
        return true;
    }

    private byte[] bitmap(int block) {
        byte[] changed = dirty.get(block);
        if (changed != null) {
            return changed;
        }
        byte[] cached = bitmaps.get(block);
        if (cached != null) {
            return cached;
        }
        if ((long) bitmaps.size() * bitmapBytes > MOST_CACHED) {
            bitmaps.clear();
        }
        byte[] read = file.read(place(block), bitmapBytes);
        bitmaps.put(block, read);
        return read;
    }

    boolean has(int block, int sector) {
        return isSet(bitmap(block), sector);
    }

    private static boolean isSet(byte[] bits, int sector) {
        return (bits[sector >> 3] & (0x80 >> (sector & 7))) != 0;
    }

    /** How many sectors from one on, at most a number, are as that one is. */
    int run(int block, int from, int most) {
        byte[] bits = bitmap(block);
        boolean wanted = isSet(bits, from);
        int n = 1;
        while (n < most && isSet(bits, from + n) == wanted) {
            n++;
        }
        return n;
    }

    void setPresent(int block, int from, int count) {
        byte[] bits = dirty.computeIfAbsent(block, b -> bitmap(b).clone());
        bitmaps.remove(block);
        for (int i = from; i < from + count; i++) {
            bits[i >> 3] |= (byte) (0x80 >> (i & 7));
        }
    }

    /** Gives a block a place at the file's end, all zeroes. */
    void allocate(int block, boolean present) {
        long place = end;
        long next = place + bitmapBytes + blockBytes;
        if (next / SECTOR > 0xFFFF_FFFEL) {
            throw new DiskException(
                    DiskException.Kind.NO_SPACE, file.name() + " has reached the format's limit of 2 TiB", "use VHDX");
        }
        long old = file.size();
        // The footer at the end goes first; until the new one is durable the copy at the beginning stands in for it.
        if (place < old) {
            file.zero(place, Math.min(old, next) - place, false);
        }
        file.resize(next + footer.length);
        file.write(next, footer);
        if (present) {
            byte[] ones = new byte[bitmapBytes];
            Arrays.fill(ones, (byte) -1);
            file.write(place, ones);
            synchronized (full) {
                full.set(block);
            }
        }
        end = next;
        bat[block] = (int) (place / SECTOR);
        dirtyBat.set(block * 4 / SECTOR);
    }

    boolean isDirty() {
        return !dirtyBat.isEmpty() || !dirty.isEmpty();
    }

    /** Whether it is time for a commit. */
    boolean isCrowded() {
        return (long) dirty.size() * bitmapBytes >= MOST_DIRTY;
    }

    /** Makes the data durable, then the tables that name it. */
    void commit() {
        file.flush();
        if (!isDirty()) {
            return;
        }
        dirty.forEach((block, bits) -> file.write(place(block), bits));
        dirtyBat.stream().forEach(this::writeBatSector);
        file.flush();
        dirty.clear();
        dirtyBat.clear();
    }

    private void writeBatSector(int sector) {
        ByteBuffer out = ByteBuffer.allocate(SECTOR);
        int first = sector * (SECTOR / 4);
        for (int i = 0; i < SECTOR / 4; i++) {
            out.putInt(first + i < bat.length ? bat[first + i] : UNUSED);
        }
        file.write(header.batOffset() + (long) sector * SECTOR, out.array());
    }
}
