package io.javisor.storage.storvsp;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;

/**
 * Threads that wait for disks, so that reactors need not. As many requests are in progress as there are threads; the others
 * queue. The queue is bounded by those who fill it: each channel holds a limited number of packets. Safe from any thread.
 */
public final class StorageWorkers implements Executor, AutoCloseable {
    private final Runnable stop = this::nothing; // tells a thread to end
    private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private boolean closed;

    /**
     * Starts daemon threads.
     *
     * @param name of the threads, to which a number is added
     * @param count of threads, from 1
     */
    public StorageWorkers(String name, int count) {
        if (count < 1) {
            throw new IllegalArgumentException(count + " threads");
        }
        for (int i = 0; i < count; i++) {
            threads.add(Thread.ofPlatform().daemon().name(name + "-" + i).start(this::work));
        }
    }

    @Override
    public synchronized void execute(Runnable task) {
        if (closed) {
            throw new RejectedExecutionException("the storage workers are closed");
        }
        queue.add(task);
    }

    private void nothing() {}

    private void work() {
        while (true) {
            Runnable task;
            try {
                task = queue.take();
            } catch (InterruptedException e) {
                continue; // nobody interrupts them but by mistake
            }
            if (task.equals(stop)) {
                return;
            }
            try {
                task.run();
            } catch (Throwable e) {
                Thread thread = Thread.currentThread();
                thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
            }
        }
    }

    /** Takes no more tasks, and waits until those taken are done. Idempotent. */
    @Override
    public void close() {
        synchronized (this) {
            if (!closed) {
                closed = true;
                threads.forEach(_ -> queue.add(stop));
            }
        }
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive() && !thread.equals(Thread.currentThread())) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
