package io.javisor.storage.vhd;

import io.javisor.storage.disk.CheckReport;
import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.disk.ImageDescription;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.HostBackingFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/** Looks at VHD files, and changes them, without opening the disk. */
public final class VhdFiles {
    private static final int SECTOR = VhdFooter.SECTOR;

    private VhdFiles() {}

    /** The unique ID in a file's footer, by which children name their parent. */
    public static UUID id(BackingFile file) {
        return VhdFooter.read(file).footer().id();
    }

    static void checkFixed(BackingFile file, VhdFooter footer) {
        if (footer.size() > file.size() - VhdFooter.BYTES) {
            throw new DiskFormatException(
                    file.name(),
                    file.size() - VhdFooter.BYTES + 48,
                    "a fixed disk of " + footer.size() + " bytes in a file of " + file.size());
        }
    }

    /** What a differencing disk says of where its parent is, and of its ID. */
    public record Parent(List<String> paths, UUID id) {
        /** Copies the list. */
        public Parent {
            paths = List.copyOf(paths);
        }
    }

    /** Where the parent of a differencing disk is; no paths if it has none. */
    public static Parent parent(BackingFile file) {
        VhdFooter footer = VhdFooter.read(file).footer();
        if (footer.type() != VhdFooter.DIFFERENCING) {
            return new Parent(List.of(), footer.id());
        }
        VhdHeader header = VhdHeader.read(file, footer);
        return new Parent(header.parentPaths(), header.parentId());
    }

    /** What a file says of its disk. */
    public static ImageDescription describe(HostBackingFile file, Path path) {
        VhdFooter footer = VhdFooter.read(file).footer();
        boolean fixed = footer.type() == VhdFooter.FIXED;
        VhdHeader header = fixed ? null : VhdHeader.read(file, footer);
        return new ImageDescription(
                path,
                ImageFormat.VHD,
                fixed
                        ? ImageSpec.Layout.FIXED
                        : footer.type() == VhdFooter.DYNAMIC ? ImageSpec.Layout.DYNAMIC : ImageSpec.Layout.DIFFERENCING,
                footer.size(),
                file.size(),
                file.allocatedBytes(),
                header == null ? 0 : header.blockBytes(),
                SECTOR,
                SECTOR,
                footer.id(),
                false,
                header == null ? List.of() : header.parentPaths());
    }

    /** Checks a file. */
    public static CheckReport check(BackingFile file) {
        VhdFooter.Found found = VhdFooter.read(file);
        var problems = new ArrayList<String>();
        var notes = new ArrayList<String>();
        if (found.footer().type() == VhdFooter.FIXED) {
            checkFixed(file, found.footer());
            long size = found.footer().size();
            return new CheckReport(problems, notes, size, file.size() - size - VhdFooter.BYTES);
        }
        if (!found.atEnd()) {
            notes.add("the footer at the file's end is missing: the image was not closed; its copy stands in for it");
        } else if (!found.footer().equals(VhdFooter.copyAtBeginning(file))) {
            problems.add("at offset 0x0: the copy of the footer differs from the footer at the file's end");
        }
        VhdHeader header = VhdHeader.read(file, found.footer());
        var tables = new VhdTables(file, header, found);
        long block = tables.bytesInFile();
        long[] places = tables.places();
        Arrays.sort(places);
        for (int i = 1; i < places.length; i++) {
            if (places[i] - places[i - 1] < block) {
                problems.add("at offset 0x" + Long.toHexString(places[i]) + ": two blocks overlap");
            }
        }
        long used = places.length * block;
        long begin = header.batOffset() + VhdTables.batBytes(header.entries());
        long end = found.atEnd() ? file.size() - VhdFooter.BYTES : file.size();
        return new CheckReport(problems, notes, used, Math.max(0, end - begin - used));
    }

    /**
     * Resizes a fixed disk in place. Its only footer moves, so a crash in the middle can leave the file without one; the
     * data stays where it is.
     */
    public static void resizeFixed(Path path, long size) {
        try (HostBackingFile file = HostBackingFile.open(path, false, false)) {
            VhdFooter footer = VhdFooter.read(file).footer();
            checkFixed(file, footer);
            byte[] moved = footer.withSize(size).toByteArray();
            if (size < footer.size()) {
                file.write(size, moved);
                file.flush();
                file.resize(size + VhdFooter.BYTES);
            } else if (size > footer.size()) {
                long old = file.size() - VhdFooter.BYTES;
                file.write(size, moved);
                file.flush();
                file.zero(old, Math.min(VhdFooter.BYTES, size - old), false);
            }
            file.flush();
        }
    }

    /** Fills an empty file with an image without blocks, else like another, dynamic or differencing, of any size. */
    public static void createLike(BackingFile file, Path like, long size) {
        try (HostBackingFile other = HostBackingFile.open(like, true, false)) {
            VhdFooter footer = VhdFooter.read(other).footer();
            VhdCreation.write(file, footer.withSize(size), VhdHeader.read(other, footer), 0);
        }
    }
}
