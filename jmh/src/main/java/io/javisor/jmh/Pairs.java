package io.javisor.jmh;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.ListStatistics;

/**
 * A benchmark's iterations, each with its peer's.
 *
 * @param name class and method
 * @param pairs ours and theirs, in the order in which they ran
 * @param bytes allocated per operation, the median of the iterations
 */
record Pairs(String name, List<Pair> pairs, double bytes) {
    /** How sure the interval is. */
    private static final double CONFIDENCE = 0.95;

    /** Two measurements that followed each other. */
    record Pair(Cost ours, Cost theirs) {}

    /** Which of the times counts. */
    enum Measure {
        ELAPSED,
        PROCESSOR;

        double of(Cost cost) {
            return this == ELAPSED ? cost.elapsed() : cost.processor();
        }

        double ratio(Pair pair) {
            return of(pair.ours) / of(pair.theirs);
        }

        double difference(Pair pair) {
            return of(pair.ours) - of(pair.theirs);
        }
    }

    static Pairs of(RunResult result) {
        List<Pair> pairs = new ArrayList<>();
        List<Double> bytes = new ArrayList<>();
        // A machine's own threads end with it, so that all of the JVM's are looked at.
        String allocated = Aims.measure(PeerProfiler.name(result.getParams())) == Measure.ELAPSED
                ? "gc.alloc.rate.norm"
                : PeerProfiler.ALLOCATED;
        for (BenchmarkResult fork : result.getBenchmarkResults()) {
            for (IterationResult one : fork.getIterationResults()) {
                pairs.add(new Pair(
                        new Cost(one.getPrimaryResult().getScore(), score(one, PeerProfiler.OWN_PROCESSOR)),
                        new Cost(score(one, PeerProfiler.ELAPSED), score(one, PeerProfiler.PROCESSOR))));
                bytes.add(score(one, allocated));
            }
        }
        return new Pairs(PeerProfiler.name(result.getParams()), List.copyOf(pairs), median(bytes));
    }

    private static double score(IterationResult of, String label) {
        Result<?> found = of.getSecondaryResults().get(label);
        if (found == null) {
            throw new IllegalStateException(
                    "no " + label + " among " + of.getSecondaryResults().keySet());
        }
        return found.getScore();
    }

    private double median(ToDoubleFunction<Pair> of) {
        return median(pairs.stream().map(of::applyAsDouble).toList());
    }

    private static double median(List<Double> values) {
        return new ListStatistics(values.stream().mapToDouble(d -> d).toArray()).getPercentile(50);
    }

    double ours(Measure measure) {
        return median(p -> measure.of(p.ours));
    }

    double theirs(Measure measure) {
        return median(p -> measure.of(p.theirs));
    }

    double ratio(Measure measure) {
        return median(measure::ratio);
    }

    double difference(Measure measure) {
        return median(measure::difference);
    }

    /**
     * Where the median ratio lies with at least 95 % confidence, by the sign test: how many of as many fair coins show heads
     * says which of the sorted ratios bound it. It asks nothing of how they are distributed, so that a pair during which the
     * machine was busy elsewhere counts as one pair and no more.
     */
    double[] interval(Measure measure) {
        double[] ratios = pairs.stream().mapToDouble(measure::ratio).sorted().toArray();
        int n = ratios.length;
        double term = Math.pow(0.5, n); // of exactly k heads
        double tail = term;
        int k = 0;
        while (k + 1 < n / 2) {
            term *= (double) (n - k) / (k + 1);
            if (tail + term > (1 - CONFIDENCE) / 2) {
                break;
            }
            tail += term;
            k++;
        }
        return new double[] {ratios[k], ratios[n - 1 - k]};
    }

    /** How much a run of the same C program differs from its own median: half of the runs differ by less. */
    double noise(Measure measure) {
        double median = theirs(measure);
        return new ListStatistics(pairs.stream()
                        .mapToDouble(p -> Math.abs(measure.of(p.theirs) / median - 1))
                        .toArray())
                .getPercentile(50);
    }
}
