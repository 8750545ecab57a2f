package io.javisor.storage.file;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.Extent;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.vhd.VhdCreation;
import io.javisor.storage.vhd.VhdDisk;
import io.javisor.storage.vhd.VhdFiles;
import io.javisor.storage.vhdx.VhdxCheck;
import io.javisor.storage.vhdx.VhdxCreation;
import io.javisor.storage.vhdx.VhdxDisk;
import io.javisor.storage.vhdx.VhdxFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;

/**
 * Good images, places in them where it hurts, and a user who does everything with what is made of them. All that a bad image
 * may lead to is a {@link DiskException}.
 */
public final class Hostile {
    private static final int SIZE = 6 << 20;
    private static final int KIB = 1 << 10;
    private static final int MIB = 1 << 20;

    private final boolean vhdx;
    private final List<PagedFile> bases;

    private Hostile(boolean vhdx, List<PagedFile> bases) {
        this.vhdx = vhdx;
        this.bases = bases;
    }

    /** VHDX: dynamic, differencing, fixed, and one whose log is in use. */
    public static Hostile vhdx() {
        Path folder = folder();
        Path parent = folder.resolve("p.vhdx");
        DiskImage.create(parent, ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withBlockBytes(MIB));
        var dynamic = new PagedFile();
        VhdxCreation.create(
                dynamic, parent, ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withBlockBytes(MIB));
        var fixed = new PagedFile();
        VhdxCreation.create(
                fixed, parent, ImageSpec.fixed(ImageFormat.VHDX, SIZE).withBlockBytes(2 * MIB));
        var child = new PagedFile();
        VhdxCreation.create(
                child, folder.resolve("c.vhdx"), ImageSpec.differencing(parent).withBlockBytes(MIB));
        delete(folder);
        PagedFile inUse;
        PagedFile childInUse;
        try (Disk disk = VhdxDisk.open(dynamic, (_, _) -> blank())) {
            use(disk);
            disk.flush();
            inUse = dynamic.copy();
        }
        try (Disk disk = VhdxDisk.open(child, (_, _) -> blank())) {
            use(disk);
            disk.flush();
            childInUse = child.copy();
        }
        return new Hostile(true, List.of(dynamic, fixed, child, inUse, childInUse));
    }

    /** VHD: dynamic, differencing, fixed. */
    public static Hostile vhd() {
        Path folder = folder();
        Path parent = folder.resolve("p.vhd");
        DiskImage.create(parent, ImageSpec.dynamic(ImageFormat.VHD, SIZE));
        var dynamic = new PagedFile();
        VhdCreation.create(
                dynamic, parent, ImageSpec.dynamic(ImageFormat.VHD, SIZE).withBlockBytes(MIB));
        var fixed = new PagedFile();
        VhdCreation.create(fixed, parent, ImageSpec.fixed(ImageFormat.VHD, SIZE));
        var child = new PagedFile();
        VhdCreation.create(
                child, folder.resolve("c.vhd"), ImageSpec.differencing(parent).withBlockBytes(1 << 19));
        delete(folder);
        for (PagedFile file : List.of(dynamic, child)) {
            try (Disk disk = VhdDisk.open(file, (_, _, _) -> blank())) {
                use(disk);
            }
        }
        return new Hostile(false, List.of(dynamic, fixed, child));
    }

    private static Path folder() {
        try {
            return Files.createTempDirectory("hostile");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Disk blank() {
        var zeroes = new PagedFile();
        zeroes.resize(SIZE);
        return new RawDisk(zeroes, SIZE, 512, MsGuid.NONE);
    }

    private static void use(Disk disk) {
        byte[] data = new byte[20_480];
        new Random(1).nextBytes(data);
        for (int at : new int[] {0, 700_416, MIB - 4096, 3 * MIB, SIZE - data.length}) {
            disk.write(at, IoMemory.of(data), false);
        }
        disk.zero(3 * MIB, MIB, true);
    }

    /**
     * Damages an image as the input says, mends checksums so that the damage is believed, and uses the image.
     *
     * <pre>
     * input := base:u8 flags:u8 (place:u16 length:u8 bytes)*
     * </pre>
     */
    public void attack(byte[] input) {
        ByteBuffer in = ByteBuffer.wrap(input);
        if (in.remaining() < 2) {
            return;
        }
        PagedFile file = bases.get((in.get() & 0xFF) % bases.size()).copy();
        int flags = in.get();
        while (in.remaining() >= 4) {
            int place = Short.toUnsignedInt(in.getShort());
            int n = Math.min(in.get() & 15, in.remaining());
            byte[] bytes = new byte[n];
            in.get(bytes);
            long at = (vhdx ? placeInVhdx(place) : placeInVhd(place, file.size()));
            if (at >= 0 && at + n <= file.size()) {
                file.put(at, bytes, 0, n);
            }
        }
        if ((flags & 8) != 0) {
            file.apply(new PagedFile.Change.Resized(file.size() / 4 * (flags >> 4 & 3)));
        }
        if ((flags & 1) == 0) {
            if (vhdx) {
                mendVhdx(file);
            } else {
                mendVhd(file);
            }
        }
        if ((flags & 2) != 0) {
            file.readOnly();
        }
        try {
            examine(file.copy().readOnly());
        } catch (DiskException e) {
            // refused
        }
        try {
            exercise(file);
        } catch (DiskException e) {
            // refused, or found out in the middle
        }
    }

    private void examine(PagedFile file) {
        if (vhdx) {
            VhdxFiles.facts(file);
            VhdxCheck.check(file);
        } else {
            VhdFiles.parent(file);
            VhdFiles.check(file);
        }
    }

    private void exercise(PagedFile file) {
        Disk opened = vhdx ? VhdxDisk.open(file, (_, _) -> blank()) : VhdDisk.open(file, (_, _, _) -> blank());
        try (opened) {
            long size = opened.size();
            int sector = opened.traits().sectorBytes();
            IoMemory piece = IoMemory.of(new byte[8 * KIB]);
            for (long at = 0; at < Math.min(size, SIZE); at += MIB - 4 * KIB) {
                long n = Math.min(8 * KIB, size - at) / sector * sector;
                long here = at;
                attempt(() -> opened.read(here, piece.slice(0, n)));
                attempt(() -> use(opened.extent(here, n)));
                if (!opened.traits().readOnly()) {
                    attempt(() -> opened.write(here, piece.slice(0, n), false));
                    attempt(() -> opened.zero(here, n, true));
                }
            }
            attempt(() -> opened.read(size - sector, piece.slice(0, sector)));
            attempt(opened::flush);
        }
    }

    private static void use(Extent extent) {
        if (extent.length() <= 0) {
            throw new AssertionError(extent);
        }
    }

    private static void attempt(Runnable request) {
        try {
            request.run();
        } catch (DiskException e) {
            // refused
        }
    }

    private static long placeInVhdx(int place) {
        int within = place & 0x1FFF;
        return switch (place >>> 13) {
            case 0 -> 64 * KIB + within % 128;
            case 1 -> 128 * KIB + within % 128;
            case 2 -> 192 * KIB + within % 128;
            case 3 -> MIB + (within < 4096 ? within % 512 : within);
            case 4 -> MIB + MIB / 2 + (within < 4096 ? within % 512 : within);
            case 5 -> 2 * MIB + within % 256;
            case 6 -> 2 * MIB + 64 * KIB + (within % 2 == 0 ? within % 64 : 4096 + within % 600);
            default -> 3 * MIB + within % 128;
        };
    }

    private static long placeInVhd(int place, long size) {
        int within = place & 0x1FFF;
        return switch (place >>> 14) {
            case 0 -> within % 512;
            case 1 -> 512 + (within < 4096 ? within % 64 : 576 + within % 192);
            case 2 -> 1536 + within % 1536;
            default -> size - 512 + within % 512;
        };
    }

    private static void mendVhdx(PagedFile file) {
        for (long header : new long[] {64 * KIB, 128 * KIB}) {
            mend(file, header, 4 * KIB);
        }
        for (long table : new long[] {192 * KIB, 256 * KIB}) {
            mend(file, table, 64 * KIB);
        }
        for (long entry : new long[] {MIB, MIB + MIB / 2}) {
            if (file.size() >= 2 * MIB) {
                ByteBuffer head = ByteBuffer.wrap(file.read(entry, 64)).order(ByteOrder.LITTLE_ENDIAN);
                int length = head.getInt(8);
                if (length >= 64 && length <= MIB / 2) {
                    mend(file, entry, length);
                }
            }
        }
    }

    private static void mend(PagedFile file, long at, int length) {
        if (at + length > file.size()) {
            return;
        }
        byte[] bytes = file.read(at, length);
        ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(4, 0);
        var crc = new CRC32C();
        crc.update(bytes);
        b.putInt(4, (int) crc.getValue());
        file.put(at, bytes, 0, length);
    }

    private static void mendVhd(PagedFile file) {
        mendSum(file, 0, 512, 64);
        mendSum(file, 512, 1024, 36);
        mendSum(file, file.size() - 512, 512, 64);
    }

    private static void mendSum(PagedFile file, long at, int length, int field) {
        if (at < 0 || at + length > file.size()) {
            return;
        }
        byte[] bytes = file.read(at, length);
        int sum = 0;
        for (int i = 0; i < length; i++) {
            sum += i >= field && i < field + 4 ? 0 : bytes[i] & 0xFF;
        }
        ByteBuffer.wrap(bytes).putInt(field, ~sum);
        file.put(at, bytes, 0, length);
    }
}
