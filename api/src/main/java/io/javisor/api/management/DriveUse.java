package io.javisor.api.management;

/**
 * What a drive has done since the machine last started.
 *
 * @param drive what it is and where it is plugged in
 * @param reads requests
 * @param readBytes bytes
 * @param readNanos sum over the requests, in nanoseconds
 * @param writes requests
 * @param writtenBytes bytes
 * @param writeNanos sum over the requests, in nanoseconds
 * @param flushes requests
 * @param errors requests of any kind that failed
 * @param longestNanos request of any kind, in nanoseconds
 */
public record DriveUse(
        String drive,
        long reads,
        long readBytes,
        long readNanos,
        long writes,
        long writtenBytes,
        long writeNanos,
        long flushes,
        long errors,
        long longestNanos) {}
