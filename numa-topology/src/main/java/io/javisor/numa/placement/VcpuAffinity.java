package io.javisor.numa.placement;

import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.TopologyProblem;
import io.javisor.numa.host.HostCpu;
import io.javisor.numa.host.HostTopology;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Which host CPUs each vCPU of a placed machine may run on. Pure. */
public final class VcpuAffinity {
    private VcpuAffinity() {}

    /** Every vCPU floats among all CPUs of its host node. By vCPU index. */
    public static List<CpuSet> floating(NumaTopology guest, PlacementPlan plan) {
        var sets = new ArrayList<CpuSet>();
        for (int v = 0; v < guest.vcpus(); v++) {
            sets.add(plan.nodes().get(guest.nodeOf(v)).cpus());
        }
        return List.copyOf(sets);
    }

    /**
     * Every vCPU gets a CPU of its own. Threads of a guest core become threads of a host core, if the guest has as many; else
     * each vCPU gets a host core as long as there are cores.
     *
     * @param taken CPUs that other machines are pinned to
     * @return sets of one CPU, by vCPU index
     * @throws TopologyException code {@code numa-pinning}, if a host node has too few CPUs left
     */
    public static List<CpuSet> pinned(HostTopology host, NumaTopology guest, PlacementPlan plan, CpuSet taken) {
        var result = new CpuSet[guest.vcpus()];
        var problems = new ArrayList<TopologyProblem>();
        Set<Integer> used = new HashSet<>(taken.toList());
        for (PlacementPlan.Node node : plan.nodes()) {
            List<Integer> vcpus = guest.nodes().get(node.guestNode()).vcpus().toList();
            List<Integer> order = order(host, guest, node.cpus(), used);
            if (order.size() < vcpus.size()) {
                problems.add(tooFew(node.guestNode(), vcpus.size(), node.cpuNode(), node.cpus(), order.size()));
                continue;
            }
            for (int i = 0; i < vcpus.size(); i++) {
                result[vcpus.get(i)] = CpuSet.of(order.get(i));
                used.add(order.get(i));
            }
        }
        if (!problems.isEmpty()) {
            throw new TopologyException("numa-pinning", "vCPUs can't be pinned", problems);
        }
        return List.of(result);
    }

    /** The CPUs that a node's vCPUs take, one after the other, of those that nobody is pinned to. */
    static List<Integer> order(HostTopology host, NumaTopology guest, CpuSet cpus, Set<Integer> used) {
        int threads = guest.processors().threads();
        return threads > 1 && threads == host.threadsPerCore()
                ? coreByCore(host, cpus, used, threads)
                : coresFirst(host, cpus, used);
    }

    static TopologyProblem tooFew(int guestNode, int vcpus, int hostNode, CpuSet cpus, int left) {
        return new TopologyProblem(
                "numa.nodes[" + guestNode + "].vcpus",
                vcpus + " can't be pinned: host node " + hostNode + " has " + left + " CPUs left of " + cpus);
    }

    /** Whole free cores, thread by thread. */
    private static List<Integer> coreByCore(HostTopology host, CpuSet cpus, Set<Integer> used, int threads) {
        var order = new ArrayList<Integer>();
        for (CpuSet core : cores(host, cpus)) {
            List<Integer> free =
                    core.stream().boxed().filter(c -> !used.contains(c)).toList();
            if (free.size() == threads) {
                order.addAll(free);
            }
        }
        return order;
    }

    /** The first free thread of every core, then the second of every core, and so on; idle cores before shared ones. */
    private static List<Integer> coresFirst(HostTopology host, CpuSet cpus, Set<Integer> used) {
        var order = new ArrayList<Integer>();
        List<CpuSet> cores = cores(host, cpus);
        int most = cores.stream().mapToInt(CpuSet::size).max().orElse(0);
        for (int busy = 0; busy < most; busy++) {
            for (CpuSet core : cores) {
                List<Integer> members = core.toList();
                List<Integer> free =
                        members.stream().filter(c -> !used.contains(c)).toList();
                // In round r, cores of which r threads are taken (by others or in earlier rounds) give one more.
                int next = busy - (members.size() - free.size());
                if (next >= 0 && next < free.size()) {
                    order.add(free.get(next));
                }
            }
        }
        return order;
    }

    private static List<CpuSet> cores(HostTopology host, CpuSet cpus) {
        return host.cpus().stream()
                .filter(c -> cpus.contains(c.id()))
                .map(HostCpu::threads)
                .map(t -> t.and(cpus))
                .distinct()
                .toList();
    }
}
