package io.javisor.jmh;

import io.javisor.storage.disk.ImageFormat;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * SCSI requests of 4 KiB from guest memory to a raw file in the host's memory, and back. One operation is one request. Beside it:
 * fio on the same file.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 8, time = 1) // a deep call that is compiled late
@Measurement(iterations = 15, time = 400, timeUnit = TimeUnit.MILLISECONDS)
public class ScsiRequests {
    static final int BATCH = 512;

    /** One after the other. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long randomReadsDepth1(Raw raw) {
        return raw.run(BATCH);
    }

    /** 32 at a time. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long randomReadsDepth32(Raw raw) {
        return raw.run(BATCH);
    }

    /** One after the other. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long randomWritesDepth1(Raw raw) {
        return raw.run(BATCH);
    }

    /** 32 at a time. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long randomWritesDepth32(Raw raw) {
        return raw.run(BATCH);
    }

    /** A way to a raw file. */
    @State(Scope.Thread)
    public static class Raw extends Way {
        /** Not open yet. */
        public Raw() {
            super(ImageFormat.RAW);
        }
    }

    /** A way to a file, for the load that the benchmark's method names. */
    @State(Scope.Thread)
    public abstract static class Way {
        private final ImageFormat format;
        private final ScsiPath.Adapter adapter;
        private @Nullable ScsiPath path;

        Way(ImageFormat format) {
            this(format, ScsiPath::controller);
        }

        Way(ImageFormat format, ScsiPath.Adapter adapter) {
            this.format = format;
            this.adapter = adapter;
        }

        /** Opens it. */
        @Setup
        public void open(BenchmarkParams benchmark) {
            String name = benchmark.getBenchmark();
            path = ScsiPath.to(
                    DiskFiles.image(format, "ours"), DiskLoad.of(name.substring(name.lastIndexOf('.') + 1)), adapter);
        }

        long run(int requests) {
            return Objects.requireNonNull(path).run(requests);
        }

        /** Closes it. */
        @TearDown
        public void close() {
            Objects.requireNonNull(path).close();
        }
    }
}
