package io.javisor.jmh;

import io.javisor.partition.bus.IoDevice;
import java.util.concurrent.Semaphore;

/**
 * A device that counts accesses. After each batch it holds the vCPU until the next batch is wanted, so that nothing runs while
 * somebody else measures.
 */
final class CountingDevice implements IoDevice {
    /** Accesses: some 50 ms of them, beside which handing over is nothing. */
    static final int BATCH = 8192;

    private final Semaphore wanted = new Semaphore(0);
    private final Semaphore done = new Semaphore(0);
    private volatile boolean ended;
    private int left; // the vCPU's thread's
    private long sum;

    /** Lets the guest do a batch and waits for its end. */
    void awaitBatch() {
        wanted.release();
        done.acquireUninterruptibly();
    }

    /** Lets the guest go on for good. */
    void end() {
        ended = true;
        wanted.release();
    }

    private void count() {
        if (left == 0) {
            if (ended) {
                return;
            }
            wanted.acquireUninterruptibly();
            left = BATCH;
        }
        if (--left == 0) {
            done.release();
        }
    }

    @Override
    public long read(long offset, int size) {
        count();
        return 0x5A;
    }

    @Override
    public void write(long offset, int size, long value) {
        sum += value;
        count();
    }

    @Override
    public String toString() {
        return "CountingDevice[" + sum + "]";
    }
}
