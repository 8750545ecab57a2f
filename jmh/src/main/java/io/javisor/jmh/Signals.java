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
 * A signal's way: an event flag and SINT to the guest's interrupt handler, HvSignalEvent to the reactor's callback, and both.
 * Needs KVM's Hyper-V enlightenments.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 20, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class Signals {
    private static final int BATCH = 256;

    /** To the guest, which signals back. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void roundTrip(RoundTrip guest) {
        guest.batch();
    }

    /** To the guest, seen in a word that its handler writes. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void toGuest(ToGuest guest) {
        guest.batch();
    }

    /** From the guest, which waits for a word. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void toHost(ToHost guest) {
        guest.batch();
    }

    /** Answers. */
    @State(Scope.Thread)
    public static class RoundTrip extends Guest {
        /** Makes it. */
        public RoundTrip() {
            super(SignalGuest.Way.ROUND_TRIP);
        }
    }

    /** Counts. */
    @State(Scope.Thread)
    public static class ToGuest extends Guest {
        /** Makes it. */
        public ToGuest() {
            super(SignalGuest.Way.TO_GUEST);
        }
    }

    /** Signals. */
    @State(Scope.Thread)
    public static class ToHost extends Guest {
        /** Makes it. */
        public ToHost() {
            super(SignalGuest.Way.TO_HOST);
        }
    }

    /** A guest with a SynIC. */
    @State(Scope.Thread)
    public static class Guest {
        private final SignalGuest guest;

        /** One that does this. */
        Guest(SignalGuest.Way way) {
            guest = new SignalGuest(way);
        }

        final void batch() {
            guest.batch(BATCH);
        }

        /** Gives it back. */
        @TearDown
        public void close() {
            guest.close();
        }
    }
}
