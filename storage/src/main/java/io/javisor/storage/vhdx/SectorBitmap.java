package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskFormatException;

/**
 * The sector bitmaps of a differencing disk (section 2.4): a bit for each sector, 1 if this file has it, 0 if its parent. A
 * bitmap block of 1 MiB serves a chunk of blocks. Reads need the store's lock shared, changes need it alone.
 */
final class SectorBitmap {
    private static final int BLOCK = Layout.MIB;

    private final VhdxStore store;
    private final Bat bat;

    SectorBitmap(VhdxStore store) {
        this.store = store;
        bat = store.bat;
    }

    /** Where in the file a block's first bit is, as a number of a bit. */
    private long firstBit(long block) {
        long at = bat.bitmapEntryAt(bat.chunkOf(block));
        long entry = store.pages.get(at);
        if (Bat.state(entry) != Bat.FULL) {
            throw new DiskFormatException(
                    store.file.name(),
                    at,
                    "a partially present block without a sector bitmap: entry 0x" + Long.toHexString(entry));
        }
        Bat.check(store.file.name(), at, entry, BLOCK, store.file.size(), store.regions, store.header());
        return Bat.fileOffset(entry) * 8 + bat.bitOf(block);
    }

    /** Whether this file has a sector of a block. */
    boolean get(long block, int sector) {
        long bit = firstBit(block) + sector;
        return (store.pages.get(wordAt(bit)) >>> bit & 1) != 0;
    }

    private static long wordAt(long bit) {
        return bit >>> 6 << 3;
    }

    /** How many sectors from one on, at most a number, are where that one is. */
    int run(long block, int from, int most) {
        long first = firstBit(block) + from;
        boolean wanted = (store.pages.get(wordAt(first)) >>> first & 1) != 0;
        int n = 0;
        while (n < most) {
            long bit = first + n;
            long word = store.pages.get(wordAt(bit)) >>> bit;
            int same = Long.numberOfTrailingZeros(wanted ? ~word : word);
            int left = 64 - (int) (bit & 63);
            n += Math.min(same, left);
            if (same < left) {
                break;
            }
        }
        return Math.min(n, most);
    }

    /** Says that this file has sectors of a block. */
    void set(long block, int from, int count) {
        change(block, from, count, true);
    }

    /** Says that the parent has all sectors of a block; makes its bitmap if there is none. */
    void clear(long block) {
        long chunk = bat.chunkOf(block);
        long at = bat.bitmapEntryAt(chunk);
        if (Bat.state(store.pages.get(at)) == Bat.FULL) {
            change(block, 0, bat.sectorsPerBlock(), false);
            return;
        }
        long place = store.space.take(BLOCK);
        store.pages.set(at, Bat.entry(Bat.FULL, place));
    }

    private void change(long block, int from, int count, boolean present) {
        long first = firstBit(block) + from;
        long end = first + count;
        for (long bit = first; bit < end; ) {
            int low = (int) (bit & 63);
            int n = (int) Math.min(64 - low, end - bit);
            long mask = (n == 64 ? -1L : (1L << n) - 1) << low;
            long at = wordAt(bit);
            long word = store.pages.get(at);
            long changed = present ? word | mask : word & ~mask;
            if (changed != word) {
                store.pages.set(at, changed);
            }
            bit += n;
        }
    }
}
