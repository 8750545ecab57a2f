package io.javisor.jmh.alone;

import io.javisor.jmh.BalloonGuest;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * How much memory a second the device takes from a guest that gives it at once, holes punched, and gives back to it, made present
 * first; and what a machine costs that does neither. An operation of the first two is 64 MiB in huge pages, or 16 MiB in single ones: 16 or
 * 64 a second are a GiB a second.
 */
@OutputTimeUnit(TimeUnit.SECONDS)
public class BalloonThroughput {
    /** As much as goes in one request: 64 MiB in huge pages, 16 MiB in single ones. */
    private static long some(int pages) {
        return (pages == 1 ? 16L : 64L) << 20;
    }

    /** The guest gives memory up: what the host has back. */
    @Benchmark
    @BenchmarkMode(Mode.Throughput)
    public long balloon(Full of) {
        of.guest.target(BalloonGuest.MEMORY - some(of.pages));
        return of.guest.resident();
    }

    /** The guest has it again. */
    @Benchmark
    @BenchmarkMode(Mode.Throughput)
    public long unballoon(Empty of) {
        of.guest.target(BalloonGuest.MEMORY);
        return of.guest.resident();
    }

    /** A report of the guest, and a second of the device's: what a machine at rest costs, once a second. */
    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    @OutputTimeUnit(TimeUnit.MICROSECONDS)
    public long secondAtRest(Resting of) {
        of.guest.second();
        return of.guest.resident();
    }

    /** A guest that has all of its memory. */
    @State(Scope.Thread)
    public static class Full {
        /** Pages that lie together in what it gives up. */
        @Param({"512", "1"})
        public int pages;

        private BalloonGuest guest = new BalloonGuest(512, 512);

        /** Connects. */
        @Setup
        public void begin() {
            guest.close();
            guest = new BalloonGuest(pages, pages == 1 ? 2 : pages);
        }

        /** Has all again. */
        @Setup(Level.Invocation)
        public void fill() {
            guest.target(BalloonGuest.MEMORY);
        }

        /** Ends. */
        @TearDown
        public void close() {
            guest.close();
        }
    }

    /** A guest that has given some up. */
    @State(Scope.Thread)
    public static class Empty {
        /** Pages that lie together in what it gave up. */
        @Param({"512", "1"})
        public int pages;

        private BalloonGuest guest = new BalloonGuest(512, 512);

        /** Connects. */
        @Setup
        public void begin() {
            guest.close();
            guest = new BalloonGuest(pages, pages == 1 ? 2 : pages);
        }

        /** Gives some up again. */
        @Setup(Level.Invocation)
        public void giveUp() {
            guest.target(BalloonGuest.MEMORY - some(pages));
        }

        /** Ends. */
        @TearDown
        public void close() {
            guest.close();
        }
    }

    /** A guest of which nothing is asked. */
    @State(Scope.Thread)
    public static class Resting {
        private final BalloonGuest guest = new BalloonGuest(512, 512);

        /** Ends. */
        @TearDown
        public void close() {
            guest.close();
        }
    }
}
