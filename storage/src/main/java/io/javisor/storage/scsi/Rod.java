package io.javisor.storage.scsi;

import java.util.List;

/**
 * A representation of data (SPC-4 section 5.17.6): ranges of a disk as they were when the token was made. It ends when any of
 * them is written.
 *
 * @param token 512 bytes that nobody can guess; who has them may read the ranges
 * @param ranges in bytes
 * @param deadline by System.nanoTime()
 */
@SuppressWarnings("ArrayRecordComponent") // not shared
record Rod(byte[] token, List<Range> ranges, long deadline) {
    /**
     * A piece of the disk.
     *
     * @param offset in bytes
     * @param length in bytes
     */
    record Range(long offset, long length) {
        boolean overlaps(long from, long bytes) {
            return from < offset + length && offset < from + bytes;
        }
    }

    long bytes() {
        return ranges.stream().mapToLong(Range::length).sum();
    }

    boolean touchedBy(long offset, long length) {
        return ranges.stream().anyMatch(r -> r.overlaps(offset, length));
    }
}
