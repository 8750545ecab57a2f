package io.javisor.partition.reactor;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A reactor on a thread of its own, made of the JDK alone: for machines without file descriptors to wait for, and tests. */
public final class ThreadReactor implements Reactor, AutoCloseable {
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean awake = new AtomicBoolean();
    private final AtomicLong order = new AtomicLong();
    private final PriorityQueue<Alarm> alarms = // the reactor's thread only
            new PriorityQueue<>(
                    Comparator.<Alarm>comparingLong(a -> a.due - a.base).thenComparingLong(a -> a.order));
    private final long epoch = System.nanoTime();
    private final Thread thread;
    private volatile boolean closed;

    /** Starts the thread, a daemon. */
    public ThreadReactor(String name) {
        thread = Thread.ofPlatform().daemon().name(name).unstarted(this::loop);
        thread.start();
    }

    @Override
    public void execute(Runnable task) {
        if (closed) {
            throw new RejectedExecutionException(thread.getName() + " is closed");
        }
        tasks.add(task);
        wake();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        Alarm alarm = new Alarm(
                System.nanoTime() + Math.clamp(delayNanos, 0, Long.MAX_VALUE / 4),
                epoch,
                order.getAndIncrement(),
                task);
        execute(() -> alarms.add(alarm));
        return alarm;
    }

    @Override
    public boolean isCurrent() {
        return Thread.currentThread().equals(thread);
    }

    /**
     * Stops after the task that is running; tasks and timers that wait are dropped. Waits for the thread to end unless called
     * on it. Idempotent.
     */
    @Override
    public void close() {
        closed = true;
        wake();
        if (!isCurrent()) {
            boolean interrupted = false;
            while (true) {
                try {
                    thread.join();
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void wake() {
        // Pairs with the clear in loop(): a task added after the clear finds awake == false and unparks.
        if (awake.compareAndSet(false, true)) {
            LockSupport.unpark(thread);
        }
    }

    private void loop() {
        while (!closed) {
            awake.set(false);
            boolean worked = false;
            // Timers come between tasks, so that tasks that submit tasks can't starve them.
            for (Runnable task = tasks.poll(); task != null && !closed; task = tasks.poll()) {
                run(task);
                ring();
                worked = true;
            }
            worked |= ring();
            if (!worked && !closed) {
                Alarm next = alarms.peek();
                if (next == null) {
                    LockSupport.park(this);
                } else {
                    LockSupport.parkNanos(this, Math.max(1, next.due - System.nanoTime()));
                }
            }
        }
        tasks.clear();
        alarms.clear();
    }

    private boolean ring() {
        boolean worked = false;
        for (Alarm next = alarms.peek(); next != null && !closed; next = alarms.peek()) {
            if (!next.cancelled && next.due - System.nanoTime() > 0) {
                break;
            }
            alarms.remove();
            if (!next.cancelled) {
                run(next.task);
                worked = true;
            }
        }
        return worked;
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }

    private static final class Alarm implements Timer {
        final long due;
        final long base;
        final long order;
        final Runnable task;
        volatile boolean cancelled;

        Alarm(long due, long base, long order, Runnable task) {
            this.due = due;
            this.base = base;
            this.order = order;
            this.task = task;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }
}
