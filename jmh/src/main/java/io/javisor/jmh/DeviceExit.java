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
 * From the guest through a machine's partition to a device and back: vCPU thread, counters, bus look-up among a dozen ranges,
 * device. The benchmark's thread only hands out batches.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 10, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 120, time = 25, timeUnit = TimeUnit.MILLISECONDS) // short: a pair shares the machine's mood
public class DeviceExit {
    /** The guest writes a device's port. */
    @Benchmark
    @OperationsPerInvocation(CountingDevice.BATCH)
    public void portWrite(PortWrite guest) {
        guest.batch();
    }

    /** The guest reads a device's port. */
    @Benchmark
    @OperationsPerInvocation(CountingDevice.BATCH)
    public void portRead(PortRead guest) {
        guest.batch();
    }

    /** The guest writes a device's register in memory. */
    @Benchmark
    @OperationsPerInvocation(CountingDevice.BATCH)
    public void mmioWrite(MmioWrite guest) {
        guest.batch();
    }

    /** The guest reads a device's register in memory. */
    @Benchmark
    @OperationsPerInvocation(CountingDevice.BATCH)
    public void mmioRead(MmioRead guest) {
        guest.batch();
    }

    /** {@code again: out 0x10, al; jmp again}. */
    @State(Scope.Thread)
    public static class PortWrite extends Guest {
        /** Makes it. */
        public PortWrite() {
            super(0xE6, 0x10, 0xEB, 0xFC);
        }
    }

    /** {@code again: in al, 0x10; jmp again}. */
    @State(Scope.Thread)
    public static class PortRead extends Guest {
        /** Makes it. */
        public PortRead() {
            super(0xE4, 0x10, 0xEB, 0xFC);
        }
    }

    /** {@code again: mov [rsi], al; jmp again}. */
    @State(Scope.Thread)
    public static class MmioWrite extends Guest {
        /** Makes it. */
        public MmioWrite() {
            super(0x88, 0x06, 0xEB, 0xFC);
        }
    }

    /** {@code again: mov al, [rsi]; jmp again}. */
    @State(Scope.Thread)
    public static class MmioRead extends Guest {
        /** Makes it. */
        public MmioRead() {
            super(0x8A, 0x06, 0xEB, 0xFC);
        }
    }

    /** A partition with a device that counts. */
    @State(Scope.Thread)
    public static class Guest {
        private final BenchmarkPartition partition;

        /** One with code in 64-bit mode; RSI is the address of the device's register. */
        Guest(int... code) {
            partition = new BenchmarkPartition(Code.bytes(code));
        }

        final void batch() {
            partition.device().awaitBatch();
        }

        /** Gives it back. */
        @TearDown
        public void close() {
            partition.close();
        }
    }
}
