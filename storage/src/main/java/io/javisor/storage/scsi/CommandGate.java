package io.javisor.storage.scsi;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Lets commands in until somebody closes it, who then waits for those inside: what they were allowed by the state before is done
 * when the state changes. It is closed at first. Entering and leaving an open gate takes no lock. Safe from any thread.
 */
final class CommandGate {
    /** What a change, or a command that meets one, waits at most. */
    static final int PATIENCE_SECONDS = 10;

    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);

    private final AtomicInteger inside = new AtomicInteger();
    private volatile boolean closed = true;
    private volatile boolean broken;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ReentrantLock changing = new ReentrantLock(true);

    /** Enters if it is open. */
    boolean tryEnter() {
        if (closed) {
            return false;
        }
        inside.incrementAndGet();
        if (closed) { // since then: who closed it may have counted before
            leave();
            return false;
        }
        return true;
    }

    /**
     * Enters, and waits for it to open.
     *
     * @throws ScsiError BUSY if that takes too long, an internal failure if it can't be opened any more
     */
    void enter() {
        if (tryEnter()) {
            return;
        }
        boolean[] in = new boolean[1];
        if (!await(() -> broken || (in[0] = tryEnter()), PATIENCE)) {
            throw ScsiError.busy();
        }
        if (!in[0]) {
            throw ScsiError.check(Sense.TARGET_FAILURE);
        }
    }

    void leave() {
        if (inside.decrementAndGet() == 0 && closed) {
            wakeAll();
        }
    }

    /**
     * Does something while nobody is inside an open gate, and nobody else does so.
     *
     * @throws ScsiError BUSY if those inside take too long; then nothing has happened
     */
    long alone(LongSupplier what) {
        changing.lock();
        try {
            if (!close()) {
                throw ScsiError.busy();
            }
            try {
                return what.getAsLong();
            } finally {
                open();
            }
        } finally {
            changing.unlock();
        }
    }

    /** Closes it and waits until nobody is inside; opens it again and returns false if that takes too long. */
    boolean close() {
        closed = true;
        boolean alone = await(() -> inside.get() == 0, PATIENCE);
        if (!alone) {
            open();
        }
        return alone;
    }

    void open() {
        closed = broken;
        wakeAll();
    }

    /** Closes it for good. */
    void shut() {
        broken = true;
        closed = true;
        wakeAll();
    }

    private void wakeAll() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whether something has come true in time. An interrupt is kept for later. */
    private boolean await(BooleanSupplier condition, long mostNanos) {
        long until = System.nanoTime() + mostNanos;
        boolean interrupted = false;
        lock.lock();
        try {
            while (!condition.getAsBoolean()) {
                long left = until - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                try {
                    // Not for ever, should a wake be lost between a look and this.
                    changed.awaitNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(100)));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            return true;
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
