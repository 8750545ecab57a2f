package io.javisor.networking.vswitch;

/** A rate: who takes is told how long to wait before taking more. Safe from any thread; allocates nothing. */
final class Bandwidth {
    private static final long NANOS = 1_000_000_000L;

    private final long unitsPerSecond;
    private final long burstNanos;
    private long due; // when all that was taken is paid for

    /**
     * @param unitsPerSecond from 1
     * @param burst units that may be taken at once after a time of rest
     * @param now on the clock of those who take
     */
    Bandwidth(long unitsPerSecond, long burst, long now) {
        this.unitsPerSecond = unitsPerSecond;
        burstNanos = nanos(burst);
        due = now - burstNanos;
    }

    private long nanos(long units) {
        return (long) ((double) units * NANOS / unitsPerSecond);
    }

    /** Takes, and returns the nanoseconds until it is paid for; not positive if it is. */
    synchronized long take(long units, long now) {
        if (due - now < -burstNanos) {
            due = now - burstNanos;
        }
        due += nanos(units);
        return due - now;
    }

    /** Takes if that needs no waiting. */
    synchronized boolean tryTake(long units, long now) {
        long before = due;
        if (take(units, now) > 0) {
            due = before;
            return false;
        }
        return true;
    }
}
