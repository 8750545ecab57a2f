package io.javisor.storage.disk;

import io.javisor.storage.disk.DiskException.Kind;
import io.javisor.storage.file.HostBackingFile;
import io.javisor.storage.file.RawDisk;
import io.javisor.storage.vhd.VhdCreation;
import io.javisor.storage.vhd.VhdDisk;
import io.javisor.storage.vhd.VhdFiles;
import io.javisor.storage.vhdx.VhdxCreation;
import io.javisor.storage.vhdx.VhdxDisk;
import io.javisor.storage.vhdx.VhdxFiles;
import io.javisor.storage.vhdx.VhdxParent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Opens and makes disk images. */
public final class DiskImage {
    private DiskImage() {}

    /** Opens a disk with {@link DiskOptions#DEFAULT}. */
    public static Disk open(Path path) {
        return open(path, DiskOptions.DEFAULT);
    }

    /**
     * Opens a disk.
     *
     * @throws DiskException if the file can't be opened, or names a parent that is not admitted or not the right one
     * @throws DiskFormatException if it is damaged
     */
    public static Disk open(Path path, DiskOptions options) {
        return open(path, options, ParentPolicy.LONGEST_CHAIN);
    }

    /** A disk of zeroes in the host's memory, gone when it is closed. */
    public static Disk memory(String name, long size, int sectorBytes) {
        HostBackingFile file = HostBackingFile.memory(name);
        try {
            file.resize(size);
            return new RawDisk(file, size, sectorBytes, UUID.randomUUID());
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static Disk open(Path path, DiskOptions options, int depth) {
        ImageFormat format = options.format() == null ? ImageFormat.of(path) : options.format();
        if (options.shared()) {
            throw new DiskException(
                    Kind.UNSUPPORTED,
                    path
                            + " is to be shared by processes, and is no volume of a SAN, where reservations say who may do what",
                    "add it to a SAN (SoftwareSan.open, or --fc san=NAME,lun=N:FILE,shared)");
        }
        HostBackingFile file = HostBackingFile.open(path, options.readOnly(), options.direct());
        return switch (format) {
            case RAW -> raw(file, options);
            case VHD ->
                VhdDisk.open(
                        file,
                        (_, paths, id) -> parent(
                                path, paths, options, depth, p -> VhdFiles.id(p).equals(id)));
            case VHDX ->
                VhdxDisk.open(
                        file,
                        (_, wanted) -> parent(
                                path, wanted.paths(), options, depth, p -> wanted.links(VhdxFiles.dataWriteGuid(p))));
        };
    }

    /**
     * Opens a raw file that other processes of this host may write at the same time, if they open it by this. Who may write what has
     * to be agreed upon by other means, as the reservations of a {@link io.javisor.storage.scsi.UnitSharing}.
     *
     * @throws DiskException of kind UNSUPPORTED if it is no raw file, or shall be read-only; of kind BUSY if somebody has it who does
     *     not share it
     */
    public static Disk openShared(Path path, DiskOptions options) {
        ImageFormat format = options.format() == null ? ImageFormat.of(path) : options.format();
        if (format != ImageFormat.RAW || options.readOnly()) {
            throw new DiskException(
                    Kind.UNSUPPORTED,
                    path + " can't be shared by processes: it is " + format + (options.readOnly() ? ", read-only" : "")
                            + ", and only raw files that are written can be",
                    "convert it to a raw file, or open it in one process only");
        }
        return raw(HostBackingFile.openShared(path, options.direct()), options);
    }

    private static Disk raw(HostBackingFile file, DiskOptions options) {
        try {
            UUID identity = options.identity() == null ? identity(file) : options.identity();
            return new RawDisk(file, file.size(), options.sectorBytes(), identity);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    static UUID identity(HostBackingFile file) {
        var s = file.opened();
        var numbers = ByteBuffer.allocate(24);
        numbers.putLong(s.deviceId()).putLong(s.inode()).putLong(s.specialDeviceId());
        return UUID.nameUUIDFromBytes(numbers.array());
    }

    private static Disk parent(
            Path child, List<String> paths, DiskOptions options, int depth, Predicate<HostBackingFile> isTheOne) {
        if (depth == 1) {
            throw new DiskException(
                    Kind.PARENT,
                    child + ": more than " + ParentPolicy.LONGEST_CHAIN + " disks in a chain",
                    "merge some");
        }
        Path found = find(child, paths, options, isTheOne);
        return open(found, options.withReadOnly(true).withFormat(ImageFormat.of(found)), depth - 1);
    }

    private static Path find(Path child, List<String> paths, DiskOptions options, Predicate<HostBackingFile> isTheOne) {
        var tried = new StringBuilder();
        for (String text : paths) {
            try {
                Path real = child.toRealPath();
                Path named = real.resolveSibling(text.replace('\\', '/')).toRealPath();
                if (!options.parents().admits(real, named)) {
                    tried.append("; \"").append(text).append("\" is not admitted by the policy for parents");
                    continue;
                }
                try (HostBackingFile file = HostBackingFile.open(named, true, false)) {
                    if (isTheOne.test(file)) {
                        return named;
                    }
                }
                tried.append("; ").append(named).append(" is not the disk that the child was made for");
            } catch (IOException | java.nio.file.InvalidPathException e) {
                tried.append("; \"").append(text).append("\" is not there");
            }
        }
        throw new DiskException(
                Kind.PARENT,
                child + ": no parent" + tried,
                "put the unchanged parent where the child expects it, and admit its folder by DiskOptions.withParents");
    }

    /** Finds the parent of a differencing disk. */
    static Path parentOf(Path child, DiskOptions options) {
        try (HostBackingFile file = HostBackingFile.open(child, true, false)) {
            if (ImageFormat.of(child) == ImageFormat.VHD) {
                VhdFiles.Parent parent = VhdFiles.parent(file);
                return find(child, parent.paths(), options, p -> VhdFiles.id(p).equals(parent.id()));
            }
            VhdxParent parent = ImageFormat.of(child) == ImageFormat.VHDX
                    ? VhdxFiles.facts(file).parent()
                    : null;
            return find(
                    child,
                    parent == null ? List.of() : parent.paths(),
                    options,
                    p -> parent != null && parent.links(VhdxFiles.dataWriteGuid(p)));
        }
    }

    /** Opens a disk read-only without its parent, in whose place are zeroes: for those who read only what it has itself. */
    static Disk openAlone(Path path) {
        ImageDescription described = ImageWork.inspect(path, ImageFormat.of(path));
        HostBackingFile file = HostBackingFile.open(path, true, false);
        Supplier<Disk> blank = () -> memory("blank", described.size(), described.sectorBytes());
        return described.format() == ImageFormat.VHD
                ? VhdDisk.open(file, (_, _, _) -> blank.get())
                : VhdxDisk.open(file, (_, _) -> blank.get());
    }

    /** Opens a new file that is to replace an image, for writing, without a parent; it keeps the GUID that children know. */
    static Disk openCopy(Path copy, ImageDescription of) {
        HostBackingFile file = HostBackingFile.open(copy, false, false);
        Supplier<Disk> blank = () -> memory("blank", of.size(), of.sectorBytes());
        if (of.format() == ImageFormat.VHD) {
            return VhdDisk.open(file, (_, _, _) -> blank.get());
        }
        VhdxDisk disk = VhdxDisk.open(file, (_, _) -> blank.get());
        try (HostBackingFile original = HostBackingFile.open(of.path(), true, false)) {
            disk.beginWriting(VhdxFiles.dataWriteGuid(original));
            return disk;
        } catch (RuntimeException e) {
            disk.close();
            throw e;
        }
    }

    /** Opens a parent for writing under a data-write GUID that its child knows. */
    static Disk openToMerge(Path parent, DiskOptions options, UUID dataWrite) {
        Disk disk = open(parent, options.withReadOnly(false).withFormat(ImageFormat.VHDX));
        try {
            ((VhdxDisk) disk).beginWriting(dataWrite);
            return disk;
        } catch (RuntimeException e) {
            disk.close();
            throw e;
        }
    }

    /**
     * Makes an image.
     *
     * @throws DiskException if the file is there already, the host has no room, or the parent can't be opened
     */
    public static void create(Path path, ImageSpec spec) {
        HostBackingFile file = HostBackingFile.create(path);
        boolean made = false;
        try (file) {
            switch (spec.format()) {
                case RAW -> {
                    file.resize(spec.size());
                    if (spec.layout() == ImageSpec.Layout.FIXED) {
                        file.zero(0, spec.size(), false);
                    }
                    file.flush();
                }
                case VHD -> VhdCreation.create(file, path, spec);
                case VHDX -> VhdxCreation.create(file, path, spec);
            }
            made = true;
        } finally {
            if (!made) {
                try {
                    Files.deleteIfExists(path);
                } catch (IOException ignored) {
                    // what went wrong before says more
                }
            }
        }
    }
}
