package io.javisor.api;

import java.time.Duration;

/** Time-outs as points of {@link System#nanoTime()}; ones that never come are cut to a century. */
final class Deadline {
    private static final long NEVER = Duration.ofDays(36_500).toNanos();

    private Deadline() {}

    static long nanos(Duration timeout) {
        return timeout.compareTo(Duration.ofNanos(NEVER)) > 0 ? NEVER : timeout.toNanos();
    }

    static long after(Duration timeout) {
        return System.nanoTime() + nanos(timeout);
    }

    /** At most a tenth of a second of what is left, and not less than nothing. */
    static Duration slice(long deadline) {
        return Duration.ofNanos(Math.max(0, Math.min(100_000_000, deadline - System.nanoTime())));
    }
}
