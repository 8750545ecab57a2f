package io.javisor.storage.disk;

import java.util.function.Predicate;

/**
 * Counts requests that no thread holds a lock for, because each begins on one thread and ends on another. Whoever must be alone keeps
 * new ones from beginning, by a lock of its own, and then waits for the others here. Safe from any thread.
 */
public final class InFlight {
    private int count;

    /**
     * Begins a request, and counts it until it ends.
     *
     * @param completion told once it is no longer counted
     * @param how begins it with the completion that it is to tell; returns false if it has not begun
     * @return whether it has begun
     */
    public boolean begin(IoEngine.Completion completion, Predicate<IoEngine.Completion> how) {
        add(1);
        boolean begun = false;
        try {
            begun = how.test(moved -> {
                add(-1);
                completion.ended(moved);
            });
            return begun;
        } finally {
            if (!begun) {
                add(-1);
            }
        }
    }

    private synchronized void add(int more) {
        count += more;
        if (count == 0) {
            notifyAll();
        }
    }

    /** Returns once there are none. An interrupt is kept for later. */
    public synchronized void awaitNone() {
        boolean interrupted = false;
        while (count > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
