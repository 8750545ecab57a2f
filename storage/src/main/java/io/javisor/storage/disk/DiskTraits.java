package io.javisor.storage.disk;

import java.util.UUID;

/**
 * What a disk tells of itself.
 *
 * @param sectorBytes its unit of transfer (logical block): 512 or 4,096; 2,048 for a DVD
 * @param physicalSectorBytes what it writes without reading first: at least a sector
 * @param releaseBytes granularity at which zeroing gives storage back, a multiple of the sector; 0 if it never does
 * @param readOnly whether it refuses writes
 * @param identity the same each time the disk is opened, different from every other disk's
 */
public record DiskTraits(int sectorBytes, int physicalSectorBytes, long releaseBytes, boolean readOnly, UUID identity) {

    /** Checks the ranges. */
    public DiskTraits {
        if (sectorBytes != 512 && sectorBytes != 2048 && sectorBytes != 4096) {
            throw new IllegalArgumentException("sectors of " + sectorBytes + " bytes; 512, 2048 and 4096 are possible");
        }
        if (physicalSectorBytes < sectorBytes || Integer.bitCount(physicalSectorBytes) != 1) {
            throw new IllegalArgumentException(
                    "physical sectors of " + physicalSectorBytes + " bytes over sectors of " + sectorBytes);
        }
        if (releaseBytes < 0 || releaseBytes % sectorBytes != 0) {
            throw new IllegalArgumentException("release granularity of " + releaseBytes + " bytes");
        }
    }
}
