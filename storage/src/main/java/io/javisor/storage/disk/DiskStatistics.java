package io.javisor.storage.disk;

import java.time.Duration;

/**
 * What a disk has done for a guest since it was attached. Time is that of the disk alone: waiting for a limit or for a thread is
 * not in it.
 *
 * @param reads requests
 * @param readBytes bytes
 * @param readTime sum over the requests
 * @param writes requests
 * @param writtenBytes bytes
 * @param writeTime sum over the requests
 * @param flushes requests
 * @param flushTime sum over the requests
 * @param zeroes requests to zero or release a range
 * @param zeroedBytes bytes
 * @param errors requests of any kind that failed
 * @param longest request of any kind
 * @param belowMinimum whether it did less than its minimum of requests a second of late, though it was asked all the time
 * @param minimumMisses seconds, or somewhat longer spans, of which that is true
 */
public record DiskStatistics(
        long reads,
        long readBytes,
        Duration readTime,
        long writes,
        long writtenBytes,
        Duration writeTime,
        long flushes,
        Duration flushTime,
        long zeroes,
        long zeroedBytes,
        long errors,
        Duration longest,
        boolean belowMinimum,
        long minimumMisses) {
    /** Nothing yet. */
    public static final DiskStatistics NONE = new DiskStatistics(
            0, 0, Duration.ZERO, 0, 0, Duration.ZERO, 0, Duration.ZERO, 0, 0, 0, Duration.ZERO, false, 0);

    /** Mean time of a read; zero if there was none. */
    public Duration meanRead() {
        return mean(readTime, reads);
    }

    /** Mean time of a write; zero if there was none. */
    public Duration meanWrite() {
        return mean(writeTime, writes);
    }

    /** Mean time of a flush; zero if there was none. */
    public Duration meanFlush() {
        return mean(flushTime, flushes);
    }

    private static Duration mean(Duration sum, long count) {
        return count == 0 ? Duration.ZERO : sum.dividedBy(count);
    }
}
