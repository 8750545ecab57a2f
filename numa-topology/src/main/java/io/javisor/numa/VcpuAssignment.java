package io.javisor.numa;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which vCPU belongs to which node, by counts or by indexes. */
final class VcpuAssignment {
    private final NumaTopologyBuilder spec;
    private final List<TopologyProblem> problems;
    private final int before;

    VcpuAssignment(NumaTopologyBuilder spec, List<TopologyProblem> problems) {
        this.spec = spec;
        this.problems = problems;
        this.before = problems.size();
    }

    /** The vCPUs of each node, or null if there was a problem. */
    @Nullable
    List<CpuSet> assign() {
        if (spec.vcpus < 0 || spec.vcpus > NumaTopology.MAX_VCPUS) {
            problem("numa.vcpus", spec.vcpus + "; possible are 1 to " + NumaTopology.MAX_VCPUS);
        }
        boolean indexed = spec.nodes.stream().anyMatch(n -> n.vcpuIndexes != null);
        List<CpuSet> sets = indexed ? byIndex() : byCount();
        return problems.size() > before ? null : sets;
    }

    private List<CpuSet> byCount() {
        var sets = new ArrayList<CpuSet>();
        long next = 0;
        for (int n = 0; n < spec.nodes.size(); n++) {
            int count = spec.nodes.get(n).vcpuCount;
            if (count < 0 || count > NumaTopology.MAX_VCPUS) {
                problem(
                        TopologyAssembly.path(n, "vcpus"),
                        count + "; possible are 0 to " + NumaTopology.MAX_VCPUS + " for the whole machine");
                continue;
            }
            sets.add(CpuSet.range((int) next, (int) next + count));
            next += count;
        }
        if (problems.size() == before) {
            checkTotal(next);
        }
        return sets;
    }

    private List<CpuSet> byIndex() {
        var sets = new ArrayList<CpuSet>();
        var taken = new BitSet();
        var owner = new int[NumaTopology.MAX_VCPUS];
        for (int n = 0; n < spec.nodes.size(); n++) {
            NumaNodeBuilder node = spec.nodes.get(n);
            String path = TopologyAssembly.path(n, "vcpus");
            if (node.vcpuCount != 0) {
                problem(
                        path,
                        "a count (" + node.vcpuCount + ") beside nodes that name their vCPUs; name them here too");
            }
            var mine = new BitSet();
            for (int i : node.vcpuIndexes == null ? List.<Integer>of() : node.vcpuIndexes) {
                if (i < 0 || i >= NumaTopology.MAX_VCPUS) {
                    problem(path, "vCPU " + i + " is out of range 0 to " + (NumaTopology.MAX_VCPUS - 1));
                } else if (mine.get(i)) {
                    problem(path, "vCPU " + i + " is named twice");
                } else if (taken.get(i)) {
                    problem(path, "vCPU " + i + " belongs to node " + owner[i] + " already");
                } else {
                    mine.set(i);
                    taken.set(i);
                    owner[i] = n;
                }
            }
            sets.add(CpuSet.of(mine.stream().toArray()));
        }
        int end = Math.max(taken.length(), Math.clamp(spec.vcpus, 0, NumaTopology.MAX_VCPUS));
        CpuSet orphans = CpuSet.range(0, end).minus(CpuSet.of(taken.stream().toArray()));
        if (!orphans.isEmpty()) {
            problem("numa.vcpus", "vCPU " + orphans + " on no node");
        }
        if (spec.vcpus > 0 && taken.length() > spec.vcpus) {
            problem(
                    "numa.vcpus",
                    "the nodes name vCPUs up to " + (taken.length() - 1) + ", but there are " + spec.vcpus);
        }
        if (taken.isEmpty()) {
            problem("numa.nodes", "no node has a vCPU");
        }
        return sets;
    }

    private void checkTotal(long sum) {
        if (sum == 0) {
            problem("numa.nodes", "no node has a vCPU");
        } else if (sum > NumaTopology.MAX_VCPUS) {
            problem(
                    "numa.vcpus",
                    "the nodes have " + sum + " together; at most " + NumaTopology.MAX_VCPUS + " are possible");
        } else if (spec.vcpus > sum) {
            problem(
                    "numa.vcpus",
                    "vCPU " + CpuSet.range((int) sum, Math.min(spec.vcpus, CpuSet.LIMIT))
                            + " on no node: the nodes have " + sum + " of " + spec.vcpus);
        } else if (spec.vcpus > 0 && spec.vcpus < sum) {
            problem("numa.vcpus", "the nodes have " + sum + " together, but there are " + spec.vcpus);
        }
    }

    private void problem(String path, String message) {
        problems.add(new TopologyProblem(path, message));
    }
}
