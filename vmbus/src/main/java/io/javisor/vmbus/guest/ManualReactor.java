package io.javisor.vmbus.guest;

import io.javisor.partition.reactor.Reactor;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * A reactor without a thread: tasks run when the test says so, on the test's thread, and time passes when it says so. Tasks may
 * be given from any thread.
 */
public final class ManualReactor implements Reactor {
    private static final int MAX_TASKS = 1_000_000; // of one run: more means that somebody spins

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final PriorityQueue<Alarm> alarms =
            new PriorityQueue<>(Comparator.<Alarm>comparingLong(a -> a.due).thenComparingLong(a -> a.order));
    private final Thread owner = Thread.currentThread();
    private long now;
    private long order;

    /** A reactor that belongs to the calling thread. */
    public ManualReactor() {}

    @Override
    public synchronized void execute(Runnable task) {
        tasks.add(task);
    }

    @Override
    public synchronized Timer schedule(long delayNanos, Runnable task) {
        Alarm alarm = new Alarm(now + Math.max(0, delayNanos), order++, task);
        alarms.add(alarm);
        return () -> {
            synchronized (this) {
                alarms.remove(alarm);
            }
        };
    }

    @Override
    public boolean isCurrent() {
        return Thread.currentThread().equals(owner);
    }

    /** Runs what waits, and what that leads to, until nothing is left; timers stay. Returns the number of tasks. */
    public int run() {
        int count = 0;
        while (runOne()) {
            if (++count > MAX_TASKS) {
                throw new IllegalStateException("the reactor never comes to rest");
            }
        }
        return count;
    }

    /** Runs one task, if there is one. */
    public boolean runOne() {
        Runnable task;
        synchronized (this) {
            task = tasks.poll();
        }
        if (task == null) {
            return false;
        }
        task.run();
        return true;
    }

    /** Lets time pass: runs all that waits, then every timer when it is due, and what that leads to. */
    public void advance(Duration time) {
        long end;
        synchronized (this) {
            end = now + time.toNanos();
        }
        run();
        while (true) {
            Alarm next;
            synchronized (this) {
                next = alarms.peek();
                if (next == null || next.due > end) {
                    now = end;
                    return;
                }
                alarms.remove();
                now = Math.max(now, next.due);
            }
            next.task.run();
            run();
        }
    }

    /** Nanoseconds that have passed. */
    public synchronized long now() {
        return now;
    }

    private record Alarm(long due, long order, Runnable task) {}
}
