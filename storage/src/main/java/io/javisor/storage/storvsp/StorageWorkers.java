package io.javisor.storage.storvsp;

import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.file.RingEngine;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Threads that wait for disks, so that reactors need not. A thread is started when there is work and none is idle, and ends
 * when it has been idle for a while. As many requests are in progress as there may be threads; the others queue. The queue is
 * bounded by those who fill it: each channel holds a limited number of packets. Safe from any thread.
 *
 * <p>Plain reads and writes of files need no thread where the host has io_uring: the workers bring an engine for them.
 */
public final class StorageWorkers implements Executor, AutoCloseable {
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String name;
    private final int most;
    private final @Nullable IoEngine engine;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final Condition ended = lock.newCondition();
    private final Queue<Runnable> queue = new ArrayDeque<>();
    private int threads;
    private int idle;
    private int started;
    private boolean closed;

    /**
     * Workers without a thread yet.
     *
     * @param name of the threads, to which a number is added
     * @param most threads at a time, from 1
     */
    public StorageWorkers(String name, int most) {
        this(name, most, true);
    }

    /**
     * Workers without a thread yet.
     *
     * @param name of the threads, to which a number is added
     * @param most threads at a time, from 1
     * @param ring whether plain reads and writes of files go by io_uring, where the host has it; if not, all wait in threads
     */
    public StorageWorkers(String name, int most, boolean ring) {
        if (most < 1) {
            throw new IllegalArgumentException(most + " threads");
        }
        this.name = name;
        this.most = most;
        engine = ring ? new RingEngine(name + "-ring") : null;
    }

    /** Why plain reads and writes of files can't go by io_uring on this host; null if they can. */
    public static @Nullable String ringRefusal() {
        return RingEngine.refusal();
    }

    /** What does requests that need no thread; null if there is nothing. */
    @Nullable
    IoEngine engine() {
        return engine;
    }

    @Override
    public void execute(Runnable task) {
        lock.lock();
        try {
            if (closed) {
                throw new RejectedExecutionException("the storage workers are closed");
            }
            queue.add(task);
            if (idle >= queue.size()) {
                work.signal();
            } else if (threads < most) {
                start(task);
            }
        } finally {
            lock.unlock();
        }
    }

    private void start(Runnable task) {
        threads++;
        try {
            Thread.ofPlatform().daemon().name(name + "-" + started++).start(this::run);
        } catch (OutOfMemoryError e) {
            // The process has no room for another thread: those that run do the work, if there are any.
            if (--threads == 0) {
                queue.remove(task);
                throw new RejectedExecutionException("no thread for a disk's work", e);
            }
        }
    }

    private void run() {
        try {
            for (Runnable task; (task = next()) != null; ) {
                try {
                    task.run();
                } catch (Throwable e) {
                    Thread thread = Thread.currentThread();
                    thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
                }
            }
        } finally {
            lock.lock();
            try {
                threads--;
                ended.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** The next task; null if this thread is to end. */
    private @Nullable Runnable next() {
        lock.lock();
        try {
            long left = IDLE_NANOS;
            while (queue.isEmpty()) {
                if (closed || left <= 0) {
                    return null;
                }
                idle++;
                try {
                    left = work.awaitNanos(left);
                } catch (InterruptedException e) {
                    // nobody interrupts these threads but by mistake
                } finally {
                    idle--;
                }
            }
            return queue.remove();
        } finally {
            lock.unlock();
        }
    }

    /** Threads at this moment. */
    int threads() {
        lock.lock();
        try {
            return threads;
        } finally {
            lock.unlock();
        }
    }

    /** Takes no more tasks and requests, and waits until those taken are done. Idempotent; not to be called by a worker. */
    @Override
    public void close() {
        if (engine != null) {
            engine.close(); // first: what fails there is for the threads to do again
        }
        lock.lock();
        try {
            closed = true;
            work.signalAll();
            while (threads > 0) {
                ended.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }
}
