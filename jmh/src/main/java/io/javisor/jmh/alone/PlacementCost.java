package io.javisor.jmh.alone;

import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.placement.HostLoad;
import io.javisor.numa.placement.PlacementPlan;
import io.javisor.numa.placement.PlacementPlanner;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What one more machine's plan costs on a host of eight nodes that has so many machines already. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Thread)
public class PlacementCost {
    private static final int HOST_NODES = 8;
    private static final int CPUS = 64;
    private static final long MEMORY = 1L << 40;

    /** Machines that are there. */
    @Param({"0", "100", "1000"})
    public int machines;

    /** Nodes of the machine that comes. */
    @Param({"1", "4"})
    public int nodes;

    private HostLoad load = even();
    private NumaTopology next = guest(1, 0);

    /** Places the machines that are there. */
    @Setup
    public void fill() {
        load = even();
        for (int i = 0; i < machines; i++) {
            load = load.plus(PlacementPlanner.plan(load, guest(1 + i % 4, i)));
        }
        next = guest(nodes, machines);
    }

    /** Plans one more. */
    @Benchmark
    public PlacementPlan plan() {
        return PlacementPlanner.plan(load, next);
    }

    private static NumaTopology guest(int nodes, int seed) {
        return NumaTopology.of(t -> {
            for (int n = 0; n < nodes; n++) {
                t.node(x -> x.vcpus(1 + seed % 3).memory((1L + seed % 4) << 30));
            }
        });
    }

    private static HostLoad even() {
        var hosts = new ArrayList<HostLoad.Node>();
        var distances = new ArrayList<List<Integer>>();
        for (int n = 0; n < HOST_NODES; n++) {
            hosts.add(new HostLoad.Node(n, CpuSet.range(n * CPUS, (n + 1) * CPUS), MEMORY, Map.of(), 0));
            var row = new ArrayList<Integer>();
            for (int m = 0; m < HOST_NODES; m++) {
                row.add(n == m ? 10 : n / 4 == m / 4 ? 21 : 31);
            }
            distances.add(row);
        }
        return new HostLoad(hosts, distances);
    }
}
