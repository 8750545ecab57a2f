package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.HostBackingFile;
import io.javisor.storage.file.Locators;
import io.javisor.storage.file.MsGuid;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes VHDX files. */
public final class VhdxCreation {
    /** What Hyper-V takes for dynamic disks; for differencing ones it takes 2 MiB, so that a small write stays small. */
    private static final int USUAL_BLOCK = 32 * Layout.MIB;

    private static final int DIFFERENCING_BLOCK = 2 * Layout.MIB;
    private static final long LOG_BYTES = Layout.MIB;

    private VhdxCreation() {}

    /**
     * Fills an empty file.
     *
     * @param path of the file, from which a parent is named
     */
    public static void create(BackingFile file, Path path, ImageSpec spec) {
        long size = spec.size();
        int block = spec.blockBytes() == 0 ? USUAL_BLOCK : spec.blockBytes();
        int sector = spec.sectorBytes();
        int physical = spec.physicalSectorBytes();
        UUID diskId = UUID.randomUUID();
        ParentLocator locator = null;
        Path parent = spec.parent();
        if (parent != null) {
            block = spec.blockBytes() == 0 ? DIFFERENCING_BLOCK : block;
            try (HostBackingFile opened = HostBackingFile.open(parent, true, false)) {
                VhdxFiles.Facts facts = VhdxFiles.facts(opened);
                size = size == 0 ? facts.diskBytes() : size;
                sector = facts.sectorBytes();
                physical = facts.physicalSectorBytes();
                diskId = facts.diskId();
                locator = locator(path, parent, facts.dataWrite());
            }
            if (size % sector != 0) {
                throw new DiskException(
                        DiskException.Kind.RANGE,
                        size + " bytes are not whole sectors of " + sector + " bytes, which the parent has",
                        null);
            }
        }
        boolean fixed = spec.layout() == ImageSpec.Layout.FIXED;
        write(file, size, block, fixed, diskId, sector, physical, locator);
    }

    /** Fills an empty file with an image without blocks, else like another, dynamic or differencing. */
    public static void createLike(BackingFile file, Path like) {
        try (HostBackingFile other = HostBackingFile.open(like, true, false)) {
            VhdxFiles.Facts f = VhdxFiles.facts(other);
            VhdxParent parent = f.parent();
            write(
                    file,
                    f.diskBytes(),
                    f.blockBytes(),
                    false,
                    f.diskId(),
                    f.sectorBytes(),
                    f.physicalSectorBytes(),
                    parent == null ? null : parent.locator());
        }
    }

    private static ParentLocator locator(Path path, Path parent, UUID dataWrite) {
        return new ParentLocator(Map.of(
                ParentLocator.LINKAGE,
                MsGuid.inBraces(dataWrite),
                // A place for the new GUID while a merge changes the parent.
                ParentLocator.LINKAGE_2,
                MsGuid.inBraces(MsGuid.NONE),
                ParentLocator.RELATIVE_PATH,
                Locators.relative(path, parent),
                ParentLocator.ABSOLUTE_PATH,
                parent.toAbsolutePath().normalize().toString()));
    }

    private static void write(
            BackingFile file,
            long size,
            int block,
            boolean fixed,
            UUID diskId,
            int sector,
            int physical,
            @Nullable ParentLocator locator) {
        long logAt = Layout.BODY;
        long metadataAt = logAt + LOG_BYTES;
        long batAt = metadataAt + Layout.MIB;
        var bat = new Bat(batAt, size, block, sector, locator != null);
        long batBytes = Layout.roundUp(bat.entries * 8, Layout.MIB);
        long blocksAt = batAt + batBytes;
        file.resize(fixed ? blocksAt + bat.blocks * block : blocksAt);
        if (fixed) {
            file.zero(blocksAt, bat.blocks * block, false);
            fillBat(file, bat, blocksAt);
        }
        file.write(metadataAt, Metadata.encode(block, fixed, size, diskId, sector, physical, locator));
        byte[] regions = new Regions(batAt, batBytes, metadataAt, Layout.MIB).toByteArray();
        file.write(Layout.REGIONS_1, regions);
        file.write(Layout.REGIONS_2, regions);
        var header = new Header(1, UUID.randomUUID(), UUID.randomUUID(), MsGuid.NONE, LOG_BYTES, logAt);
        file.write(Layout.HEADER_1, header.toByteArray());
        file.write(
                Layout.HEADER_2,
                header.next(header.fileWrite(), header.dataWrite(), MsGuid.NONE).toByteArray());
        // The signature comes last: a file that was not finished is no VHDX file.
        file.flush();
        byte[] identifier = new byte[64 * Layout.KIB];
        ByteBuffer out = Layout.little(identifier);
        out.putLong(0, Layout.FILE_SIGNATURE);
        out.put(8, "Javisor".getBytes(StandardCharsets.UTF_16LE));
        file.write(0, identifier);
        file.flush();
    }

    private static void fillBat(BackingFile file, Bat bat, long blocksAt) {
        int perPage = MetadataPages.WORDS;
        byte[] bytes = new byte[Layout.PAGE];
        ByteBuffer page = Layout.little(bytes);
        long block = 0;
        for (long first = 0; first < bat.entries; first += perPage) {
            for (int i = 0; i < perPage; i++) {
                boolean payload = (first + i) % (bat.chunkRatio + 1) != bat.chunkRatio && block < bat.blocks;
                page.putLong(i * 8, payload ? Bat.entry(Bat.FULL, blocksAt + block * bat.blockBytes) : 0);
                block += payload ? 1 : 0;
            }
            file.write(bat.offset + first * 8, bytes);
        }
    }
}
