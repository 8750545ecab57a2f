package io.javisor.storage.disk;

import io.javisor.storage.disk.DiskException.Kind;
import io.javisor.storage.file.HostBackingFile;
import io.javisor.storage.vhd.VhdFiles;
import io.javisor.storage.vhdx.VhdxCheck;
import io.javisor.storage.vhdx.VhdxCreation;
import io.javisor.storage.vhdx.VhdxFiles;
import io.javisor.storage.vhdx.VhdxResize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.function.Consumer;

/**
 * Looks after images that no machine uses: inspects, checks, converts, resizes, merges and compacts them. Whatever goes wrong
 * or is cut off on the way, the image is then as it was before or as it was to be, except where a method says otherwise.
 */
public final class ImageWork {
    private ImageWork() {}

    /** Reads what an image says of itself; the file stays as it is. */
    public static ImageDescription inspect(Path path) {
        return inspect(path, ImageFormat.of(path));
    }

    /** Reads what an image of a known format says of itself; the file stays as it is. */
    public static ImageDescription inspect(Path path, ImageFormat format) {
        try (HostBackingFile file = HostBackingFile.open(path, true, false)) {
            return switch (format) {
                case RAW ->
                    new ImageDescription(
                            path,
                            format,
                            file.allocatedBytes() < file.size() ? ImageSpec.Layout.DYNAMIC : ImageSpec.Layout.FIXED,
                            file.size(),
                            file.size(),
                            file.allocatedBytes(),
                            0,
                            512,
                            4096,
                            DiskImage.identity(file),
                            false,
                            List.of());
                case VHD -> VhdFiles.describe(file, path);
                case VHDX -> VhdxFiles.describe(file, path);
            };
        }
    }

    /**
     * Checks an image's structures; the file stays as it is.
     *
     * @throws DiskFormatException if it is damaged so that it can't even be opened
     */
    public static CheckReport check(Path path) {
        try (HostBackingFile file = HostBackingFile.open(path, true, false)) {
            return switch (ImageFormat.of(path)) {
                case RAW ->
                    new CheckReport(
                            file.size() % 512 == 0
                                    ? List.of()
                                    : List.of("at offset " + file.size() + ": the file ends inside a sector"),
                            List.of(),
                            file.size(),
                            0);
                case VHD -> VhdFiles.check(file);
                case VHDX -> VhdxCheck.check(file);
            };
        }
    }

    /**
     * Makes another image with the contents of a disk.
     *
     * @param source stays open
     * @param target of which there must be no file yet
     * @param spec of the target, not differencing, at least as large as the source
     */
    public static void copy(Disk source, Path target, ImageSpec spec, Progress progress) {
        if (spec.size() < source.size() || spec.parent() != null) {
            throw new IllegalArgumentException(
                    "a copy of " + source.size() + " bytes to a disk of " + spec.size() + " bytes");
        }
        DiskImage.create(target, spec);
        boolean done = false;
        DiskOptions options = DiskOptions.DEFAULT.withFormat(spec.format()).withSectorBytes(spec.sectorBytes());
        try (Disk to = DiskImage.open(target, options)) {
            if (source.traits().sectorBytes() < to.traits().sectorBytes()
                    && source.size() % to.traits().sectorBytes() != 0) {
                throw new DiskException(
                        Kind.RANGE, source + " ends inside a sector of " + target, "use smaller sectors");
            }
            ImageCopy.copy(source, to, ImageCopy.What.CONTENTS, progress);
            done = true;
        } finally {
            if (!done) {
                delete(target);
            }
        }
    }

    /**
     * Makes another image with the contents of an image.
     *
     * @param how the source is opened
     * @param target of which there must be no file yet; its name says its format
     * @param layout of the target, not differencing
     */
    public static void convert(Path source, DiskOptions how, Path target, ImageSpec.Layout layout, Progress progress) {
        try (Disk from = DiskImage.open(source, how.withReadOnly(true))) {
            ImageFormat format = ImageFormat.of(target);
            int sector = from.traits().sectorBytes();
            var spec = new ImageSpec(
                    format, layout, from.size(), 0, sector, from.traits().physicalSectorBytes(), null);
            copy(from, target, spec, progress);
        }
    }

    /**
     * Changes the size of a disk.
     *
     * @param size new size in bytes, whole sectors
     * @param mayCut whether contents beyond the new end may be lost; else a disk that has some is refused
     */
    public static void resize(Path path, long size, boolean mayCut) {
        ImageDescription now = inspect(path);
        if (size <= 0 || size % now.sectorBytes() != 0) {
            throw new IllegalArgumentException(
                    size + " bytes are not whole sectors of " + now.sectorBytes() + " bytes");
        }
        if (size < now.size() && !mayCut) {
            refuseIfUsedBeyond(path, size);
        }
        switch (now.format()) {
            case RAW -> {
                try (HostBackingFile file = HostBackingFile.open(path, false, false)) {
                    file.resize(size);
                    file.flush();
                }
            }
            case VHD -> {
                if (now.layout() == ImageSpec.Layout.FIXED) {
                    VhdFiles.resizeFixed(path, size);
                } else {
                    rewrite(now, size);
                }
            }
            case VHDX -> {
                if (size < now.size() && now.layout() == ImageSpec.Layout.DIFFERENCING) {
                    throw new DiskException(
                            Kind.UNSUPPORTED,
                            path + ": a differencing disk can't shrink: what is cut off would show its parent again",
                            "merge it into its parent first");
                }
                VhdxResize.resize(path, size);
            }
        }
    }

    private static void refuseIfUsedBeyond(Path path, long size) {
        try (Disk disk = DiskImage.open(path, DiskOptions.DEFAULT.withReadOnly(true))) {
            IoMemory piece = IoMemory.allocate(1 << 20);
            for (long at = size; at < disk.size(); ) {
                Extent extent = disk.extent(at, Math.min(disk.size() - at, 1 << 20));
                if (extent.kind() != Extent.Kind.ZERO) {
                    IoMemory part = piece.slice(0, extent.length());
                    disk.read(at, part);
                    for (byte b : part.toByteArray()) {
                        if (b != 0) {
                            throw new DiskException(
                                    Kind.RANGE,
                                    path + ": has contents at " + at + " and beyond, after the new end at " + size,
                                    "shrink its partitions and file systems first, or allow the loss");
                        }
                    }
                }
                at += extent.length();
            }
        }
    }

    /**
     * Writes what a differencing disk has into its parent. The differencing disk stays as it is and shows the same contents
     * as before at every moment, even if this is cut off; afterwards the parent has them, too. Other children of the same
     * parent are invalid from the beginning of it.
     *
     * @param options by which the child is opened: its policy says which parents are admitted
     * @return the parent
     */
    public static Path merge(Path child, DiskOptions options, Progress progress) {
        Path parent = DiskImage.parentOf(child, options);
        ImageDescription described = inspect(child);
        if (described.size() > inspect(parent).size()) {
            resize(parent, described.size(), false);
        }
        Consumer<Disk> work = into -> {
            try (Disk from = DiskImage.openAlone(child)) {
                ImageCopy.copy(from, into, ImageCopy.What.DIFFERENCES, progress);
            }
        };
        if (described.format() == ImageFormat.VHDX) {
            var guid = VhdxFiles.prepareMerge(child);
            try (Disk into = DiskImage.openToMerge(parent, options, guid)) {
                work.accept(into);
            }
        } else {
            try (Disk into = DiskImage.open(parent, options)) {
                work.accept(into);
            }
        }
        return parent;
    }

    /**
     * Makes an image's file as small as its contents allow, by writing it anew beside the old, which is then replaced in one
     * step. Its identity stays, and children of it stay valid. Raw files give back what is zero, in place.
     */
    public static void compact(Path path) {
        ImageDescription now = inspect(path);
        if (now.format() == ImageFormat.RAW) {
            try (Disk disk = DiskImage.open(path)) {
                releaseZeroes(disk);
            }
        } else if (now.layout() != ImageSpec.Layout.FIXED) {
            rewrite(now, now.size());
        }
    }

    private static void releaseZeroes(Disk disk) {
        IoMemory piece = IoMemory.allocate(1 << 20);
        for (long at = 0; at < disk.size(); at += piece.byteSize()) {
            IoMemory part = piece.slice(0, Math.min(piece.byteSize(), disk.size() - at));
            disk.read(at, part);
            boolean zero = true;
            for (byte b : part.toByteArray()) {
                zero &= b == 0;
            }
            if (zero) {
                disk.zero(at, part.byteSize(), true);
            }
        }
    }

    private static void rewrite(ImageDescription now, long size) {
        Path next = now.path().resolveSibling(now.path().getFileName() + ".new");
        boolean done = false;
        try {
            try (HostBackingFile file = HostBackingFile.create(next)) {
                if (now.format() == ImageFormat.VHDX) {
                    VhdxCreation.createLike(file, now.path());
                } else {
                    VhdFiles.createLike(file, now.path(), size);
                }
            }
            ImageCopy.What what = now.layout() == ImageSpec.Layout.DIFFERENCING
                    ? ImageCopy.What.DIFFERENCES
                    : ImageCopy.What.CONTENTS;
            try (Disk from = DiskImage.openAlone(now.path());
                    Disk to = DiskImage.openCopy(next, now)) {
                ImageCopy.copy(from, to, what, Progress.NONE);
            }
            Files.setPosixFilePermissions(next, Files.getPosixFilePermissions(now.path()));
            Files.move(next, now.path(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            done = true;
        } catch (IOException e) {
            throw new DiskException(
                    Kind.WRITE, "replacing " + now.path() + ": " + e, null, 0, "check the folder's permissions", e);
        } finally {
            if (!done) {
                delete(next);
            }
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            System.getLogger("io.javisor.storage").log(System.Logger.Level.WARNING, "an unfinished image is left", e);
        }
    }
}
