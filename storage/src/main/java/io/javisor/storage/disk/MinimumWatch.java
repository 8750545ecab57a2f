package io.javisor.storage.disk;

import java.util.function.LongSupplier;

/**
 * Watches whether a disk that is asked all the time does as many requests as it should. Time is cut into windows of a second or,
 * while nothing begins or ends, more. A window in which the disk had something to do for nine tenths of the time, and did
 * less than the minimum, is one that missed it; a guest that asks less often gets what it asks. Safe from any thread.
 */
final class MinimumWatch {
    static final long WINDOW_NANOS = 1_000_000_000;
    private static final double BUSY = 0.9;

    /** Hears that the disk has begun to miss its minimum, or meets it again. It must not wait. */
    @FunctionalInterface
    interface Listener {
        void changed(boolean below);
    }

    private final long minimum;
    private final LongSupplier clock;
    private final Listener listener;
    private int inFlight;
    private long windowFrom;
    private long busyFrom;
    private long busyNanos;
    private long units;
    private boolean below;
    private long misses;

    /**
     * @param minimum requests of {@link IoLimits#UNIT_BYTES} a second
     * @param clock nanoseconds, never going back
     */
    MinimumWatch(long minimum, LongSupplier clock, Listener listener) {
        this.minimum = minimum;
        this.clock = clock;
        this.listener = listener;
        windowFrom = clock.getAsLong();
    }

    /** A request begins. */
    void begin() {
        boolean changed;
        synchronized (this) {
            long now = clock.getAsLong();
            changed = closeWindow(now);
            if (inFlight++ == 0) {
                busyFrom = now;
            }
        }
        tell(changed);
    }

    /** A request has ended, and moved so many bytes; −1 if it was not done. */
    void end(long bytes) {
        boolean changed;
        synchronized (this) {
            long now = clock.getAsLong();
            units += bytes < 0 ? 0 : IoLimits.units(bytes);
            if (--inFlight == 0) {
                busyNanos += now - busyFrom;
            }
            changed = closeWindow(now);
        }
        tell(changed);
    }

    /** Whether the last window missed the minimum. */
    boolean isBelow() {
        boolean changed;
        boolean answer;
        synchronized (this) {
            changed = closeWindow(clock.getAsLong());
            answer = below;
        }
        tell(changed);
        return answer;
    }

    /** Windows that missed the minimum. */
    synchronized long misses() {
        return misses;
    }

    private boolean closeWindow(long now) {
        long length = now - windowFrom;
        if (length < WINDOW_NANOS) {
            return false;
        }
        if (inFlight > 0) {
            busyNanos += now - busyFrom;
            busyFrom = now;
        }
        boolean missed = busyNanos >= BUSY * length && units < minimum * (length / 1e9);
        boolean changed = missed != below;
        below = missed;
        misses += missed ? 1 : 0;
        windowFrom = now;
        busyNanos = 0;
        units = 0;
        return changed;
    }

    private void tell(boolean changed) {
        if (changed) {
            listener.changed(isBelowNow());
        }
    }

    private synchronized boolean isBelowNow() {
        return below;
    }
}
