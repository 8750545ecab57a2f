package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.ImageDescription;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.HostBackingFile;
import io.javisor.storage.file.MsGuid;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Looks at VHDX files without opening the disk. */
public final class VhdxFiles {
    private VhdxFiles() {}

    /**
     * What a file says of its disk.
     *
     * @param diskBytes size of the disk
     * @param blockBytes unit of allocation
     * @param sectorBytes of the disk
     * @param physicalSectorBytes of the disk
     * @param diskId identity of the disk
     * @param dataWrite changes when the contents do
     * @param leaveAllocated whether it is a fixed disk
     * @param logInUse whether it was not closed, so that its log will be replayed
     * @param parent of a differencing disk, or null
     */
    public record Facts(
            long diskBytes,
            int blockBytes,
            int sectorBytes,
            int physicalSectorBytes,
            UUID diskId,
            UUID dataWrite,
            boolean leaveAllocated,
            boolean logInUse,
            @Nullable VhdxParent parent) {}

    /** The GUID by which children name their parent. */
    public static UUID dataWriteGuid(BackingFile file) {
        return Header.readCurrent(file).header().dataWrite();
    }

    /** What a file says of its disk. */
    public static ImageDescription describe(HostBackingFile file, Path path) {
        Facts f = facts(file);
        VhdxParent parent = f.parent;
        return new ImageDescription(
                path,
                ImageFormat.VHDX,
                parent != null
                        ? ImageSpec.Layout.DIFFERENCING
                        : f.leaveAllocated ? ImageSpec.Layout.FIXED : ImageSpec.Layout.DYNAMIC,
                /* size= */ f.diskBytes,
                /* fileBytes= */ file.size(),
                file.allocatedBytes(),
                f.blockBytes,
                f.sectorBytes,
                f.physicalSectorBytes,
                f.diskId,
                f.logInUse,
                parent == null ? List.of() : parent.paths());
    }

    /**
     * Makes a differencing disk accept its parent under another data-write GUID, too: the one that the parent will have while
     * and after the child is merged into it (section 2.6.2.6.3, note 12).
     *
     * @return the GUID
     */
    public static UUID prepareMerge(Path child) {
        HostBackingFile file = HostBackingFile.open(child, false, false);
        VhdxStore store;
        try {
            store = VhdxStore.open(file);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
        try (store) {
            UUID guid = UUID.randomUUID();
            ParentLocator locator = store.metadata.parent();
            if (locator == null) {
                throw new DiskException(
                        DiskException.Kind.PARENT, child + " has no parent to be merged into", "choose another disk");
            }
            byte[] before = locator.toByteArray();
            byte[] after =
                    locator.with(ParentLocator.LINKAGE_2, MsGuid.inBraces(guid)).toByteArray();
            if (after.length != before.length) {
                // Made by somebody who left no place for it: the old GUID gives way, and a merge that is cut off must
                // be
                // taken up again before the child can be opened.
                after = locator.with(ParentLocator.LINKAGE, MsGuid.inBraces(guid))
                        .toByteArray();
            }
            if (after.length > Layout.PAGE) {
                throw new DiskException(
                        DiskException.Kind.UNSUPPORTED, child + ": its parent locator is too long", "convert it");
            }
            // The contents stay the same, so that children of this disk stay valid.
            store.begin(store.header().dataWrite());
            var pages = new TreeMap<Long, byte[]>();
            VhdxResize.patch(store, pages, store.metadata.locatorAt(), after);
            store.commitPages(pages);
            return guid;
        }
    }

    /** Reads what the file says; a file opened read-only stays as it is. */
    public static Facts facts(BackingFile file) {
        Header header = Header.readCurrent(file).header();
        boolean inUse = !header.log().equals(MsGuid.NONE);
        BackingFile seen = inUse ? new ReplayedFile(file, new LogReplay(file, header)) : file;
        Metadata m = Metadata.read(seen, Regions.read(seen, header));
        ParentLocator parent = m.parent();
        return new Facts(
                m.diskBytes(),
                m.blockBytes(),
                m.sectorBytes(),
                m.physicalSectorBytes(),
                m.diskId(),
                header.dataWrite(),
                m.leaveAllocated(),
                inUse,
                parent == null ? null : new VhdxParent(parent));
    }
}
