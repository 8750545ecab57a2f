package io.javisor.storage.disk;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps two disks alike while one is copied to the other.
 *
 * <pre>
 * 0 ── copied ── cursor ── held by the copy ── heldTo ── not yet ── end
 *    to both              waits                        to the source
 * </pre>
 *
 * <p>Changes that overlap wait for each other, so that both disks see them in the same order. Safe from any thread.
 */
final class Mirror {
    final Disk source;
    final Disk target;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition less = lock.newCondition();
    private final List<long[]> changing = new ArrayList<>();
    private long cursor;
    private long heldTo;
    private @Nullable DiskException failure;

    Mirror(Disk source, Disk target) {
        this.source = source;
        this.target = target;
    }

    /** Keeps others from changing a range that begins where the copy has got to, and waits for those who do. */
    void hold(long from, long to) {
        lock.lock();
        try {
            heldTo = to;
            while (overlapsChange(from, to)) {
                less.awaitUninterruptibly();
            }
            if (failure != null) {
                throw failure;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets go of the end of what is held. */
    void narrow(long to) {
        lock.lock();
        try {
            heldTo = to;
            less.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Lets go of all; what lies before is copied. */
    void release(long copiedTo) {
        lock.lock();
        try {
            cursor = copiedTo;
            heldTo = copiedTo;
            less.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The first error that left the two different; null if there was none. */
    @Nullable
    DiskException failure() {
        lock.lock();
        try {
            return failure;
        } finally {
            lock.unlock();
        }
    }

    /** Nothing goes to the target any more. */
    void giveUp() {
        fail(new DiskException(DiskException.Kind.UNSUPPORTED, "the move to " + target + " was given up", null));
    }

    private void fail(DiskException e) {
        lock.lock();
        try {
            if (failure == null) {
                failure = e;
            }
            heldTo = cursor;
            less.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Changes a range of both disks as far as it is copied, else of the source.
     *
     * @param onSource changes the source; its error is the caller's
     * @param onTarget changes the target, as many bytes from the offset as it is told; its error ends the copy
     */
    void change(long offset, long length, Runnable onSource, LongConsumer onTarget) {
        if (length <= 0) {
            onSource.run(); // which says what is wrong, if anything
            return;
        }
        long[] range = {offset, offset + length};
        long part = enter(range);
        try {
            changeSource(onSource, part > 0);
            if (part > 0) {
                changeTarget(onTarget, part);
            }
        } finally {
            lock.lock();
            try {
                changing.remove(range);
                less.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Waits until the range is nobody's, and tells how much of it is copied. */
    private long enter(long[] range) {
        lock.lock();
        try {
            while (overlapsChange(range[0], range[1]) || (range[0] < heldTo && cursor < range[1])) {
                less.awaitUninterruptibly();
            }
            changing.add(range);
            return failure == null ? Math.min(range[1], cursor) - range[0] : 0;
        } finally {
            lock.unlock();
        }
    }

    private void changeSource(Runnable change, boolean copied) {
        try {
            change.run();
        } catch (DiskException e) {
            // What was asked for wrongly has changed nothing. Else nobody knows what the source has there now.
            if (copied && e.kind() != DiskException.Kind.RANGE && e.kind() != DiskException.Kind.READ_ONLY) {
                fail(e);
            }
            throw e;
        }
    }

    private void changeTarget(LongConsumer change, long part) {
        try {
            change.accept(part);
        } catch (DiskException e) {
            fail(e);
        }
    }

    private boolean overlapsChange(long from, long to) {
        for (long[] range : changing) {
            if (range[0] < to && from < range[1]) {
                return true;
            }
        }
        return false;
    }
}
