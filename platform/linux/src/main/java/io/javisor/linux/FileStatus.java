package io.javisor.linux;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/**
 * What the host knows of a file (statx(2), linux/stat.h).
 *
 * @param mode type and permission bits
 * @param size length in bytes; 0 for a block device
 * @param allocatedBytes bytes of storage or memory that the host holds for it
 * @param blockSize preferred transfer size in bytes
 * @param inode its number in its file system
 * @param deviceId the file system that it is on: {@code major << 32 | minor}
 * @param specialDeviceId the device that it is: {@code major << 32 | minor}; 0 for other files
 * @param directMemoryAlignment alignment of memory for direct I/O in bytes; 0 if unknown or not possible
 * @param directOffsetAlignment alignment of positions and lengths for direct I/O in bytes; 0 if unknown or not possible
 */
public record FileStatus(
        int mode,
        long size,
        long allocatedBytes,
        int blockSize,
        long inode,
        long deviceId,
        long specialDeviceId,
        int directMemoryAlignment,
        int directOffsetAlignment) {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            JAVA_INT.withName("stx_mask"),
            JAVA_INT.withName("stx_blksize"),
            JAVA_LONG.withName("stx_attributes"),
            JAVA_INT.withName("stx_nlink"),
            JAVA_INT.withName("stx_uid"),
            JAVA_INT.withName("stx_gid"),
            JAVA_SHORT.withName("stx_mode"),
            MemoryLayout.paddingLayout(2),
            JAVA_LONG.withName("stx_ino"),
            JAVA_LONG.withName("stx_size"),
            JAVA_LONG.withName("stx_blocks"),
            JAVA_LONG.withName("stx_attributes_mask"),
            MemoryLayout.paddingLayout(64),
            JAVA_INT.withName("stx_rdev_major"),
            JAVA_INT.withName("stx_rdev_minor"),
            JAVA_INT.withName("stx_dev_major"),
            JAVA_INT.withName("stx_dev_minor"),
            JAVA_LONG.withName("stx_mnt_id"),
            JAVA_INT.withName("stx_dio_mem_align"),
            JAVA_INT.withName("stx_dio_offset_align"),
            MemoryLayout.paddingLayout(96));
    static final int EMPTY_PATH = 0x1000;
    // STATX_BASIC_STATS and STATX_DIOALIGN
    static final int MASK = 0x7FF | 0x2000;

    private static final int TYPE_MASK = 0170000;

    static FileStatus of(MemorySegment s) {
        return new FileStatus(
                Short.toUnsignedInt(s.get(JAVA_SHORT, offset("stx_mode"))),
                s.get(JAVA_LONG, offset("stx_size")),
                // always in units of 512 bytes
                s.get(JAVA_LONG, offset("stx_blocks")) * 512,
                s.get(JAVA_INT, offset("stx_blksize")),
                s.get(JAVA_LONG, offset("stx_ino")),
                device(s, "stx_dev_major", "stx_dev_minor"),
                device(s, "stx_rdev_major", "stx_rdev_minor"),
                s.get(JAVA_INT, offset("stx_dio_mem_align")),
                s.get(JAVA_INT, offset("stx_dio_offset_align")));
    }

    private static long device(MemorySegment s, String major, String minor) {
        return (long) s.get(JAVA_INT, offset(major)) << 32 | s.get(JAVA_INT, offset(minor));
    }

    private static long offset(String field) {
        return LAYOUT.byteOffset(groupElement(field));
    }

    /** Whether it is a regular file. */
    public boolean isRegularFile() {
        return (mode & TYPE_MASK) == 0100000;
    }

    /** Whether it is a directory. */
    public boolean isDirectory() {
        return (mode & TYPE_MASK) == 0040000;
    }

    /** Whether it is a block device. */
    public boolean isBlockDevice() {
        return (mode & TYPE_MASK) == 0060000;
    }

    /** Whether it is a character device. */
    public boolean isCharacterDevice() {
        return (mode & TYPE_MASK) == 0020000;
    }
}
