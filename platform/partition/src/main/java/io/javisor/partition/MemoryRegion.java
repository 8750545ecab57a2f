package io.javisor.partition;

import java.lang.foreign.MemorySegment;

/**
 * One contiguous piece of guest memory.
 *
 * @param gpa first guest-physical address, a multiple of 4 KiB
 * @param length bytes, a multiple of 4 KiB
 * @param node the guest NUMA node that it belongs to, from 0
 * @param backing the host memory behind it
 * @param backingOffset where in the backing the region begins, in bytes
 */
public record MemoryRegion(long gpa, long length, int node, MemoryBacking backing, long backingOffset) {

    /** Checks alignment and bounds. */
    public MemoryRegion {
        if (gpa < 0 || length <= 0 || ((gpa | length | backingOffset) & 0xFFF) != 0 || gpa + length < 0) {
            throw new IllegalArgumentException("memory region 0x" + Long.toHexString(gpa) + " + 0x"
                    + Long.toHexString(length) + ": address and length must be positive multiples of 4096");
        }
        if (backingOffset < 0 || backingOffset > backing.segment().byteSize() - length) {
            throw new IllegalArgumentException("memory region at offset 0x" + Long.toHexString(backingOffset)
                    + " + 0x" + Long.toHexString(length) + " is outside its backing of 0x"
                    + Long.toHexString(backing.segment().byteSize()) + " bytes");
        }
    }

    /** The first guest-physical address after the region. */
    public long end() {
        return gpa + length;
    }

    /** The region's bytes. */
    public MemorySegment segment() {
        return backing.segment().asSlice(backingOffset, length);
    }
}
