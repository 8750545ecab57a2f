package io.javisor.storage.vhd;

import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.HostBackingFile;
import io.javisor.storage.file.Locators;
import io.javisor.storage.file.MsGuid;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/** Makes VHD files. */
public final class VhdCreation {
    private static final int USUAL_BLOCK = 2 << 20;
    private static final int SECTOR = VhdFooter.SECTOR;

    private VhdCreation() {}

    /**
     * Fills an empty file.
     *
     * @param path of the file, from which a parent is named
     */
    public static void create(BackingFile file, Path path, ImageSpec spec) {
        int now = VhdFooter.now(Clock.systemUTC());
        UUID id = UUID.randomUUID();
        if (spec.layout() == ImageSpec.Layout.FIXED) {
            var footer = new VhdFooter(-1, spec.size(), spec.size(), VhdFooter.FIXED, id, now);
            file.resize(spec.size() + VhdFooter.BYTES);
            file.zero(0, spec.size(), false);
            file.write(spec.size(), footer.toByteArray());
            file.flush();
            return;
        }
        long size = spec.size();
        UUID parentId = MsGuid.NONE;
        int parentSeconds = 0;
        String name = "";
        List<String> paths = List.of();
        int block = spec.blockBytes() == 0 ? USUAL_BLOCK : spec.blockBytes();
        Path parent = spec.parent();
        if (parent != null) {
            try (HostBackingFile p = HostBackingFile.open(parent, true, false)) {
                VhdFooter f = VhdFooter.read(p).footer();
                size = size == 0 ? f.size() : size;
                parentId = f.id();
                parentSeconds = f.seconds();
            }
            name = String.valueOf(parent.getFileName());
            paths = List.of(Locators.relative(path, parent));
        }
        int type = parent == null ? VhdFooter.DYNAMIC : VhdFooter.DIFFERENCING;
        var footer = new VhdFooter(SECTOR, size, size, type, id, now);
        write(file, footer, new VhdHeader(0, 0, block, parentId, name, paths), parentSeconds);
    }

    /** Writes an image without blocks; of the header, places and numbers are worked out anew. */
    static void write(BackingFile file, VhdFooter like, VhdHeader wanted, int parentSeconds) {
        long size = like.size();
        int block = wanted.blockBytes();
        long blocks = (size + block - 1) / block;
        if (blocks > VhdHeader.MOST_ENTRIES) {
            throw new IllegalArgumentException("a disk of " + size + " bytes in " + blocks + " blocks; "
                    + VhdHeader.MOST_ENTRIES + " are possible");
        }
        boolean hasParent = !wanted.parentPaths().isEmpty();
        byte[] footer =
                new VhdFooter(SECTOR, like.originalSize(), size, like.type(), like.id(), like.seconds()).toByteArray();
        long pathAt = SECTOR + VhdHeader.BYTES;
        long bat = pathAt;
        if (hasParent) {
            long length = wanted.encodedPath().length;
            bat += (length + SECTOR - 1) / SECTOR * SECTOR;
        }
        var header =
                new VhdHeader(bat, (int) blocks, block, wanted.parentId(), wanted.parentName(), wanted.parentPaths());
        long end = bat + VhdTables.batBytes(blocks);
        file.resize(end + footer.length);
        file.write(0, footer);
        file.write(SECTOR, header.toByteArray(parentSeconds, pathAt));
        if (hasParent) {
            file.write(pathAt, Arrays.copyOf(header.encodedPath(), (int) (bat - pathAt)));
        }
        byte[] unused = new byte[1 << 16];
        Arrays.fill(unused, (byte) -1);
        for (long at = bat; at < end; at += unused.length) {
            file.write(at, end - at < unused.length ? Arrays.copyOf(unused, (int) (end - at)) : unused);
        }
        file.write(end, footer);
        file.flush();
    }
}
