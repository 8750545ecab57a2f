package io.javisor.jmh;

import java.util.Locale;

/**
 * What a disk is asked: requests of 4 KiB, so many at a time.
 *
 * @param writing or reading
 * @param random or one after the other, around the disk
 * @param depth requests in flight
 */
record DiskLoad(boolean writing, boolean random, int depth) {
    static final int BYTES = 4096;

    /** Reads a benchmark's method: {@code randomReadsDepth32}. */
    static DiskLoad of(String method) {
        String name = method.toLowerCase(Locale.ROOT);
        int depth = name.indexOf("depth");
        return new DiskLoad(
                name.contains("writes"), name.contains("random"), Integer.parseInt(name.substring(depth + 5)));
    }
}
