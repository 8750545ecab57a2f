package io.javisor.jmh;

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

/**
 * Memory that a guest gives up and gets back, through the dynamic memory device: requests, answers, books, holes punched in the
 * memory file, and pages made present again. One operation is one MiB, there and back.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 10, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 150, timeUnit = TimeUnit.MILLISECONDS) // short: a pair shares the machine's mood
public class BalloonMoves {
    private static final int MANY = 64;
    private static final int FEW = 16;

    /** 64 MiB in pieces of 2 MiB side by side, as a guest gives up huge pages. */
    @Benchmark
    @OperationsPerInvocation(MANY)
    public long hugePages(Huge of) {
        return of.move(MANY);
    }

    /** 16 MiB in pages of 4 KiB, no two side by side. */
    @Benchmark
    @OperationsPerInvocation(FEW)
    public long singlePages(Single of) {
        return of.move(FEW);
    }

    /** Huge pages. */
    @State(Scope.Thread)
    public static class Huge extends Mover {
        /** A guest that is connected. */
        public Huge() {
            super(512, 512);
        }
    }

    /** Every other page. */
    @State(Scope.Thread)
    public static class Single extends Mover {
        /** A guest that is connected. */
        public Single() {
            super(1, 2);
        }
    }

    /** A guest of 256 MiB. */
    @State(Scope.Thread)
    public abstract static class Mover {
        private final BalloonGuest guest;

        Mover(long rangePages, long stride) {
            guest = new BalloonGuest(rangePages, stride);
        }

        long move(long mib) {
            guest.target(BalloonGuest.MEMORY - (mib << 20));
            long low = guest.resident();
            if (low > BalloonGuest.MEMORY - (mib << 20)) {
                throw new IllegalStateException(low + " bytes are the host's yet");
            }
            guest.target(BalloonGuest.MEMORY);
            return low;
        }

        /** The guest ends. */
        @TearDown
        public void close() {
            guest.close();
        }
    }
}
