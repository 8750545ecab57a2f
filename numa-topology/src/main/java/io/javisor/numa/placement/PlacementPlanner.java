package io.javisor.numa.placement;

import io.javisor.numa.NumaNode;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.TopologyProblem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Decides on which host nodes a machine goes: the first host node with room for all of it, else the fewest nodes, those that
 * lie closest together. A host node has room if the memory fits and its vCPUs don't exceed its CPUs; if no choice keeps to
 * the CPUs, memory alone decides and the least loaded nodes are taken. Guest nodes that name host nodes go there. Pure.
 */
public final class PlacementPlanner {
    private final HostLoad load;
    private final NumaTopology guest;

    private PlacementPlanner(HostLoad load, NumaTopology guest) {
        this.load = load;
        this.guest = guest;
    }

    /**
     * The plan for one machine.
     *
     * @param load what the host has left
     * @param guest the machine
     * @throws TopologyException code {@code numa-spanning} if a node of a machine that may not span does not fit into one host
     *     node, {@code numa-placement} if the machine does not fit at all; with the numbers
     */
    public static PlacementPlan plan(HostLoad load, NumaTopology guest) {
        return new PlacementPlanner(load, guest).plan();
    }

    /**
     * Why a machine that may not span host nodes can't start.
     *
     * @return the problems with their numbers; empty if the machine fits, or may span
     */
    public static List<TopologyProblem> checkSpanning(HostLoad load, NumaTopology guest) {
        if (guest.spanning()) {
            return List.of();
        }
        try {
            plan(load, guest);
            return List.of();
        } catch (TopologyException e) {
            return e.problems();
        }
    }

    private PlacementPlan plan() {
        List<TopologyProblem> problems = missingNodes();
        if (!problems.isEmpty()) {
            throw new TopologyException("numa-placement", "the machine can't be placed on this host", problems);
        }
        List<Integer> free = IntStream.range(0, guest.nodes().size())
                .filter(n -> guest.nodes().get(n).hostNodes().isEmpty())
                .boxed()
                .toList();
        var ledger = new PlacementLedger(load, guest);
        for (int n = 0; n < guest.nodes().size(); n++) {
            if (!free.contains(n) && !ledger.placeNamed(n)) {
                problems.add(problem(ledger.problem(n)));
            }
        }
        if (!problems.isEmpty()) {
            throw refused(problems);
        }
        PlacementLedger done = placeFree(ledger, free);
        if (done == null) {
            throw refused(shortages(ledger, free));
        }
        return done.plan();
    }

    private @Nullable PlacementLedger placeFree(PlacementLedger start, List<Integer> free) {
        if (free.isEmpty()) {
            return start;
        }
        // Large nodes first: they have the fewest places to go.
        List<Integer> order = free.stream()
                .sorted(Comparator.<Integer>comparingLong(
                                n -> -guest.nodes().get(n).memory())
                        .thenComparingInt(n -> -guest.nodes().get(n).vcpus().size()))
                .toList();
        // What the named nodes use already costs nothing more.
        for (boolean keepToCpus : new boolean[] {true, false}) {
            for (int k = 1; k <= load.nodes().size(); k++) {
                PlacementLedger best = null;
                double bestCost = Double.POSITIVE_INFINITY;
                Set<List<Integer>> tried = new HashSet<>();
                for (int seed = 0; seed < load.nodes().size(); seed++) {
                    List<Integer> some = nearest(seed, k);
                    if (!tried.add(some)) {
                        continue;
                    }
                    PlacementLedger ledger = start.copy();
                    if (ledger.placeAll(order, some, keepToCpus)) {
                        double cost = keepToCpus ? spread(some) : ledger.highestLoad();
                        // The first that fits, unless another set lies closer together or is less loaded.
                        if (cost < bestCost) {
                            best = ledger;
                            bestCost = cost;
                        }
                    }
                }
                if (best != null) {
                    return best;
                }
            }
        }
        PlacementLedger ledger = start.copy();
        return guest.spanning() && ledger.span(order) ? ledger : null;
    }

    /** The host node and those nearest to it, {@code k} in all, ascending. */
    private List<Integer> nearest(int seed, int k) {
        return IntStream.range(0, load.nodes().size())
                .boxed()
                .sorted(Comparator.comparingInt(j -> load.distance(seed, j)))
                .limit(k)
                .sorted()
                .toList();
    }

    private int spread(List<Integer> some) {
        int sum = 0;
        for (int i : some) {
            for (int j : some) {
                sum += load.distance(i, j);
            }
        }
        return sum;
    }

    private List<TopologyProblem> missingNodes() {
        var problems = new ArrayList<TopologyProblem>();
        for (int n = 0; n < guest.nodes().size(); n++) {
            for (int id : guest.nodes().get(n).hostNodes()) {
                if (load.index(id) < 0) {
                    problems.add(new TopologyProblem(
                            "numa.nodes[" + n + "].hostNode",
                            "host node " + id + " is not there; this host has "
                                    + load.nodes().stream()
                                            .map(h -> String.valueOf(h.id()))
                                            .collect(Collectors.joining(", "))));
                }
            }
        }
        return problems;
    }

    private List<TopologyProblem> shortages(PlacementLedger ledger, List<Integer> free) {
        List<TopologyProblem> problems = free.stream()
                .map(ledger::problem)
                .flatMap(p -> p == null ? java.util.stream.Stream.empty() : java.util.stream.Stream.of(p))
                .collect(Collectors.toCollection(ArrayList::new));
        if (problems.isEmpty()) {
            long wanted =
                    free.stream().mapToLong(n -> guest.nodes().get(n).memory()).sum();
            problems.add(new TopologyProblem(
                    "numa.nodes",
                    "each fits one host node, but not all of them beside each other: "
                            + free.stream()
                                    .map(guest.nodes()::get)
                                    .map(NumaNode::memory)
                                    .map(PlacementLedger::mib)
                                    .collect(Collectors.joining(" + "))
                            + " = " + PlacementLedger.mib(wanted) + "; " + ledger.freeText(0)));
        }
        return problems;
    }

    private TopologyException refused(List<TopologyProblem> problems) {
        return guest.spanning()
                ? new TopologyException("numa-placement", "the machine can't be placed on this host", problems)
                : new TopologyException(
                        "numa-spanning", "the machine may not span host nodes and does not fit without", problems);
    }

    private static TopologyProblem problem(@Nullable TopologyProblem problem) {
        return problem == null ? new TopologyProblem("numa.nodes", "can't be placed") : problem;
    }
}
