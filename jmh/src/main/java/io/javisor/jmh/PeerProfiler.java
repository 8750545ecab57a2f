package io.javisor.jmh;

import io.javisor.linux.ProcessorTime;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Runs the benchmark's peer after each iteration, for as long, in a process of its own that lives as long as this JVM. What
 * an operation took it is a secondary result of the iteration, {@value #ELAPSED} and {@value #PROCESSOR}, and so is the processor
 * time that it took here, {@value #OWN_PROCESSOR}, and what was allocated, {@value #ALLOCATED}.
 *
 * <p>The program's path is the system property {@value #PROGRAM}.
 */
public final class PeerProfiler implements InternalProfiler {
    /** Secondary result: nanoseconds that the peer took. */
    public static final String ELAPSED = "peer";

    /** Secondary result: nanoseconds that the peer's threads were on a processor. */
    public static final String PROCESSOR = "peer.cpu";

    /** Secondary result: nanoseconds that the threads that do the work were on a processor. */
    public static final String OWN_PROCESSOR = "cpu";

    /** The system property. */
    public static final String PROGRAM = "javisor.jmh.peer";

    /** Secondary result: bytes that the threads allocated that do the work. */
    public static final String ALLOCATED = "workers.alloc";

    private @Nullable Peer peer;
    private long allocatedBefore;
    private long processorBefore;

    @Override
    public String getDescription() {
        return "The same in C, in turns";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        if (peer == null) {
            peer = Peer.start(name(benchmark));
        }
        allocatedBefore = Workers.allocatedBytes();
        processorBefore = processorNanos(benchmark);
    }

    @Override
    public Collection<ScalarResult> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        double processor = processorNanos(benchmark) - processorBefore;
        double allocated = Workers.allocatedBytes() - allocatedBefore;
        Peer running = peer;
        if (running == null) {
            throw new IllegalStateException("an iteration ended that did not begin");
        }
        Cost cost = running.measure(iteration.getTime().convertTo(TimeUnit.NANOSECONDS));
        return List.of(
                result(ELAPSED, cost.elapsed()),
                result(PROCESSOR, cost.processor()),
                result(OWN_PROCESSOR, processor / result.getMetadata().getAllOps()),
                new ScalarResult(
                        ALLOCATED, allocated / result.getMetadata().getAllOps(), "B/op", AggregationPolicy.AVG));
    }

    /** Of the threads that do the work; of all where a benchmark's operation makes threads that end with it. */
    private static long processorNanos(BenchmarkParams benchmark) {
        return Aims.measure(name(benchmark)) == Pairs.Measure.ELAPSED
                ? ProcessorTime.ofProcess()
                : Workers.processorNanos();
    }

    private static ScalarResult result(String label, double nanos) {
        return new ScalarResult(label, nanos, "ns/op", AggregationPolicy.AVG);
    }

    /** Class and method without the package. */
    static String name(BenchmarkParams benchmark) {
        String full = benchmark.getBenchmark();
        return full.substring(full.lastIndexOf('.', full.lastIndexOf('.') - 1) + 1);
    }
}
