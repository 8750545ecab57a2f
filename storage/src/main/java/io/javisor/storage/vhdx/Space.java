package io.javisor.storage.vhdx;

import io.javisor.storage.file.BackingFile;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Hands out the file's space. What is handed out reads as zeroes: it is new at the file's end, or was zeroed after it came
 * back. What comes back is free only after the commit that no longer names it. Needs the store's lock alone.
 */
final class Space {
    /** Space of the file. */
    record Run(long offset, long length) {}

    private final BackingFile file;
    private final Map<Long, ArrayDeque<Long>> free = new HashMap<>();
    private List<Run> released = new ArrayList<>();

    Space(BackingFile file) {
        this.file = file;
    }

    /** Takes a block's place, a whole number of MiB. */
    long take(long length) {
        ArrayDeque<Long> fits = free.get(length);
        if (fits != null && !fits.isEmpty()) {
            return fits.pop();
        }
        long place = Layout.roundUp(file.size(), Layout.MIB);
        file.resize(place + length);
        return place;
    }

    /** Gives a block's place back; it stays as it is until the commit. */
    void release(long offset, long length) {
        released.add(new Run(offset, length));
    }

    /** What came back since the last commit. */
    List<Run> beginCommit() {
        List<Run> runs = released;
        released = new ArrayList<>();
        return runs;
    }

    /** The commit holds and the runs have been zeroed. */
    void reuse(List<Run> runs) {
        for (Run run : runs) {
            free.computeIfAbsent(run.length, _ -> new ArrayDeque<>()).push(run.offset);
        }
    }
}
