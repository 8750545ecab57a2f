package io.javisor.kvm.partition;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Says whether a partition's vCPUs may run, and knows how many have stopped at it. Safe from any thread. */
final class RunGate {
    /** What the vCPUs shall do. */
    enum Order {
        HOLD,
        RUN,
        END
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private volatile Order order = Order.HOLD;
    private int held;

    /** What the vCPUs shall do now; a plain look for the run loop. */
    Order order() {
        return order;
    }

    /** Gives an order; END is the last. The caller kicks the vCPUs. */
    void set(Order next) {
        lock.lock();
        try {
            if (order != Order.END) {
                order = next;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** A vCPU stops here while the order is HOLD; true if it may go on, false if it shall end. */
    boolean pass() {
        lock.lock();
        try {
            held++;
            changed.signalAll();
            while (order == Order.HOLD) {
                changed.awaitUninterruptibly();
            }
            held--;
            return order == Order.RUN;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until this many vCPUs are held; false if they are not in time. */
    boolean awaitHeld(int count, long nanos) throws InterruptedException {
        lock.lock();
        try {
            long left = nanos;
            while (held < count && order == Order.HOLD) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** A tenth of a second, the longest that a kicked vCPU may take before it is kicked again. */
    static final long KICK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
}
