package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.MsGuid;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The metadata region (section 2.6): a table of items, then the items.
 *
 * <pre>
 *   0 "metadata"   10 entry count   32 entries of 32 bytes:
 *      0 GUID   16 offset in the region   20 length   24 flags: 1 user, 2 of the disk, 4 must be understood
 * </pre>
 *
 * @param blockBytes unit of allocation, 1 to 256 MiB
 * @param leaveAllocated whether blocks keep their place: a fixed disk
 * @param diskBytes size of the disk
 * @param diskId identity of the disk
 * @param sectorBytes 512 or 4,096
 * @param physicalSectorBytes 512 or 4,096
 * @param parent where the parent is, or null if this is no differencing disk
 * @param sizeAt where in the file the size of the disk is written
 * @param locatorAt where in the file the parent locator is written; 0 if there is none
 */
record Metadata(
        int blockBytes,
        boolean leaveAllocated,
        long diskBytes,
        UUID diskId,
        int sectorBytes,
        int physicalSectorBytes,
        @Nullable ParentLocator parent,
        long sizeAt,
        long locatorAt) {
    private static final long SIGNATURE = Layout.signature("metadata");
    private static final UUID PARAMETERS = UUID.fromString("CAA16737-FA36-4D43-B3B6-33F0AA44E76B");
    private static final UUID DISK_SIZE = UUID.fromString("2FA54224-CD1B-4876-B211-5DBED83BF4B8");
    private static final UUID DISK_ID = UUID.fromString("BECA12AB-B2E6-4523-93EF-C309E000C746");
    private static final UUID SECTOR = UUID.fromString("8141BF1D-A96F-4709-BA47-F233A8FAAB5F");
    private static final UUID PHYSICAL_SECTOR = UUID.fromString("CDA348C7-445D-4471-9CC9-E9885251C556");
    private static final UUID PARENT = UUID.fromString("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C");
    private static final Set<UUID> KNOWN = Set.of(PARAMETERS, DISK_SIZE, DISK_ID, SECTOR, PHYSICAL_SECTOR, PARENT);

    private static final int TABLE = 64 * Layout.KIB;
    private static final int ENTRY = 32;
    private static final int MOST_ENTRIES = 2047;
    private static final int USER = 1;
    private static final int OF_DISK = 2;
    private static final int REQUIRED = 4;
    private static final int LEAVE_ALLOCATED = 1;
    private static final int HAS_PARENT = 2;

    private record Item(long offset, int length) {}

    static Metadata read(BackingFile file, Regions regions) {
        return new Reader(file, regions).read();
    }

    private static final class Reader {
        private final BackingFile file;
        private final Regions regions;
        private final Map<UUID, Item> items = new HashMap<>();

        Reader(BackingFile file, Regions regions) {
            this.file = file;
            this.regions = regions;
        }

        Metadata read() {
            readTable();
            ByteBuffer parameters = item(PARAMETERS, 8);
            int block = parameters.getInt(0);
            int flags = parameters.getInt(4);
            if (block < Layout.MIB || block > 256 * Layout.MIB || Integer.bitCount(block) != 1) {
                throw wrong(
                        PARAMETERS,
                        "blocks of " + Integer.toUnsignedString(block)
                                + " bytes; a power of two from 1 to 256 MiB is possible");
            }
            int sector = sector(SECTOR);
            int physical = sector(PHYSICAL_SECTOR);
            long size = item(DISK_SIZE, 8).getLong(0);
            if (size <= 0 || size > Layout.LARGEST_DISK || size % sector != 0) {
                throw wrong(
                        DISK_SIZE,
                        "a disk of " + Long.toUnsignedString(size) + " bytes; whole sectors of " + sector
                                + " bytes up to 64 TiB are possible");
            }
            UUID id = MsGuid.get(item(DISK_ID, 16), 0);
            ParentLocator parent = null;
            long locatorAt = 0;
            if ((flags & HAS_PARENT) != 0) {
                Item place = place(PARENT);
                locatorAt = place.offset;
                parent = ParentLocator.parse(file.name(), locatorAt, file.read(locatorAt, place.length));
            }
            return new Metadata(
                    block,
                    (flags & LEAVE_ALLOCATED) != 0 && parent == null,
                    size,
                    id,
                    sector,
                    Math.max(physical, sector),
                    parent,
                    place(DISK_SIZE).offset,
                    locatorAt);
        }

        private void readTable() {
            long region = regions.metadataOffset();
            ByteBuffer table = Layout.little(file.read(region, TABLE));
            if (table.getLong(0) != SIGNATURE) {
                throw new DiskFormatException(file.name(), region, "no \"metadata\" signature");
            }
            int count = Short.toUnsignedInt(table.getShort(10));
            if (count > MOST_ENTRIES) {
                throw new DiskFormatException(file.name(), region + 10, count + " items; 2047 are possible");
            }
            var names = new HashSet<Map.Entry<UUID, Boolean>>();
            for (int i = 1; i <= count; i++) {
                int at = i * ENTRY;
                UUID guid = MsGuid.get(table, at);
                long offset = Integer.toUnsignedLong(table.getInt(at + 16));
                long length = Integer.toUnsignedLong(table.getInt(at + 20));
                int flags = table.getInt(at + 24);
                boolean user = (flags & USER) != 0;
                boolean known = !user && KNOWN.contains(guid);
                if (!known && (flags & REQUIRED) != 0) {
                    throw new DiskFormatException(
                            file.name(), region + at, "an item " + guid + " that must be, but is not, understood");
                }
                if (!names.add(Map.entry(guid, user))) {
                    throw new DiskFormatException(file.name(), region + at, "a second item " + guid);
                }
                if (length > Layout.MIB
                        || (length > 0 && (offset < TABLE || offset + length > regions.metadataLength()))) {
                    throw new DiskFormatException(
                            file.name(),
                            region + at + 16,
                            "an item of " + length + " bytes at " + offset + " of a region of "
                                    + regions.metadataLength() + " bytes");
                }
                if (known) {
                    items.put(guid, new Item(region + offset, (int) length));
                }
            }
        }

        private Item place(UUID guid) {
            Item item = items.get(guid);
            if (item == null) {
                throw new DiskFormatException(
                        file.name(), regions.metadataOffset(), "the metadata has no item " + guid);
            }
            return item;
        }

        private ByteBuffer item(UUID guid, int length) {
            Item item = place(guid);
            if (item.length < length) {
                throw wrong(guid, "an item of " + item.length + " bytes instead of " + length);
            }
            return Layout.little(file.read(item.offset, length));
        }

        private int sector(UUID guid) {
            int bytes = item(guid, 4).getInt(0);
            if (bytes != 512 && bytes != 4096) {
                throw wrong(
                        guid, "sectors of " + Integer.toUnsignedString(bytes) + " bytes; 512 and 4096 are possible");
            }
            return bytes;
        }

        private DiskFormatException wrong(UUID guid, String problem) {
            return new DiskFormatException(file.name(), place(guid).offset, problem);
        }
    }

    /** The region's bytes, for a new file, whose region begins at an offset. Its length is 1 MiB. */
    static byte[] encode(
            int blockBytes,
            boolean leaveAllocated,
            long diskBytes,
            UUID diskId,
            int sectorBytes,
            int physicalSectorBytes,
            @Nullable ParentLocator parent) {
        byte[] bytes = new byte[Layout.MIB];
        ByteBuffer out = Layout.little(bytes);
        out.putLong(0, SIGNATURE);
        out.putShort(10, (short) (parent == null ? 5 : 6));
        int at = TABLE;
        entry(out, 1, PARAMETERS, at, 8, REQUIRED);
        out.putInt(at, blockBytes);
        out.putInt(at + 4, (leaveAllocated ? LEAVE_ALLOCATED : 0) | (parent == null ? 0 : HAS_PARENT));
        entry(out, 2, DISK_SIZE, at + 8, 8, REQUIRED | OF_DISK);
        out.putLong(at + 8, diskBytes);
        entry(out, 3, DISK_ID, at + 16, 16, REQUIRED | OF_DISK);
        MsGuid.put(out, at + 16, diskId);
        entry(out, 4, SECTOR, at + 32, 4, REQUIRED | OF_DISK);
        out.putInt(at + 32, sectorBytes);
        entry(out, 5, PHYSICAL_SECTOR, at + 36, 4, REQUIRED | OF_DISK);
        out.putInt(at + 36, physicalSectorBytes);
        if (parent != null) {
            // At a page of its own, so that one logged page can change it.
            int locatorAt = at + Layout.PAGE;
            byte[] locator = parent.toByteArray();
            entry(out, 6, PARENT, locatorAt, locator.length, REQUIRED);
            out.put(locatorAt, locator);
        }
        return bytes;
    }

    private static void entry(ByteBuffer out, int index, UUID guid, int offset, int length, int flags) {
        int at = index * ENTRY;
        MsGuid.put(out, at, guid);
        out.putInt(at + 16, offset);
        out.putInt(at + 20, length);
        out.putInt(at + 24, flags);
    }
}
