package io.javisor.kvm.partition;

import java.util.BitSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Says whether a partition's vCPUs may run, and knows how many have stopped at it. Two say so, and both must let a vCPU run: the
 * machine's owner, for all vCPUs, and a debugger, for each. Safe from any thread.
 */
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
    private volatile @Nullable BitSet allowed; // by a debugger, never changed once set; null without one
    private int held;

    /** Whether a vCPU may go on; a plain look for the run loop. */
    boolean mayRun(int vcpu) {
        return order == Order.RUN && isAllowed(vcpu);
    }

    private boolean isAllowed(int vcpu) {
        BitSet which = allowed;
        return which == null || which.get(vcpu);
    }

    /** Lets a debugger say which vCPUs may run, if the owner lets them; null if it has no more say. The caller kicks. */
    void allow(@Nullable BitSet which) {
        lock.lock();
        try {
            allowed = which == null ? null : (BitSet) which.clone();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
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

    /** A vCPU stops here until it may go on, which is true, or shall end, which is false. */
    boolean pass(int vcpu) {
        lock.lock();
        try {
            held++;
            changed.signalAll();
            while (order == Order.HOLD || order == Order.RUN && !isAllowed(vcpu)) {
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
            while (held < count && (order == Order.HOLD || noneAllowed())) {
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

    private boolean noneAllowed() {
        BitSet which = allowed;
        return order == Order.RUN && which != null && which.isEmpty();
    }

    /** A tenth of a second, the longest that a kicked vCPU may take before it is kicked again. */
    static final long KICK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
}
