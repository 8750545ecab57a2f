package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskFormatException;

/**
 * The block allocation table's arithmetic (section 2.5): after the entries of every chunk of payload blocks comes the entry
 * of the block with their sector bitmap.
 *
 * <pre>
 *   entry:  63 … 20 offset in the file in MiB │ 19 … 3 reserved │ 2 … 0 state
 * </pre>
 */
final class Bat {
    static final int NOT_PRESENT = 0;
    static final int UNDEFINED = 1;
    static final int ZERO = 2;
    static final int UNMAPPED = 3;
    static final int FULL = 6;
    static final int PARTIAL = 7;

    private static final int SECTORS_PER_CHUNK = 1 << 23;

    final long offset;
    final int blockBytes;
    final int sectorBytes;
    final long blocks;
    final long chunkRatio;
    /** Entries that the table needs. */
    final long entries;

    Bat(long offset, long diskBytes, int blockBytes, int sectorBytes, boolean differencing) {
        this.offset = offset;
        this.blockBytes = blockBytes;
        this.sectorBytes = sectorBytes;
        chunkRatio = (long) SECTORS_PER_CHUNK * sectorBytes / blockBytes;
        blocks = (diskBytes + blockBytes - 1) / blockBytes;
        long chunks = (blocks + chunkRatio - 1) / chunkRatio;
        entries = differencing ? chunks * (chunkRatio + 1) : blocks + (blocks - 1) / chunkRatio;
    }

    static long entry(int state, long fileOffset) {
        return fileOffset | state;
    }

    static int state(long entry) {
        return (int) (entry & 7);
    }

    static long fileOffset(long entry) {
        return entry >>> 20 << 20;
    }

    /** Whether an entry's state says that there is a block in the file. */
    static boolean isAllocated(long entry) {
        return (entry & 7) >= FULL;
    }

    /** Where in the file a payload block's entry is. */
    long payloadEntryAt(long block) {
        return offset + 8 * (block + block / chunkRatio);
    }

    /** Where in the file the entry of a chunk's sector bitmap is. */
    long bitmapEntryAt(long chunk) {
        return offset + 8 * (chunk * (chunkRatio + 1) + chunkRatio);
    }

    long chunkOf(long block) {
        return block / chunkRatio;
    }

    /** Where in its chunk's sector bitmap a block's first sector is, in bits. */
    long bitOf(long block) {
        return block % chunkRatio * sectorsPerBlock();
    }

    int sectorsPerBlock() {
        return blockBytes / sectorBytes;
    }

    /** Throws unless an entry with a block in the file makes sense. */
    static void check(String file, long at, long entry, long length, long fileSize, Regions regions, Header header) {
        long place = fileOffset(entry);
        if ((entry & 0xF_FFF8) != 0
                || place < Layout.BODY
                || place > fileSize - length
                || regions.overlaps(place, length)
                || Regions.overlap(place, length, header.logOffset(), header.logLength())) {
            throw new DiskFormatException(
                    file,
                    at,
                    "a BAT entry 0x" + Long.toHexString(entry) + " puts a block of " + length + " bytes at " + place
                            + ", which is not free space inside the file of " + fileSize + " bytes");
        }
    }
}
