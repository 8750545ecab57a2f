package io.javisor.memory.simulation;

import io.javisor.memory.balancer.MachineClaim;
import java.util.List;

/** One guest of a simulation: demand from its workload, memory that moves at a limited speed. */
final class SimulatedMachine {
    /** What a guest gives up and takes in a second: 256 MiB, as a small guest does. */
    private static final long SPEED = 256L << 20;

    private static final long GRANULE = 2L << 20;

    final int weight;
    private final long id;
    private final long minimum;
    private final long maximum;
    private final Demand workload;
    private final Nature nature;
    long assigned;
    long demand;

    SimulatedMachine(long id, long minimum, long startup, long maximum, int weight, Demand workload, long seed) {
        this.id = id;
        this.minimum = minimum;
        this.maximum = maximum;
        this.weight = weight;
        this.workload = workload;
        nature = new Nature(seed);
        assigned = startup;
    }

    MachineClaim observe(int second, boolean fixed) {
        demand = (long) (maximum * Math.clamp(workload.demand(second, nature), 0.02, 1.0));
        return new MachineClaim(
                id,
                minimum,
                fixed ? assigned : maximum,
                20,
                weight,
                demand,
                assigned,
                List.of(new MachineClaim.Node(0, maximum, assigned)));
    }

    /** A second passes; returns the bytes that moved. */
    long move(long target, int seconds) {
        // A guest does not give up what its programs use.
        long goal = target >= assigned ? target : Math.max(target, Math.min(assigned, demand));
        long step = Math.clamp(goal - assigned, -SPEED * seconds, SPEED * seconds) / GRANULE * GRANULE;
        assigned += step;
        return Math.abs(step);
    }

    long shortfall() {
        return Math.max(0, demand - assigned);
    }

    long waste() {
        return Math.max(0, assigned - Math.max(minimum, (long) (demand * 1.2)));
    }
}
