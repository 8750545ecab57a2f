package io.javisor.storage.disk;

import java.time.Duration;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;

/** Counts and times what another disk is asked. Closing it closes that disk. */
public final class MeteredDisk implements Disk {
    private final Disk disk;
    private final Meter reads = new Meter();
    private final Meter writes = new Meter();
    private final Meter flushes = new Meter();
    private final Meter zeroes = new Meter();
    private final LongAdder errors = new LongAdder();
    private final LongAccumulator longest = new LongAccumulator(Math::max, 0);

    private static final class Meter {
        final LongAdder requests = new LongAdder();
        final LongAdder bytes = new LongAdder();
        final LongAdder nanos = new LongAdder();

        Duration time() {
            return Duration.ofNanos(nanos.sum());
        }
    }

    /** @param disk owned from now on */
    public MeteredDisk(Disk disk) {
        this.disk = disk;
    }

    /** What has been asked so far. */
    public DiskStatistics statistics() {
        return new DiskStatistics(
                reads.requests.sum(),
                reads.bytes.sum(),
                reads.time(),
                writes.requests.sum(),
                writes.bytes.sum(),
                writes.time(),
                flushes.requests.sum(),
                flushes.time(),
                zeroes.requests.sum(),
                zeroes.bytes.sum(),
                errors.sum(),
                Duration.ofNanos(longest.get()));
    }

    private void count(Meter meter, long bytes, long begun, boolean done) {
        long nanos = System.nanoTime() - begun;
        longest.accumulate(nanos);
        meter.requests.increment();
        meter.nanos.add(nanos);
        if (done) {
            meter.bytes.add(bytes);
        } else {
            errors.increment();
        }
    }

    @Override
    public DiskTraits traits() {
        return disk.traits();
    }

    @Override
    public long size() {
        return disk.size();
    }

    @Override
    public void read(long offset, IoMemory into) {
        long begun = System.nanoTime();
        boolean done = false;
        try {
            disk.read(offset, into);
            done = true;
        } finally {
            count(reads, into.byteSize(), begun, done);
        }
    }

    @Override
    public void write(long offset, IoMemory from, boolean durable) {
        long begun = System.nanoTime();
        boolean done = false;
        try {
            disk.write(offset, from, durable);
            done = true;
        } finally {
            count(writes, from.byteSize(), begun, done);
        }
    }

    @Override
    public boolean tryRead(long offset, IoMemory into) {
        long begun = System.nanoTime();
        boolean done = disk.tryRead(offset, into);
        if (done) {
            count(reads, into.byteSize(), begun, true);
        }
        return done;
    }

    @Override
    public boolean tryWrite(long offset, IoMemory from) {
        long begun = System.nanoTime();
        boolean done = disk.tryWrite(offset, from);
        if (done) {
            count(writes, from.byteSize(), begun, true);
        }
        return done;
    }

    @Override
    public boolean beginRead(long offset, IoMemory into, IoEngine engine, IoEngine.Completion completion) {
        return disk.beginRead(offset, into, engine, counting(reads, completion));
    }

    @Override
    public boolean beginWrite(long offset, IoMemory from, IoEngine engine, IoEngine.Completion completion) {
        return disk.beginWrite(offset, from, engine, counting(writes, completion));
    }

    // What fails is done again, and counted then.
    private IoEngine.Completion counting(Meter meter, IoEngine.Completion completion) {
        long begun = System.nanoTime();
        return moved -> {
            if (moved >= 0) {
                count(meter, moved, begun, true);
            }
            completion.ended(moved);
        };
    }

    @Override
    public void flush() {
        long begun = System.nanoTime();
        boolean done = false;
        try {
            disk.flush();
            done = true;
        } finally {
            count(flushes, 0, begun, done);
        }
    }

    @Override
    public void zero(long offset, long length, boolean release) {
        long begun = System.nanoTime();
        boolean done = false;
        try {
            disk.zero(offset, length, release);
            done = true;
        } finally {
            count(zeroes, length, begun, done);
        }
    }

    @Override
    public Extent extent(long offset, long length) {
        return disk.extent(offset, length);
    }

    /** Counted as a read of this disk, and not of the other. */
    @Override
    public boolean copyTo(long offset, Disk target, long targetOffset, long length) {
        long begun = System.nanoTime();
        boolean done = disk.copyTo(offset, target, targetOffset, length);
        if (done) {
            count(reads, length, begun, true);
        }
        return done;
    }

    @Override
    public boolean showBacking(Predicate<Disk> to) {
        return disk.showBacking(to);
    }

    @Override
    public void close() {
        disk.close();
    }

    @Override
    public String toString() {
        return disk.toString();
    }
}
