package io.javisor.partition.reactor;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** A reactor on a thread of its own, made of the JDK alone: for machines without file descriptors to wait for, and tests. */
public final class ThreadReactor implements Reactor, AutoCloseable {
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean awake = new AtomicBoolean();
    private final AlarmQueue alarms = new AlarmQueue();
    private final Consumer<Runnable> runner = this::runUnlessClosed;
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
        AlarmQueue.Alarm alarm = alarms.make(delayNanos, task);
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
                long nanos = alarms.nanosToNext();
                if (nanos == AlarmQueue.NONE) {
                    LockSupport.park(this);
                } else if (nanos > 0) {
                    LockSupport.parkNanos(this, nanos);
                }
            }
        }
        tasks.clear();
        alarms.clear();
    }

    private boolean ring() {
        return alarms.ring(runner);
    }

    private void runUnlessClosed(Runnable task) {
        if (!closed) {
            run(task);
        }
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }
}
