package io.javisor.memory.simulation;

import io.javisor.memory.balancer.Balancer;
import io.javisor.memory.balancer.BalancingPolicy;
import io.javisor.memory.balancer.MachineClaim;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * A day on a host.
 *
 * @param label of the trace, for the report
 * @param workloads that the machines have, in turn
 * @param machines how many
 * @param hostBytes that they share
 * @param startup bytes that each begins with; minimum is a half of it, maximum four times
 * @param seconds simulated
 * @param period seconds between rounds
 * @param seed of everything that is drawn
 */
public record Simulation(
        String label,
        List<? extends Demand> workloads,
        int machines,
        long hostBytes,
        long startup,
        int seconds,
        int period,
        long seed) {
    private static final long GIB = 1L << 30;
    private static final long RECORDED_SEED = 6; // of when each machine runs what
    private static final int[] WEIGHTS = {1_000, 5_000, 9_000};

    /** Copies the list. */
    public Simulation {
        workloads = List.copyOf(workloads);
    }

    /**
     * What a day was like.
     *
     * @param policy that divided
     * @param shortfall of demand, in percent of it, over all machines and the whole day
     * @param shortfallByWeight the same for weights of 1,000, 5,000 and 9,000
     * @param waste what machines had beyond demand and buffer, in percent of the host
     * @param moved bytes that were given up or taken
     * @param reversals how often a machine's memory changed direction, a machine and hour
     * @param overcommitted seconds in which machines had more than there is
     */
    public record Report(
            String policy,
            double shortfall,
            List<Double> shortfallByWeight,
            double waste,
            long moved,
            double reversals,
            int overcommitted) {
        /** Copies the list. */
        public Report {
            shortfallByWeight = List.copyOf(shortfallByWeight);
        }
    }

    /**
     * Lives through the day.
     *
     * @param name of the policy
     */
    public Report run(String name, BalancingPolicy policy) {
        List<SimulatedMachine> all = populate();
        var balancer = new Balancer(policy, period);
        double demanded = 0;
        double lacking = 0;
        double wasted = 0;
        double[] demandedBy = new double[WEIGHTS.length];
        double[] lackingBy = new double[WEIGHTS.length];
        long moved = 0;
        long reversals = 0;
        int overcommitted = 0;
        int[] direction = new int[machines];
        long[] capacity = {hostBytes};
        for (int second = 0; second < seconds; second += period) {
            var claims = new ArrayList<MachineClaim>(machines);
            for (SimulatedMachine m : all) {
                claims.add(m.observe(second, false));
            }
            List<Balancer.Target> targets = balancer.round(capacity, claims);
            long sum = 0;
            for (int i = 0; i < machines; i++) {
                SimulatedMachine m = all.get(i);
                int w = i % WEIGHTS.length;
                demanded += m.demand;
                demandedBy[w] += m.demand;
                lacking += m.shortfall();
                lackingBy[w] += m.shortfall();
                wasted += m.waste();
                long before = m.assigned;
                moved += m.move(targets.get(i).bytes(), period);
                int sign = Long.signum(m.assigned - before);
                if (sign != 0) {
                    reversals += direction[i] == -sign ? 1 : 0;
                    direction[i] = sign;
                }
                sum += m.assigned;
            }
            overcommitted += sum > hostBytes ? period : 0;
        }
        var byWeight = new ArrayList<Double>();
        for (int w = 0; w < WEIGHTS.length; w++) {
            byWeight.add(100 * lackingBy[w] / demandedBy[w]);
        }
        double rounds = (double) seconds / period;
        return new Report(
                name,
                100 * lacking / demanded,
                byWeight,
                100 * wasted / rounds / hostBytes,
                moved,
                reversals / (seconds / 3600.0) / machines,
                overcommitted);
    }

    private List<SimulatedMachine> populate() {
        var random = new SplittableRandom(seed);
        var all = new ArrayList<SimulatedMachine>();
        for (int i = 0; i < machines; i++) {
            all.add(new SimulatedMachine(
                    i,
                    startup / 2,
                    startup,
                    4 * startup,
                    WEIGHTS[i % WEIGHTS.length],
                    workloads.get(i / WEIGHTS.length % workloads.size()),
                    random.nextLong()));
        }
        return all;
    }

    /**
     * The standard days: machines of 1 GiB to 4 GiB, four synthetic kinds of demand each on a host of 2 GiB a machine, all of them
     * together on a short host, and the recorded ones.
     *
     * @param machines how many on each day
     * @param seconds simulated
     * @param period seconds between rounds
     */
    public static List<Simulation> standard(int machines, int seconds, int period) {
        var all = new ArrayList<Simulation>();
        long seed = 1;
        for (Workload kind : Workload.values()) {
            all.add(day(
                    kind.name().toLowerCase(Locale.ROOT),
                    List.of(kind),
                    machines,
                    2 * GIB * machines,
                    seconds,
                    period,
                    seed++));
        }
        all.add(day(
                "all of them, short host",
                List.of(Workload.values()),
                machines,
                3 * GIB * machines / 2,
                seconds,
                period,
                seed++));
        all.add(recorded(RecordedDemand.all(), machines, seconds, period));
        return List.copyOf(all);
    }

    /** A day of recorded demand on a host of 1.25 GiB a machine. */
    public static Simulation recorded(List<RecordedDemand> of, int machines, int seconds, int period) {
        return day("recorded", of, machines, 5 * GIB * machines / 4, seconds, period, RECORDED_SEED);
    }

    private static Simulation day(
            String name, List<? extends Demand> of, int machines, long host, int seconds, int period, long seed) {
        return new Simulation(name + ", seed " + seed, of, machines, host, GIB, seconds, period, seed);
    }
}
