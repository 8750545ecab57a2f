package io.javisor.storage.vhdx;

import io.javisor.storage.file.BackingFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The file's 4 KiB pages of BAT and sector bitmaps, as 64-bit words: those read lately, those changed since the last commit,
 * and those that a commit is writing. Reads need the store's lock shared, changes need it alone.
 */
final class MetadataPages {
    static final int WORDS = Layout.PAGE / 8;
    /** 16 MiB; beyond that, unchanged pages are forgotten. */
    private static final int MOST_CACHED = 4096;

    private final BackingFile file;
    private final ConcurrentHashMap<Long, long[]> cached = new ConcurrentHashMap<>();
    private final TreeMap<Long, long[]> dirty = new TreeMap<>();
    // Replaced as a whole: a page stays cached until it is home, because the file still has the old one.
    private volatile SortedMap<Long, byte[]> committing = Collections.emptySortedMap();

    MetadataPages(BackingFile file) {
        this.file = file;
    }

    /** A word, by its place in the file. */
    long get(long at) {
        return page(at & -Layout.PAGE)[(int) (at % Layout.PAGE / 8)];
    }

    /** Whether a word is in memory, so that {@link #get} waits for nothing. */
    boolean has(long at) {
        return cached.containsKey(at & -Layout.PAGE);
    }

    /** Changes a word. */
    void set(long at, long word) {
        long pageAt = at & -Layout.PAGE;
        long[] page = page(pageAt);
        page[(int) (at % Layout.PAGE / 8)] = word;
        dirty.put(pageAt, page);
    }

    private long[] page(long pageAt) {
        long[] page = cached.get(pageAt);
        return page != null ? page : load(pageAt);
    }

    private long[] load(long pageAt) {
        if (cached.size() >= MOST_CACHED) {
            SortedMap<Long, byte[]> pinned = committing;
            cached.keySet().removeIf(key -> !dirty.containsKey(key) && !pinned.containsKey(key));
        }
        long[] page = new long[WORDS];
        ByteBuffer.wrap(file.read(pageAt, Layout.PAGE))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asLongBuffer()
                .get(page);
        long[] other = cached.putIfAbsent(pageAt, page);
        return other != null ? other : page;
    }

    int dirtyCount() {
        return dirty.size();
    }

    /** Copies the changed pages for a commit; changes from here on belong to the next one. */
    SortedMap<Long, byte[]> beginCommit() {
        var copies = new TreeMap<Long, byte[]>();
        dirty.forEach((at, page) -> copies.put(at, bytes(page)));
        dirty.clear();
        committing = copies;
        return copies;
    }

    private static byte[] bytes(long[] page) {
        byte[] bytes = new byte[Layout.PAGE];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(page);
        return bytes;
    }

    /** The pages are home. */
    void endCommit() {
        committing = Collections.emptySortedMap();
    }
}
