package io.javisor.storage.disk;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * An image to make.
 *
 * @param format of the file
 * @param layout how it stores the disk
 * @param size of the disk in bytes; 0 for a differencing disk, which has its parent's
 * @param blockBytes unit of allocation in bytes, a power of two: VHDX 1 to 256 MiB, VHD 4 KiB to 256 MiB; 0 for the usual
 *     (VHDX 32 MiB, as Hyper-V; VHD 2 MiB)
 * @param sectorBytes 512, or 4,096 for VHDX and raw
 * @param physicalSectorBytes 512 or 4,096 for VHDX
 * @param parent of a differencing disk; else null
 */
public record ImageSpec(
        ImageFormat format,
        Layout layout,
        long size,
        int blockBytes,
        int sectorBytes,
        int physicalSectorBytes,
        @Nullable Path parent) {
    /** Ways to store a disk. */
    public enum Layout {
        /** All of it has its place from the beginning. */
        FIXED,
        /** Blocks get a place when they are first written. */
        DYNAMIC,
        /** What has not been written is read from another disk. */
        DIFFERENCING
    }

    /** An image whose storage is all there from the beginning. */
    public static ImageSpec fixed(ImageFormat format, long size) {
        return new ImageSpec(format, Layout.FIXED, size, 0, 512, 4096, null);
    }

    /** An image that grows; a raw one is a sparse file. */
    public static ImageSpec dynamic(ImageFormat format, long size) {
        return new ImageSpec(format, Layout.DYNAMIC, size, 0, 512, 4096, null);
    }

    /** An image of what differs from a parent, which has the same format (VHD or VHDX) and must never change again. */
    public static ImageSpec differencing(Path parent) {
        return new ImageSpec(ImageFormat.of(parent), Layout.DIFFERENCING, 0, 0, 512, 4096, parent);
    }

    /** The same with another unit of allocation. */
    public ImageSpec withBlockBytes(int bytes) {
        return new ImageSpec(format, layout, size, bytes, sectorBytes, physicalSectorBytes, parent);
    }

    /** The same with other sectors. */
    public ImageSpec withSectorBytes(int bytes) {
        return new ImageSpec(format, layout, size, blockBytes, bytes, Math.max(bytes, physicalSectorBytes), parent);
    }

    /** The same with another size of the disk. */
    public ImageSpec withSize(long bytes) {
        return new ImageSpec(format, layout, bytes, blockBytes, sectorBytes, physicalSectorBytes, parent);
    }

    /** Checks what can be checked without the file. */
    public ImageSpec {
        if ((layout == Layout.DIFFERENCING) != (parent != null)) {
            throw new IllegalArgumentException("a differencing disk, and no other, has a parent");
        }
        if (layout == Layout.DIFFERENCING && format == ImageFormat.RAW) {
            throw new IllegalArgumentException(
                    "a raw image can't be the parent of a differencing disk: use an overlay");
        }
        if (sectorBytes != 512 && (sectorBytes != 4096 || format == ImageFormat.VHD)) {
            throw new IllegalArgumentException(format + " with sectors of " + sectorBytes + " bytes");
        }
        if (size < 0 || (size == 0 && layout != Layout.DIFFERENCING) || size % sectorBytes != 0) {
            throw new IllegalArgumentException(
                    "a disk of " + size + " bytes, which are not whole sectors of " + sectorBytes + " bytes");
        }
        long largest = format == ImageFormat.VHD ? 2040L << 30 : format == ImageFormat.VHDX ? 64L << 40 : 1L << 62;
        if (size > largest) {
            throw new IllegalArgumentException(
                    "a " + format + " disk of " + size + " bytes; " + largest + " are possible");
        }
        int least = format == ImageFormat.VHD ? 4096 : 1 << 20;
        if (blockBytes != 0 && (blockBytes < least || blockBytes > 256 << 20 || Integer.bitCount(blockBytes) != 1)) {
            throw new IllegalArgumentException(format + " with blocks of " + blockBytes + " bytes");
        }
    }
}
