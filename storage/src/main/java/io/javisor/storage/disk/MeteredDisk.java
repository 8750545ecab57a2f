package io.javisor.storage.disk;

import java.time.Duration;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Counts and times what another disk is asked. Closing it closes that disk. */
public final class MeteredDisk implements Disk {
    /** A request that takes longer is a stall: several times what a disk with moving parts takes for the slowest. */
    public static final Duration STALL = Duration.ofMillis(100);

    private static final long STALL_NANOS = STALL.toNanos();

    private final Disk disk;
    private final Meter reads = new Meter("read");
    private final Meter writes = new Meter("write");
    private final Meter flushes = new Meter("flush");
    private final Meter zeroes = new Meter("zero");
    private final LongAdder errors = new LongAdder();
    private final LongAccumulator longest = new LongAccumulator(Math::max, 0);
    private final LongAdder missesBefore = new LongAdder();
    private volatile @Nullable MinimumWatch minimum;
    private volatile Consumer<Stall> stalls = _ -> {};

    /**
     * A request that took the disk {@link #STALL} or longer.
     *
     * @param operation {@code read}, {@code write}, {@code flush} or {@code zero}
     * @param nanos how long
     * @param done false if it failed
     */
    public record Stall(String operation, long nanos, boolean done) {}

    private static final class Meter {
        final String operation;
        final LongAdder requests = new LongAdder();
        final LongAdder bytes = new LongAdder();
        final LongAdder nanos = new LongAdder();

        Meter(String operation) {
            this.operation = operation;
        }

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
        MinimumWatch watch = minimum;
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
                Duration.ofNanos(longest.get()),
                watch != null && watch.isBelow(),
                missesBefore.sum() + (watch == null ? 0 : watch.misses()));
    }

    /**
     * Says how many requests a second it should do when it is asked all the time: see {@link IoLimits}.
     *
     * @param iops at least; 0 to watch no more
     * @param changed hears, on whatever thread finds out, that it has begun to do less, or does no less any more; must not wait
     */
    public void setMinimum(long iops, Consumer<Boolean> changed) {
        MinimumWatch before = minimum;
        minimum = iops == 0 ? null : new MinimumWatch(iops, System::nanoTime, changed::accept);
        if (before != null) {
            missesBefore.add(before.misses());
        }
    }

    /** Tells of requests that stall, at their end, on whatever thread that is; must not wait. */
    public void onStall(Consumer<Stall> listener) {
        stalls = listener;
    }

    /** Begins a request for the watch that there is now, which also hears of its end. */
    private @Nullable MinimumWatch enter() {
        MinimumWatch watch = minimum;
        if (watch != null) {
            watch.begin();
        }
        return watch;
    }

    /** Ends a request that was not done; somebody does it again. */
    private static void leave(@Nullable MinimumWatch watch) {
        if (watch != null) {
            watch.end(-1);
        }
    }

    private void count(Meter meter, long bytes, long begun, boolean done, @Nullable MinimumWatch watch) {
        long nanos = System.nanoTime() - begun;
        longest.accumulate(nanos);
        meter.requests.increment();
        meter.nanos.add(nanos);
        if (done) {
            meter.bytes.add(bytes);
        } else {
            errors.increment();
        }
        if (watch != null) {
            watch.end(done ? bytes : -1);
        }
        if (nanos >= STALL_NANOS) {
            stalls.accept(new Stall(meter.operation, nanos, done));
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
        MinimumWatch watch = enter();
        long begun = System.nanoTime();
        boolean done = false;
        try {
            disk.read(offset, into);
            done = true;
        } finally {
            count(reads, into.byteSize(), begun, done, watch);
        }
    }

    @Override
    public void write(long offset, IoMemory from, boolean durable) {
        MinimumWatch watch = enter();
        long begun = System.nanoTime();
        boolean done = false;
        try {
            disk.write(offset, from, durable);
            done = true;
        } finally {
            count(writes, from.byteSize(), begun, done, watch);
        }
    }

    @Override
    public boolean tryRead(long offset, IoMemory into) {
        MinimumWatch watch = enter();
        long begun = System.nanoTime();
        boolean done = disk.tryRead(offset, into);
        if (done) {
            count(reads, into.byteSize(), begun, true, watch);
        } else {
            leave(watch);
        }
        return done;
    }

    @Override
    public boolean tryWrite(long offset, IoMemory from) {
        MinimumWatch watch = enter();
        long begun = System.nanoTime();
        boolean done = disk.tryWrite(offset, from);
        if (done) {
            count(writes, from.byteSize(), begun, true, watch);
        } else {
            leave(watch);
        }
        return done;
    }

    @Override
    public boolean beginRead(long offset, IoMemory into, IoEngine engine, IoEngine.Completion completion) {
        MinimumWatch watch = enter();
        return begun(disk.beginRead(offset, into, engine, counting(reads, completion, watch)), watch);
    }

    @Override
    public boolean beginWrite(long offset, IoMemory from, IoEngine engine, IoEngine.Completion completion) {
        MinimumWatch watch = enter();
        return begun(disk.beginWrite(offset, from, engine, counting(writes, completion, watch)), watch);
    }

    private static boolean begun(boolean has, @Nullable MinimumWatch watch) {
        if (!has) {
            leave(watch);
        }
        return has;
    }

    // What fails is done again, and counted then.
    private IoEngine.Completion counting(Meter meter, IoEngine.Completion completion, @Nullable MinimumWatch watch) {
        long begun = System.nanoTime();
        return moved -> {
            if (moved >= 0) {
                count(meter, moved, begun, true, watch);
            } else {
                leave(watch);
            }
            completion.ended(moved);
        };
    }

    @Override
    public void flush() {
        MinimumWatch watch = enter();
        long begun = System.nanoTime();
        boolean done = false;
        try {
            disk.flush();
            done = true;
        } finally {
            count(flushes, 0, begun, done, watch);
        }
    }

    @Override
    public void zero(long offset, long length, boolean release) {
        MinimumWatch watch = enter();
        long begun = System.nanoTime();
        boolean done = false;
        try {
            disk.zero(offset, length, release);
            done = true;
        } finally {
            count(zeroes, length, begun, done, watch);
        }
    }

    @Override
    public Extent extent(long offset, long length) {
        return disk.extent(offset, length);
    }

    /** Counted as a read of this disk, and not of the other. */
    @Override
    public boolean copyTo(long offset, Disk target, long targetOffset, long length) {
        MinimumWatch watch = enter();
        long begun = System.nanoTime();
        boolean done = disk.copyTo(offset, target, targetOffset, length);
        if (done) {
            count(reads, length, begun, true, watch);
        } else {
            leave(watch);
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
