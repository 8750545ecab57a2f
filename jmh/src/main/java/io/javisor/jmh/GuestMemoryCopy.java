package io.javisor.jmh;

import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.linux.PageSize;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a device does with guest memory: looks an address up among two regions, checks it, and reads, writes or copies. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 10, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 120, time = 25, timeUnit = TimeUnit.MILLISECONDS) // short: a pair shares the machine's mood
public class GuestMemoryCopy {
    private static final long REGION = 64L << 20;
    private static final long HIGH = 1L << 32;
    private static final int ROUNDS = 1024;
    private static final int COPIES = 64;
    private static final long STRIDE = 0x1F1F8; // odd times 8, so that accesses spread
    private static final long SPREAD = 256 << 10;

    private static long address(long round) {
        return ((round & 1) != 0 ? HIGH : 0) + (round * STRIDE & (SPREAD - 8));
    }

    /** Eight bytes out. */
    @Benchmark
    @OperationsPerInvocation(ROUNDS)
    public long getLong(Guest guest) {
        GuestMemory memory = guest.memory;
        long sum = 0;
        for (int i = 0; i < ROUNDS; i++) {
            sum += memory.getLong(address(i));
        }
        return sum;
    }

    /** Eight bytes in. */
    @Benchmark
    @OperationsPerInvocation(ROUNDS)
    public void putLong(Guest guest) {
        GuestMemory memory = guest.memory;
        for (int i = 0; i < ROUNDS; i++) {
            memory.putLong(address(i), i);
        }
    }

    /** A page out. */
    @Benchmark
    @OperationsPerInvocation(COPIES)
    public void read4KiB(Guest guest) {
        read(guest.memory, guest.page);
    }

    /** A page in. */
    @Benchmark
    @OperationsPerInvocation(COPIES)
    public void write4KiB(Guest guest) {
        write(guest.memory, guest.page);
    }

    /** 16 pages out. */
    @Benchmark
    @OperationsPerInvocation(COPIES)
    public void read64KiB(Guest guest) {
        read(guest.memory, guest.pages);
    }

    /** 16 pages in. */
    @Benchmark
    @OperationsPerInvocation(COPIES)
    public void write64KiB(Guest guest) {
        write(guest.memory, guest.pages);
    }

    private static void read(GuestMemory memory, MemorySegment into) {
        for (int i = 0; i < COPIES; i++) {
            memory.read(address(i), into);
        }
    }

    private static void write(GuestMemory memory, MemorySegment from) {
        for (int i = 0; i < COPIES; i++) {
            memory.write(address(i), from);
        }
    }

    /** Two regions of 64 MiB, as below and above the hole at 4 GiB. */
    @State(Scope.Thread)
    public static class Guest {
        private final MemfdBacking low = MemfdBacking.reserve("low", REGION, PageSize.KIB_4);
        private final MemfdBacking high = MemfdBacking.reserve("high", REGION, PageSize.KIB_4);
        private final GuestMemory memory = new GuestMemory();
        private final MemorySegment page = MemorySegment.ofArray(new byte[4096]);
        private final MemorySegment pages = MemorySegment.ofArray(new byte[65536]);

        /** Touches all of it. */
        public Guest() {
            low.segment().fill((byte) 1);
            high.segment().fill((byte) 1);
            memory.add(new MemoryRegion(0, REGION, 0, low, 0));
            memory.add(new MemoryRegion(HIGH, REGION, 0, high, 0));
        }

        /** Gives it back. */
        @TearDown
        public void close() {
            low.close();
            high.close();
        }
    }
}
