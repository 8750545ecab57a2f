package io.javisor.api.exec;

import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bytes from the guest until a caller takes them. One reader at a time. A serial port's are written on a vCPU's thread, which
 * never waits: what does not fit is dropped, which a well-behaved guest never causes, since it sends only what it was asked
 * for. A socket's wait for room.
 */
final class Inbox {
    /** A block of output with its frame, and room for noise. */
    static final int CAPACITY = 64 * 1024;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Condition room = lock.newCondition();
    private byte[] ring = new byte[256];
    private int head;
    private int count;
    private int wanted;
    private boolean closed;

    void write(byte value) {
        lock.lock();
        try {
            if (count == ring.length) {
                if (count == CAPACITY) {
                    return;
                }
                grow();
            }
            ring[(head + count) & (ring.length - 1)] = value;
            count++;
            // A reader of a block is woken once it is whole, a reader of a line at its end.
            if (wanted > 0 && (count >= wanted || value == '\n')) {
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Adds bytes, waiting for room: for a line that can wait. What comes after the close is dropped. */
    void put(byte[] bytes, int offset, int length) throws InterruptedException {
        int done = 0;
        lock.lockInterruptibly();
        try {
            while (done < length) {
                while (count == CAPACITY && !closed) {
                    room.await();
                }
                if (closed) {
                    return;
                }
                while (count == ring.length || (ring.length < CAPACITY && ring.length - count < length - done)) {
                    grow();
                }
                int at = (head + count) & (ring.length - 1);
                int n = Math.min(length - done, Math.min(ring.length - count, ring.length - at));
                System.arraycopy(bytes, offset + done, ring, at, n);
                count += n;
                done += n;
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    private void grow() {
        byte[] larger = new byte[2 * ring.length];
        int first = ring.length - head;
        System.arraycopy(ring, head, larger, 0, first);
        System.arraycopy(ring, 0, larger, first, head);
        ring = larger;
        head = 0;
    }

    /**
     * Takes up to {@code most} bytes, waiting until that many are there, a line has ended, or the time is up.
     *
     * @return how many: 0 if the time was up, −1 if the inbox is closed and empty
     */
    int take(byte[] into, int offset, int most, long deadline) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            wanted = Math.min(most, CAPACITY);
            while (count == 0 && !closed) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return 0;
                }
                arrived.awaitNanos(left);
            }
            if (count == 0) {
                return -1;
            }
            int n = Math.min(most, count);
            int first = Math.min(n, ring.length - head);
            System.arraycopy(ring, head, into, offset, first);
            System.arraycopy(ring, 0, into, offset + first, n - first);
            head = (head + n) & (ring.length - 1);
            count -= n;
            room.signal();
            if (count == 0 && ring.length > 4096) {
                ring = Arrays.copyOf(ring, 256); // idle machines hold no blocks
                head = 0;
            }
            return n;
        } finally {
            wanted = 0;
            lock.unlock();
        }
    }

    /** Wakes the reader for good. */
    void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signalAll();
            room.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
