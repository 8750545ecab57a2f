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
 * @param bytes allocated per operation, over all iterations
 */
record Pairs(String name, List<Pair> pairs, double bytes) {
    /** How sure the interval is. */
    private static final double CONFIDENCE = 0.95;

    /** Nanoseconds per operation of two measurements that followed each other. */
    record Pair(double ours, double theirs) {
        double ratio() {
            return ours / theirs;
        }

        double difference() {
            return ours - theirs;
        }
    }

    static Pairs of(RunResult result) {
        List<Pair> pairs = new ArrayList<>();
        double bytes = 0;
        int iterations = 0;
        for (BenchmarkResult fork : result.getBenchmarkResults()) {
            for (IterationResult one : fork.getIterationResults()) {
                pairs.add(new Pair(one.getPrimaryResult().getScore(), score(one, PeerProfiler.LABEL)));
                bytes += score(one, "gc.alloc.rate.norm");
                iterations++;
            }
        }
        return new Pairs(PeerProfiler.name(result.getParams()), List.copyOf(pairs), bytes / iterations);
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
        return new ListStatistics(pairs.stream().mapToDouble(of).toArray()).getPercentile(50);
    }

    double ours() {
        return median(Pair::ours);
    }

    double theirs() {
        return median(Pair::theirs);
    }

    double ratio() {
        return median(Pair::ratio);
    }

    double difference() {
        return median(Pair::difference);
    }

    /**
     * Where the median ratio lies with at least 95 % confidence, by the sign test: how many of as many fair coins show heads
     * says which of the sorted ratios bound it. It asks nothing of how they are distributed, so that a pair during which the
     * machine was busy elsewhere counts as one pair and no more.
     */
    double[] interval() {
        double[] ratios = pairs.stream().mapToDouble(Pair::ratio).sorted().toArray();
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
    double noise() {
        double median = theirs();
        return new ListStatistics(pairs.stream()
                        .mapToDouble(p -> Math.abs(p.theirs() / median - 1))
                        .toArray())
                .getPercentile(50);
    }
}
