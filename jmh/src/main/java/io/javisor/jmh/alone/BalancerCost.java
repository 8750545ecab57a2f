package io.javisor.jmh.alone;

import io.javisor.memory.balancer.Balancer;
import io.javisor.memory.balancer.BalancingPolicy;
import io.javisor.memory.balancer.MachineClaim;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What a round of the balancer costs, with demand that changes from round to round, on a host that has less than is wanted. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Thread)
public class BalancerCost {
    private static final long GIB = 1L << 30;
    private static final int ROUNDS = 32; // different ones

    /** Machines on the host. */
    @Param({"16", "128", "1024"})
    public int machines;

    /** NUMA nodes of the host; a machine has as many, each bound to one. */
    @Param({"1", "4"})
    public int nodes;

    private final List<List<MachineClaim>> rounds = new ArrayList<>();
    private long[] capacity = {};
    private Balancer balancer = new Balancer(BalancingPolicy.weightedFair());
    private int next;

    /** Draws demand. */
    @Setup
    public void draw() {
        var random = new SplittableRandom(1);
        balancer = new Balancer(BalancingPolicy.weightedFair());
        capacity = new long[nodes];
        java.util.Arrays.fill(capacity, 3 * GIB * machines / 2 / nodes);
        rounds.clear();
        for (int r = 0; r < ROUNDS; r++) {
            var claims = new ArrayList<MachineClaim>();
            for (int m = 0; m < machines; m++) {
                long assigned = GIB + random.nextLong(GIB / 2);
                var parts = new ArrayList<MachineClaim.Node>();
                for (int n = 0; n < nodes; n++) {
                    parts.add(new MachineClaim.Node(n, 4 * GIB / nodes, assigned / nodes));
                }
                claims.add(new MachineClaim(
                        m,
                        GIB / 2,
                        4 * GIB,
                        20,
                        random.nextInt(10_001),
                        random.nextLong(GIB / 4, 3 * GIB),
                        assigned,
                        parts));
            }
            rounds.add(claims);
        }
    }

    /** One round. */
    @Benchmark
    public List<Balancer.Target> round() {
        next = next + 1 == ROUNDS ? 0 : next + 1;
        return balancer.round(capacity, rounds.get(next));
    }
}
