package io.javisor.storage.disk;

import java.util.List;

/**
 * What a check of an image found.
 *
 * @param problems what is wrong, each with its offset; empty if the image is sound
 * @param notes what is not wrong but worth to know
 * @param usedBytes of the file that hold blocks of the disk
 * @param leakedBytes of the file that nothing uses; compacting gives them back
 */
public record CheckReport(List<String> problems, List<String> notes, long usedBytes, long leakedBytes) {
    /** Copies the lists. */
    public CheckReport {
        problems = List.copyOf(problems);
        notes = List.copyOf(notes);
    }

    /** Whether nothing is wrong. */
    public boolean isSound() {
        return problems.isEmpty();
    }
}
