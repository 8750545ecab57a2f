package io.javisor.storage.scsi;

import io.javisor.storage.disk.IoLimits;

/**
 * Two token buckets, kept as the time at which each would be full enough again (the generic cell rate algorithm, ITU-T I.371):
 * no timer fills them, and a request knows at once how long it has to wait. Safe from any thread.
 */
final class Pace {
    /** What may be saved up: a tenth of a second's worth, so that an idle disk answers a burst at once. */
    static final long BURST_NANOS = 100_000_000;

    private static final double SECOND = 1e9;

    private final IoLimits limits;
    private double requestsFree;
    private double bytesFree;
    private boolean begun;

    Pace(IoLimits limits) {
        this.limits = limits;
    }

    IoLimits limits() {
        return limits;
    }

    /**
     * Takes tokens for a request.
     *
     * @param bytes that it moves
     * @param now a clock in nanoseconds that never goes back
     * @return nanoseconds that it has to wait, from 0
     */
    synchronized long take(long bytes, long now) {
        if (limits.isNone()) {
            return 0;
        }
        if (!begun) {
            begun = true;
            requestsFree = now - BURST_NANOS;
            bytesFree = now - BURST_NANOS;
        }
        double start = now;
        if (limits.iops() > 0) {
            requestsFree =
                    Math.max(requestsFree, (double) now - BURST_NANOS) + IoLimits.units(bytes) * SECOND / limits.iops();
            start = Math.max(start, requestsFree);
        }
        if (limits.bandwidth() > 0) {
            bytesFree = Math.max(bytesFree, (double) now - BURST_NANOS) + bytes * SECOND / limits.bandwidth();
            start = Math.max(start, bytesFree);
        }
        return (long) Math.min(start - now, Long.MAX_VALUE);
    }
}
