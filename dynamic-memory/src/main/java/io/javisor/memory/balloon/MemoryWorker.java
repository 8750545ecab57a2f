package io.javisor.memory.balloon;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * One machine's slow work on memory: on threads that may wait, one task after the other, in the order given. Safe from any
 * thread.
 */
final class MemoryWorker {
    private final Executor threads;
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>(); // guarded by this
    private boolean busy; // guarded by this
    private boolean closed; // guarded by this

    MemoryWorker(Executor threads) {
        this.threads = threads;
    }

    /** Does it later; never if the worker is closed before. */
    void execute(Runnable task) {
        synchronized (this) {
            if (closed) {
                return;
            }
            tasks.add(task);
            if (busy) {
                return;
            }
            busy = true;
        }
        start();
    }

    /** Whether nothing is waiting or under way. */
    synchronized boolean isIdle() {
        return !busy;
    }

    private void start() {
        try {
            threads.execute(this::work);
        } catch (RejectedExecutionException e) {
            // The threads have ended, hence all machines.
            synchronized (this) {
                close();
                busy = false;
                notifyAll();
            }
        }
    }

    private void work() {
        Runnable task;
        synchronized (this) {
            task = tasks.poll();
        }
        try {
            if (task != null) {
                task.run();
            }
        } finally {
            boolean more;
            synchronized (this) {
                more = !tasks.isEmpty();
                busy = more;
                notifyAll();
            }
            // Others have their turn on the threads between two tasks of a machine.
            if (more) {
                start();
            }
        }
    }

    /** Drops what waits. Idempotent. */
    synchronized void close() {
        closed = true;
        tasks.clear();
    }

    /** Waits for the task under way, after {@link #close}. */
    synchronized void awaitIdle() {
        boolean interrupted = false;
        while (busy) {
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
