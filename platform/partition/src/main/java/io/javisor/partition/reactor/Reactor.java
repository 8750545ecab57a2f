package io.javisor.partition.reactor;

import java.util.concurrent.Executor;

/**
 * One thread that owns state. Tasks run one at a time, in the order in which each submitting thread gave them; what one wrote
 * the next sees. A task that throws doesn't harm the reactor or other tasks. Safe from any thread.
 */
public interface Reactor extends Executor {
    /**
     * Runs a task on the reactor's thread, later, even if called there.
     *
     * @throws java.util.concurrent.RejectedExecutionException if the reactor is closed
     */
    @Override
    void execute(Runnable task);

    /**
     * Runs a task after a delay of at least this many nanoseconds (negative means none).
     *
     * @throws java.util.concurrent.RejectedExecutionException if the reactor is closed
     */
    Timer schedule(long delayNanos, Runnable task);

    /** Whether the calling thread is the reactor's. */
    boolean isCurrent();

    /** A task that will run once, unless cancelled. */
    interface Timer {
        /** Forgets the task. If called on the reactor's thread, it does not run after this; else it may be running. */
        void cancel();
    }
}
