package io.javisor.storage.disk;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How to open a disk.
 *
 * @param format of the file; null for the one that its name promises
 * @param readOnly whether writes are refused
 * @param direct whether to go past the host's page cache
 * @param sectorBytes of a raw disk: 512, 2,048 or 4,096; VHD and VHDX say it themselves
 * @param identity of a raw disk; null for one made of the host's numbers for the file. VHD and VHDX carry their own
 * @param parents which files a differencing disk may name
 * @param shared whether other processes of this host may open the file at the same time, all of them shared; only raw files that are
 *     written, and only as disks of a {@link io.javisor.storage.fibrechannel.SoftwareSan}, where reservations say who may do what
 */
public record DiskOptions(
        @Nullable ImageFormat format,
        boolean readOnly,
        boolean direct,
        int sectorBytes,
        @Nullable UUID identity,
        ParentPolicy parents,
        boolean shared) {
    /** Writable, through the page cache, sectors of 512 bytes, parents in the same folder. */
    public static final DiskOptions DEFAULT =
            new DiskOptions(null, false, false, 512, null, ParentPolicy.sameFolder(), false);

    /** The same, of a format that is known. */
    public DiskOptions withFormat(ImageFormat known) {
        return new DiskOptions(known, readOnly, direct, sectorBytes, identity, parents, shared);
    }

    /** The same, refusing writes or not. */
    public DiskOptions withReadOnly(boolean refuse) {
        return new DiskOptions(format, refuse, direct, sectorBytes, identity, parents, shared);
    }

    /** The same, past the page cache or not. */
    public DiskOptions withDirect(boolean past) {
        return new DiskOptions(format, readOnly, past, sectorBytes, identity, parents, shared);
    }

    /** The same with other sectors. */
    public DiskOptions withSectorBytes(int bytes) {
        return new DiskOptions(format, readOnly, direct, bytes, identity, parents, shared);
    }

    /** The same with another identity. */
    public DiskOptions withIdentity(UUID given) {
        return new DiskOptions(format, readOnly, direct, sectorBytes, given, parents, shared);
    }

    /** The same with another policy for parents. */
    public DiskOptions withParents(ParentPolicy policy) {
        return new DiskOptions(format, readOnly, direct, sectorBytes, identity, policy, shared);
    }

    /** The same, shared with other processes or not. */
    public DiskOptions withShared(boolean others) {
        return new DiskOptions(format, readOnly, direct, sectorBytes, identity, parents, others);
    }
}
