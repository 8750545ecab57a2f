package io.javisor.jmh;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/** SCSI requests of 4 KiB one after the other to a VHDX. Beside it: {@code qemu-img bench} on its like, which can't do others. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 8, time = 1) // a deep call that is compiled late
@Measurement(iterations = 15, time = 400, timeUnit = TimeUnit.MILLISECONDS)
public class VhdxSequential {
    /** 32 at a time. */
    @Benchmark
    @OperationsPerInvocation(ScsiRequests.BATCH)
    public long readsDepth32(VhdxRequests.Vhdx vhdx) {
        return vhdx.run(ScsiRequests.BATCH);
    }

    /** 32 at a time. */
    @Benchmark
    @OperationsPerInvocation(ScsiRequests.BATCH)
    public long writesDepth32(VhdxRequests.Vhdx vhdx) {
        return vhdx.run(ScsiRequests.BATCH);
    }
}
