package io.javisor.memory.balancer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Rounds of balancing: asks a policy who shall have what, and moves there steadily. Growth happens at once, as far as memory is
 * there; shrinking only when less has been wanted for a while, and in steps. So a machine whose need goes up and down keeps
 * what it needs at the top, and nothing is promised twice. Deterministic; not safe for several threads.
 */
public final class Balancer {
    /**
     * Seconds for which less must be wanted before memory is taken. What is no longer needed shall be back within a
     * minute, and it comes in three goes: a guest's driver wants a floor that grows with its memory, so that what it wants falls
     * again when it has given up some. Three times ten seconds, and ten for the steps, leave a third of the minute to the guest.
     */
    public static final int STEADY_SECONDS = 10;

    /** A machine gives up a quarter of its memory in a second at most, and at least {@link #LEAST_STEP}: most of 3 GiB in nine. */
    private static final double STEP_KEEPS = 0.75;

    private static final long LEAST_STEP = 128L << 20;

    /** Memory beyond what is wanted that is not worth moving: 1/16, at least 16 MiB. */
    private static final int SLACK_PART = 16;

    private static final long LEAST_SLACK = 16L << 20;

    /** The same soon after the machine grew, as its need goes up and down: 1/6, for half of the minute. */
    private static final int LIVELY_PART = 6;

    private static final int CALM_SECONDS = 30;

    /**
     * A machine whose need rises has at least so many seconds of that rise as its buffer, up to {@link #MOST_LEAD}: a report may be a
     * second old, a round another, and memory takes one or two to arrive. Its percentage alone is little for small machines.
     */
    private static final int LEAD_SECONDS = 4;

    private static final long MOST_LEAD = 256L << 20;

    private static final long GRANULE = 2L << 20;

    /**
     * What a machine shall have.
     *
     * @param id of the machine
     * @param nodes bytes for each guest node, multiples of 2 MiB
     */
    public record Target(long id, List<Long> nodes) {
        /** Copies the list. */
        public Target {
            nodes = List.copyOf(nodes);
        }

        /** All nodes together. */
        public long bytes() {
            return nodes.stream().mapToLong(Long::longValue).sum();
        }
    }

    /** What is remembered of a machine. */
    private static final class Past {
        final ArrayDeque<Long> wants = new ArrayDeque<>(); // of the last rounds
        int sinceGrowth = CALM_SECONDS; // seconds
        long demand = Long.MAX_VALUE; // of the last round

        long most() {
            long most = 0;
            for (long want : wants) {
                most = Math.max(most, want);
            }
            return most;
        }
    }

    private final BalancingPolicy policy;
    private final int period;
    private final int steadyRounds;
    private final double stepKeeps;
    private final Map<Long, Past> past = new HashMap<>();

    /** A balancer that has seen nothing yet, for a round every second. */
    public Balancer(BalancingPolicy policy) {
        this(policy, 1);
    }

    /**
     * A balancer for another pace, which behaves the same over time as far as the pace lets it.
     *
     * @param period seconds between two rounds, 1 to 30
     */
    public Balancer(BalancingPolicy policy, int period) {
        if (period < 1 || period > CALM_SECONDS) {
            throw new IllegalArgumentException("a period of " + period + " s; 1 to " + CALM_SECONDS + " are possible");
        }
        this.policy = policy;
        this.period = period;
        steadyRounds = Math.max(1, STEADY_SECONDS / period);
        stepKeeps = Math.pow(STEP_KEEPS, period);
    }

    /**
     * One round.
     *
     * @param capacity bytes that machines may have, by host node; what they have now is part of it
     * @param machines all that share them
     * @return for each machine, in the same order
     */
    public List<Target> round(long[] capacity, List<MachineClaim> machines) {
        remember(machines);
        long[][][] shares = divide(capacity, machines);
        long[] free = capacity.clone();
        for (MachineClaim m : machines) {
            charge(m, free, capacity);
        }
        Need need = need(free, machines, shares);
        var targets = new ArrayList<Target>();
        for (int i = 0; i < machines.size(); i++) {
            targets.add(target(machines.get(i), shares[i], need));
        }
        return grantGrowth(machines, targets, free, capacity);
    }

    /** How badly memory is needed. */
    private enum Need {
        /** There is enough for all. */
        NONE,
        /** Who shall grow must wait for others to shrink. */
        WAITING,
        /** Machines have more than there is. */
        OVERDRAWN
    }

    private static Need need(long[] free, List<MachineClaim> machines, long[][][] shares) {
        double growth = 0;
        for (int i = 0; i < machines.size(); i++) {
            long goal = 0;
            for (long[] node : shares[i]) {
                for (long share : node) {
                    goal += share;
                }
            }
            growth += Math.max(0, goal - machines.get(i).promised());
        }
        for (long f : free) {
            if (f < 0) {
                return Need.OVERDRAWN;
            }
        }
        return growth > sum(free) ? Need.WAITING : Need.NONE;
    }

    private void remember(List<MachineClaim> machines) {
        Set<Long> here = machines.stream().map(MachineClaim::id).collect(Collectors.toSet());
        past.keySet().retainAll(here);
        for (MachineClaim m : machines) {
            Past its = pastOf(m);
            its.sinceGrowth += period;
            its.wants.add(Math.clamp(Math.max(m.want(), m.demand() + lead(m, its)), m.minimum(), m.maximum()));
            its.demand = m.demand();
            if (its.wants.size() > steadyRounds) {
                its.wants.remove();
            }
        }
    }

    /** What a machine would use up before more can be there, if its need goes on to rise as it does. */
    private long lead(MachineClaim m, Past its) {
        return Math.min(MOST_LEAD, Math.max(0, m.demand() - its.demand) * LEAD_SECONDS / period);
    }

    private Past pastOf(MachineClaim m) {
        return past.computeIfAbsent(m.id(), _ -> new Past());
    }

    /** The most that was wanted lately. */
    private long steadyWant(MachineClaim m) {
        return Math.clamp(pastOf(m).most(), m.minimum(), m.maximum());
    }

    private record Part(int machine, int node) {}

    /** By machine, guest node and host node. */
    private long[][][] divide(long[] capacity, List<MachineClaim> machines) {
        long[][][] shares = new long[machines.size()][][];
        List<List<Part>> parts = new ArrayList<>();
        List<List<Claim>> claims = new ArrayList<>();
        for (int h = 0; h < capacity.length; h++) {
            parts.add(new ArrayList<>());
            claims.add(new ArrayList<>());
        }
        double all = sum(capacity);
        for (int i = 0; i < machines.size(); i++) {
            MachineClaim m = machines.get(i);
            shares[i] = new long[m.nodes().size()][capacity.length];
            double size = m.nodes().stream().mapToLong(MachineClaim.Node::size).sum();
            for (int g = 0; g < m.nodes().size(); g++) {
                MachineClaim.Node node = m.nodes().get(g);
                for (int h = 0; h < capacity.length; h++) {
                    double part = size == 0 ? 0 : node.size() / size * weightOn(node, h, capacity, all);
                    if (part > 0) {
                        parts.get(h).add(new Part(i, g));
                        claims.get(h).add(claim(m, part, node, capacity.length));
                    }
                }
            }
        }
        for (int h = 0; h < capacity.length; h++) {
            List<Claim> here = claims.get(h);
            long[] answer = policy.divide(Math.max(0, capacity[h]), List.copyOf(here));
            for (int k = 0; k < here.size(); k++) {
                Part part = parts.get(h).get(k);
                shares[part.machine][part.node][h] =
                        Math.clamp(answer[k], here.get(k).minimum(), here.get(k).maximum());
            }
        }
        return shares;
    }

    /** How much of a guest node's memory comes from a host node, 0 to 1. */
    private static double weightOn(MachineClaim.Node node, int host, long[] capacity, double all) {
        if (node.hostNode() != MachineClaim.ANY) {
            return node.hostNode() == host ? 1 : 0;
        }
        return all <= 0 ? 1.0 / capacity.length : Math.max(0, capacity[host]) / all;
    }

    private Claim claim(MachineClaim m, double part, MachineClaim.Node node, int hosts) {
        long minimum = (long) (m.minimum() * part);
        long maximum = Math.max(minimum, (long) (m.maximum() * part));
        long want = Math.clamp((long) (steadyWant(m) * part), minimum, maximum);
        long demand = Math.clamp((long) (Math.clamp(m.demand(), m.minimum(), m.maximum()) * part), minimum, want);
        long assigned = node.hostNode() == MachineClaim.ANY ? node.assigned() / hosts : node.assigned();
        return new Claim(minimum, demand, want, maximum, Math.max(1, m.weight()) * part, assigned);
    }

    /** Takes off the free memory what a machine costs; memory from any node comes from where it is free. */
    private static void charge(MachineClaim m, long[] free, long[] capacity) {
        long assigned = m.assigned();
        double over = assigned == 0 ? 0 : (double) m.charged() / assigned;
        for (MachineClaim.Node node : m.nodes()) {
            long bytes = Math.max(node.promised(), (long) (node.assigned() * Math.max(1, over)));
            take(node.hostNode(), bytes, free, capacity);
        }
        if (assigned == 0) {
            take(MachineClaim.ANY, m.charged(), free, capacity);
        }
    }

    private static void take(int host, long bytes, long[] free, long[] capacity) {
        if (host != MachineClaim.ANY) {
            free[host] -= bytes;
            return;
        }
        double all = sum(capacity);
        for (int h = 0; h < free.length; h++) {
            free[h] -= (long) (bytes * (all <= 0 ? 1.0 / free.length : Math.max(0, capacity[h]) / all));
        }
    }

    private static double sum(long[] values) {
        double sum = 0;
        for (long value : values) {
            sum += Math.max(0, value);
        }
        return sum;
    }

    private Target target(MachineClaim m, long[][] shares, Need need) {
        long[] nodes = new long[m.nodes().size()];
        long goal = 0;
        for (int g = 0; g < nodes.length; g++) {
            for (long share : shares[g]) {
                nodes[g] += share;
            }
            nodes[g] &= -GRANULE;
            goal += nodes[g];
        }
        long assigned = m.assigned();
        long excess = assigned - goal;
        if (excess <= 0) {
            if (excess < 0) {
                pastOf(m).sinceGrowth = 0;
            }
            return target(m.id(), nodes);
        }
        boolean calm = need != Need.NONE || pastOf(m).sinceGrowth >= CALM_SECONDS;
        long slack = Math.max(LEAST_SLACK, assigned / (calm ? SLACK_PART : LIVELY_PART));
        if (need != Need.OVERDRAWN && excess < slack) {
            return here(m);
        }
        // In steps: what is asked for at once is what the guest may still need meanwhile.
        long step = Math.max(LEAST_STEP * period, (long) (assigned * (1 - stepKeeps)));
        long next = need == Need.OVERDRAWN ? goal : Math.max(goal, assigned - step);
        for (int g = 0; g < nodes.length; g++) {
            nodes[g] = (long) ((double) nodes[g] / Math.max(1, goal) * next) & -GRANULE;
        }
        return target(m.id(), nodes);
    }

    private static Target target(long id, long[] nodes) {
        var list = new ArrayList<Long>();
        for (long node : nodes) {
            list.add(node);
        }
        return new Target(id, list);
    }

    private static Target here(MachineClaim m) {
        return new Target(
                m.id(), m.nodes().stream().map(MachineClaim.Node::assigned).toList());
    }

    /** Growth beyond what was promised is granted from what is free now, in proportion to what each is to grow by. */
    private static List<Target> grantGrowth(
            List<MachineClaim> machines, List<Target> targets, long[] free, long[] capacity) {
        double[] wanted = new double[free.length];
        double all = sum(capacity);
        for (int i = 0; i < machines.size(); i++) {
            for (int g = 0; g < machines.get(i).nodes().size(); g++) {
                MachineClaim.Node node = machines.get(i).nodes().get(g);
                long grow = Math.max(0, targets.get(i).nodes().get(g) - node.promised());
                for (int h = 0; h < free.length; h++) {
                    wanted[h] += grow * weightOn(node, h, capacity, all);
                }
            }
        }
        double[] part = new double[free.length];
        for (int h = 0; h < free.length; h++) {
            part[h] = wanted[h] <= 0 ? 1 : Math.clamp(free[h] / wanted[h], 0.0, 1.0);
        }
        var granted = new ArrayList<Target>();
        for (int i = 0; i < machines.size(); i++) {
            MachineClaim m = machines.get(i);
            var nodes = new ArrayList<Long>();
            for (int g = 0; g < m.nodes().size(); g++) {
                MachineClaim.Node node = m.nodes().get(g);
                long target = targets.get(i).nodes().get(g);
                long grow = target - node.promised();
                if (grow > 0) {
                    double some = 0;
                    for (int h = 0; h < free.length; h++) {
                        some += part[h] * weightOn(node, h, capacity, all);
                    }
                    target = node.promised() + ((long) (grow * Math.min(1, some)) & -GRANULE);
                }
                nodes.add(target);
            }
            granted.add(new Target(m.id(), nodes));
        }
        return granted;
    }
}
