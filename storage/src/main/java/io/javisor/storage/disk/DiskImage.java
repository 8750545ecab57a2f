package io.javisor.storage.disk;

import io.javisor.storage.disk.DiskException.Kind;
import io.javisor.storage.file.HostBackingFile;
import io.javisor.storage.file.RawDisk;
import io.javisor.storage.vhd.VhdCreation;
import io.javisor.storage.vhd.VhdDisk;
import io.javisor.storage.vhd.VhdFooters;
import io.javisor.storage.vhdx.VhdxCreation;
import io.javisor.storage.vhdx.VhdxDisk;
import io.javisor.storage.vhdx.VhdxFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;

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
        HostBackingFile file = HostBackingFile.open(path, options.readOnly(), options.direct());
        return switch (format) {
            case RAW -> raw(file, options);
            case VHD ->
                VhdDisk.open(
                        file,
                        (_, paths, id) -> parent(
                                path,
                                paths,
                                options,
                                depth,
                                p -> VhdFooters.id(p).equals(id)));
            case VHDX ->
                VhdxDisk.open(
                        file,
                        (_, wanted) -> parent(
                                path, wanted.paths(), options, depth, p -> wanted.links(VhdxFiles.dataWriteGuid(p))));
        };
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

    private static UUID identity(HostBackingFile file) {
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
                    if (!isTheOne.test(file)) {
                        tried.append("; ").append(named).append(" is not the disk that the child was made for");
                        continue;
                    }
                }
                DiskOptions forParent = options.withReadOnly(true).withFormat(ImageFormat.of(named));
                return open(named, forParent, depth - 1);
            } catch (IOException | java.nio.file.InvalidPathException e) {
                tried.append("; \"").append(text).append("\" is not there");
            }
        }
        throw new DiskException(
                Kind.PARENT,
                child + ": no parent" + tried,
                "put the unchanged parent where the child expects it, and admit its folder by DiskOptions.withParents");
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
