package io.javisor.storage.vhdx;

import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.MsGuid;
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
