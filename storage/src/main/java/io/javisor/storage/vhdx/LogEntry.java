package io.javisor.storage.vhdx;

import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.MsGuid;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.SortedMap;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One entry of the log (section 2.3.1): a set of 4 KiB updates, each with the place that it belongs to.
 *
 * <pre>
 *   0 "loge"   4 checksum   8 length   12 tail   16 sequence number   24 descriptor count   32 log GUID
 *   48 flushed file offset   56 last file offset   64 descriptors of 32 bytes, then data sectors
 *
 *   descriptor:  "desc"   4 trailing bytes   8 leading bytes   16 file offset   24 sequence number
 *                "zero"                      8 length          16 file offset   24 sequence number
 *   data sector: "data"   4 high half of the sequence number   8 bytes 8 to 4091   4092 its low half
 * </pre>
 *
 * @param at where in the log it begins
 * @param length in bytes
 * @param tail where in the log the oldest entry is that must be replayed with it
 * @param sequence number
 * @param flushedFileOffset size that the file surely had
 * @param lastFileOffset size that the file needs
 * @param descriptors how many
 */
record LogEntry(
        long at, long length, long tail, long sequence, long flushedFileOffset, long lastFileOffset, int descriptors) {
    private static final int SIGNATURE = (int) Layout.signature("loge");
    private static final int DESCRIPTOR = (int) Layout.signature("desc");
    private static final int ZEROES = (int) Layout.signature("zero");
    private static final int DATA = (int) Layout.signature("data");
    private static final int HEADER_BYTES = 64;
    private static final int DESCRIPTOR_BYTES = 32;
    private static final int FIRST_SECTOR_DESCRIPTORS = (Layout.PAGE - HEADER_BYTES) / DESCRIPTOR_BYTES;

    /** Takes what an entry says, in order. */
    interface Updates {
        void page(long fileOffset, byte[] page);

        void zero(long fileOffset, long length);
    }

    /** Most pages that an entry of one descriptor sector can carry. */
    static final int MOST_PAGES = FIRST_SECTOR_DESCRIPTORS;

    /** Reads the log as the ring that it is. */
    record Ring(BackingFile file, long offset, long length) {
        byte[] sector(long at) {
            return file.read(offset + at % length, Layout.PAGE);
        }
    }

    /**
     * Looks for an entry. Sectors are read in order and reading stops at the first that does not fit, so that a log full of
     * false beginnings costs no more than a good one.
     *
     * @return null if there is no whole, valid one
     */
    static @Nullable LogEntry find(Ring ring, long at, UUID guid) {
        byte[] first = ring.sector(at);
        ByteBuffer in = Layout.little(first);
        long length = Integer.toUnsignedLong(in.getInt(8));
        long tail = Integer.toUnsignedLong(in.getInt(12));
        long sequence = in.getLong(16);
        long count = Integer.toUnsignedLong(in.getInt(24));
        if (in.getInt(0) != SIGNATURE
                || length == 0
                || length % Layout.PAGE != 0
                || length > ring.length
                || tail % Layout.PAGE != 0
                || tail >= ring.length
                || sequence == 0
                || count > length / DESCRIPTOR_BYTES
                || !MsGuid.get(in, 32).equals(guid)) {
            return null;
        }
        long flushed = in.getLong(48);
        long last = in.getLong(56);
        if (flushed < 0 || last < 0 || last > Layout.LARGEST_FILE) {
            return null;
        }
        var crc = new CRC32C();
        int checksum = in.getInt(4);
        in.putInt(4, 0);
        crc.update(first);
        long headSectors = headSectors(count);
        long data = 0;
        for (long i = 0; i < headSectors; i++) {
            byte[] sector = i == 0 ? first : ring.sector(at + i * Layout.PAGE);
            if (i > 0) {
                crc.update(sector);
            }
            int found = countData(sector, i, count, sequence);
            if (found < 0) {
                return null;
            }
            data += found;
        }
        if ((headSectors + data) * Layout.PAGE != length) {
            return null;
        }
        for (long i = headSectors; i < headSectors + data; i++) {
            byte[] sector = ring.sector(at + i * Layout.PAGE);
            ByteBuffer b = Layout.little(sector);
            if (b.getInt(0) != DATA
                    || b.getInt(4) != (int) (sequence >>> 32)
                    || b.getInt(Layout.PAGE - 4) != (int) sequence) {
                return null;
            }
            crc.update(sector);
        }
        return (int) crc.getValue() == checksum
                ? new LogEntry(at, length, tail, sequence, flushed, last, (int) count)
                : null;
    }

    private static long headSectors(long descriptors) {
        return (HEADER_BYTES + descriptors * DESCRIPTOR_BYTES + Layout.PAGE - 1) / Layout.PAGE;
    }

    private static int descriptorsIn(long sector, long count) {
        long before = sector == 0 ? 0 : FIRST_SECTOR_DESCRIPTORS + (sector - 1) * (Layout.PAGE / DESCRIPTOR_BYTES);
        int room = sector == 0 ? FIRST_SECTOR_DESCRIPTORS : Layout.PAGE / DESCRIPTOR_BYTES;
        return (int) Math.min(room, count - before);
    }

    private static int countData(byte[] sector, long index, long count, long sequence) {
        ByteBuffer in = Layout.little(sector);
        int data = 0;
        for (int i = 0; i < descriptorsIn(index, count); i++) {
            int at = (index == 0 ? HEADER_BYTES : 0) + i * DESCRIPTOR_BYTES;
            long length = in.getLong(at + 8);
            long offset = in.getLong(at + 16);
            boolean zero = in.getInt(at) == ZEROES;
            if ((!zero && in.getInt(at) != DESCRIPTOR)
                    || in.getLong(at + 24) != sequence
                    || offset < 0
                    || offset % Layout.PAGE != 0
                    || offset > Layout.LARGEST_FILE - Layout.PAGE
                    || (zero && (length < 0 || length % Layout.PAGE != 0 || length > Layout.LARGEST_FILE - offset))) {
                return -1;
            }
            data += zero ? 0 : 1;
        }
        return data;
    }

    /** Gives all updates of an entry that {@link #find} found. */
    void replay(Ring ring, Updates updates) {
        long headSectors = headSectors(descriptors);
        long data = headSectors;
        for (long i = 0; i < headSectors; i++) {
            ByteBuffer in = Layout.little(ring.sector(at + i * Layout.PAGE));
            for (int d = 0; d < descriptorsIn(i, descriptors); d++) {
                int from = (i == 0 ? HEADER_BYTES : 0) + d * DESCRIPTOR_BYTES;
                if (in.getInt(from) == ZEROES) {
                    updates.zero(in.getLong(from + 16), in.getLong(from + 8));
                } else {
                    byte[] page = ring.sector(at + data++ * Layout.PAGE);
                    ByteBuffer b = Layout.little(page);
                    b.putLong(0, in.getLong(from + 8));
                    b.putInt(Layout.PAGE - 4, in.getInt(from + 4));
                    updates.page(in.getLong(from + 16), page);
                }
            }
        }
    }

    /** Makes an entry that stands alone: its tail is itself. */
    static byte[] encode(
            long at,
            UUID guid,
            long sequence,
            long flushedFileOffset,
            long lastFileOffset,
            SortedMap<Long, byte[]> pages) {
        int count = pages.size();
        if (count > MOST_PAGES) {
            throw new IllegalArgumentException(count + " pages in one log entry");
        }
        byte[] bytes = new byte[(1 + count) * Layout.PAGE];
        ByteBuffer out = Layout.little(bytes);
        out.putInt(0, SIGNATURE);
        out.putInt(8, bytes.length);
        out.putInt(12, (int) at);
        out.putLong(16, sequence);
        out.putInt(24, count);
        MsGuid.put(out, 32, guid);
        out.putLong(48, flushedFileOffset);
        out.putLong(56, lastFileOffset);
        int descriptor = HEADER_BYTES;
        int sector = Layout.PAGE;
        for (Map.Entry<Long, byte[]> update : pages.entrySet()) {
            ByteBuffer page = Layout.little(update.getValue());
            out.putInt(descriptor, DESCRIPTOR);
            out.putInt(descriptor + 4, page.getInt(Layout.PAGE - 4));
            out.putLong(descriptor + 8, page.getLong(0));
            out.putLong(descriptor + 16, update.getKey());
            out.putLong(descriptor + 24, sequence);
            out.put(sector, update.getValue());
            out.putInt(sector, DATA);
            out.putInt(sector + 4, (int) (sequence >>> 32));
            out.putInt(sector + Layout.PAGE - 4, (int) sequence);
            descriptor += DESCRIPTOR_BYTES;
            sector += Layout.PAGE;
        }
        out.putInt(4, Layout.checksum(bytes, 4));
        return bytes;
    }
}
