package io.javisor.jmh;

import io.javisor.storage.disk.ImageFormat;
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
import org.openjdk.jmh.annotations.Warmup;

/** {@link ScsiRequests} by a Fibre Channel adapter at a software SAN. Beside it: the same by a SCSI controller, in the same JVM. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 8, time = 1) // a deep call that is compiled late
@Measurement(iterations = 40, time = 100, timeUnit = TimeUnit.MILLISECONDS) // short: a pair shares the machine's mood
public class FibreChannelRequests {
    /** 32 at a time. */
    @Benchmark
    @OperationsPerInvocation(ScsiRequests.BATCH)
    public long randomReadsDepth32(Volume volume) {
        return volume.run(ScsiRequests.BATCH);
    }

    /** 32 at a time. */
    @Benchmark
    @OperationsPerInvocation(ScsiRequests.BATCH)
    public long randomWritesDepth32(Volume volume) {
        return volume.run(ScsiRequests.BATCH);
    }

    /** A way to a volume that is a raw file. */
    @State(Scope.Thread)
    public static class Volume extends ScsiRequests.Way {
        /** Not open yet. */
        public Volume() {
            super(ImageFormat.RAW, FibreChannelPath::adapter);
        }
    }
}
