package io.javisor.jmh;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Runs the benchmark's peer after each iteration, for as long, in a process of its own that lives as long as this JVM. Its
 * nanoseconds per operation are a secondary result of the iteration, {@value #LABEL}.
 *
 * <p>The program's path is the system property {@value #PROGRAM}.
 */
public final class PeerProfiler implements InternalProfiler {
    /** The secondary result's name. */
    public static final String LABEL = "peer";

    /** The system property. */
    public static final String PROGRAM = "javisor.jmh.peer";

    private @Nullable Peer peer;

    @Override
    public String getDescription() {
        return "The same in C, in turns";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        if (peer == null) {
            peer = Peer.start(name(benchmark));
        }
    }

    @Override
    public Collection<ScalarResult> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        Peer running = peer;
        if (running == null) {
            throw new IllegalStateException("an iteration ended that did not begin");
        }
        double nanos = running.measure(iteration.getTime().convertTo(java.util.concurrent.TimeUnit.NANOSECONDS));
        return List.of(new ScalarResult(LABEL, nanos, "ns/op", AggregationPolicy.AVG));
    }

    /** Class and method without the package. */
    static String name(BenchmarkParams benchmark) {
        String full = benchmark.getBenchmark();
        return full.substring(full.lastIndexOf('.', full.lastIndexOf('.') - 1) + 1);
    }
}
