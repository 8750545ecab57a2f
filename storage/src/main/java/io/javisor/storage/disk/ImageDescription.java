package io.javisor.storage.disk;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * What an image's file says of it.
 *
 * @param path of the file
 * @param format of the file
 * @param layout how it stores the disk
 * @param size of the disk in bytes
 * @param fileBytes length of the file
 * @param allocatedBytes storage that the host holds for the file
 * @param blockBytes unit of allocation; 0 if there is none
 * @param sectorBytes of the disk
 * @param physicalSectorBytes of the disk
 * @param identity of the disk
 * @param logInUse whether it was not closed: its log is replayed at the next opening
 * @param parents where it looks for its parent; empty if it has none
 */
public record ImageDescription(
        Path path,
        ImageFormat format,
        ImageSpec.Layout layout,
        long size,
        long fileBytes,
        long allocatedBytes,
        int blockBytes,
        int sectorBytes,
        int physicalSectorBytes,
        UUID identity,
        boolean logInUse,
        List<String> parents) {
    /** Copies the list. */
    public ImageDescription {
        parents = List.copyOf(parents);
    }
}
