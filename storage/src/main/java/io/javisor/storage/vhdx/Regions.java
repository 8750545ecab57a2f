package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.MsGuid;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The region table (section 2.2.3), of which there are two equal copies: where the BAT and the metadata lie.
 *
 * <pre>
 *   0 "regi"   4 checksum   8 entry count   12 reserved   16 entries of 32 bytes:
 *      0 GUID   16 offset in the file   24 length   28 bit 0: must be understood
 * </pre>
 */
record Regions(long batOffset, long batLength, long metadataOffset, long metadataLength) {
    private static final int SIGNATURE = (int) Layout.signature("regi");
    private static final UUID BAT = UUID.fromString("2DC27766-F623-4200-9D64-115E9BFD4A08");
    private static final UUID METADATA = UUID.fromString("8B7CA206-4790-4B9A-B8FE-575F050F886E");
    private static final int MOST_ENTRIES = 2047;
    private static final int FIRST = 16;
    private static final int ENTRY = 32;

    static Regions read(BackingFile file, Header header) {
        byte[] table = file.read(Layout.REGIONS_1, Layout.REGION_TABLE_BYTES);
        long at = Layout.REGIONS_1;
        if (!fits(table)) {
            table = file.read(Layout.REGIONS_2, Layout.REGION_TABLE_BYTES);
            at = Layout.REGIONS_2;
            if (!fits(table)) {
                throw new DiskFormatException(
                        file.name(),
                        Layout.REGIONS_1,
                        "neither of the two region tables has a signature and a checksum that fit");
            }
        }
        return parse(file, header, Layout.little(table), at);
    }

    private static boolean fits(byte[] table) {
        ByteBuffer in = Layout.little(table);
        return in.getInt(0) == SIGNATURE && in.getInt(4) == Layout.checksum(table, 4);
    }

    private static Regions parse(BackingFile file, Header header, ByteBuffer in, long at) {
        int count = in.getInt(8);
        if (count < 0 || count > MOST_ENTRIES) {
            throw new DiskFormatException(
                    file.name(), at + 8, Integer.toUnsignedString(count) + " regions; 2047 are possible");
        }
        long @Nullable [] bat = null;
        long @Nullable [] metadata = null;
        for (int i = 0; i < count; i++) {
            int entry = FIRST + i * ENTRY;
            UUID guid = MsGuid.get(in, entry);
            long[] place = {in.getLong(entry + 16), Integer.toUnsignedLong(in.getInt(entry + 24))};
            boolean isBat = guid.equals(BAT);
            if (!isBat && !guid.equals(METADATA)) {
                if ((in.getInt(entry + 28) & 1) != 0) {
                    throw new DiskFormatException(
                            file.name(), at + entry, "a region " + guid + " that must be, but is not, understood");
                }
                continue;
            }
            if ((isBat ? bat : metadata) != null) {
                throw new DiskFormatException(file.name(), at + entry, "a second region " + guid);
            }
            Layout.checkPlace(
                    file.name(), at + entry + 16, isBat ? "a BAT" : "metadata", place[0], place[1], file.size());
            if (isBat) {
                bat = place;
            } else {
                metadata = place;
            }
        }
        if (bat == null || metadata == null) {
            throw new DiskFormatException(
                    file.name(), at + FIRST, "the region table names no " + (bat == null ? "BAT" : "metadata"));
        }
        var regions = new Regions(bat[0], bat[1], metadata[0], metadata[1]);
        if (overlap(bat[0], bat[1], metadata[0], metadata[1])
                || regions.overlaps(header.logOffset(), header.logLength())) {
            throw new DiskFormatException(file.name(), at + FIRST, "the BAT, the metadata and the log overlap");
        }
        return regions;
    }

    /** Whether a range touches the BAT or the metadata. */
    boolean overlaps(long offset, long length) {
        return overlap(batOffset, batLength, offset, length) || overlap(metadataOffset, metadataLength, offset, length);
    }

    static boolean overlap(long a, long aLength, long b, long bLength) {
        return a < b + bLength && b < a + aLength;
    }

    byte[] toByteArray() {
        byte[] bytes = new byte[Layout.REGION_TABLE_BYTES];
        ByteBuffer out = Layout.little(bytes);
        out.putInt(0, SIGNATURE);
        out.putInt(8, 2);
        put(out, FIRST, BAT, batOffset, batLength);
        put(out, FIRST + ENTRY, METADATA, metadataOffset, metadataLength);
        out.putInt(4, Layout.checksum(bytes, 4));
        return bytes;
    }

    private static void put(ByteBuffer out, int at, UUID guid, long offset, long length) {
        MsGuid.put(out, at, guid);
        out.putLong(at + 16, offset);
        out.putInt(at + 24, (int) length);
        out.putInt(at + 28, 1);
    }
}
