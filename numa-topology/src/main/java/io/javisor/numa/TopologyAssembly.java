package io.javisor.numa;

import io.javisor.partition.MemoryBacking.Policy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One pass over a description: collects every problem and, if there is none, the topology. Used once. */
final class TopologyAssembly {
    private static final long GIB = 1L << 30;
    private static final String PAGE_SIZES = "possible are 0 (none), 2 MiB and 1 GiB";

    private final NumaTopologyBuilder spec;
    private final List<TopologyProblem> problems = new ArrayList<>();
    private final @Nullable NumaTopology result;

    TopologyAssembly(NumaTopologyBuilder spec) {
        this.spec = spec;
        this.result = assemble();
    }

    List<TopologyProblem> problems() {
        return List.copyOf(problems);
    }

    NumaTopology build() {
        if (result == null) {
            throw new TopologyException("numa-spec", "the NUMA topology can't be built", problems);
        }
        return result;
    }

    private @Nullable NumaTopology assemble() {
        int count = spec.nodes.size();
        if (count == 0) {
            problem("numa.nodes", "there are none; a machine needs at least one node");
            return null;
        }
        if (count > NumaTopology.MAX_NODES) {
            problem("numa.nodes", "there are " + count + "; at most " + NumaTopology.MAX_NODES + " are possible");
            return null;
        }
        if (!isPageSize(spec.hugePageSize)) {
            problem("numa.hugePages", spec.hugePageSize + " bytes; " + PAGE_SIZES);
        }
        for (int n = 0; n < count; n++) {
            checkMemory(n, spec.nodes.get(n));
            checkHostNodes(n, spec.nodes.get(n));
        }
        if (spec.nodes.stream().allMatch(n -> n.memory == 0)) {
            problem("numa.nodes", "no node has memory");
        }
        List<CpuSet> vcpus = new VcpuAssignment(spec, problems).assign();
        int[][] distances = new DistanceMatrix(spec, problems).assemble();
        MemoryPerformance[][] performance = performance();
        ProcessorLayout layout = vcpus == null ? null : new LayoutPlanner(spec, vcpus, problems).plan();
        if (vcpus == null || layout == null || !problems.isEmpty()) {
            return null;
        }
        var nodes = new ArrayList<NumaNode>();
        for (int n = 0; n < count; n++) {
            NumaNodeBuilder b = spec.nodes.get(n);
            nodes.add(new NumaNode(
                    vcpus.get(n), b.memory, List.copyOf(new TreeSet<>(b.hostNodes)), policy(b), hugePages(b)));
        }
        return new NumaTopology(nodes, distances, performance, layout, spec.spanning, spec.pinned);
    }

    /** What the node says, else what the machine says; a node without memory has no pages. */
    private long hugePages(NumaNodeBuilder node) {
        return node.memory == 0 ? 0 : node.hugePageSize != 0 ? node.hugePageSize : spec.hugePageSize;
    }

    private Policy policy(NumaNodeBuilder node) {
        if (node.policy != null) {
            return node.policy;
        }
        if (node.hostNodes.isEmpty()) {
            return Policy.DEFAULT;
        }
        return !spec.spanning || node.hostNodes.size() > 1 ? Policy.BIND : Policy.PREFERRED;
    }

    private void checkMemory(int n, NumaNodeBuilder node) {
        String path = path(n, "memory");
        if (node.memory < 0 || node.memory > NumaTopology.MAX_NODE_MEMORY) {
            problem(path, node.memory + " bytes; possible are 0 to " + NumaTopology.MAX_NODE_MEMORY);
        } else if (node.memory % NumaTopology.MEMORY_GRANULE != 0) {
            problem(path, node.memory + " bytes is not a multiple of 2 MiB (" + NumaTopology.MEMORY_GRANULE + ")");
        }
        if (!isPageSize(node.hugePageSize)) {
            problem(path(n, "hugePages"), node.hugePageSize + " bytes; " + PAGE_SIZES);
        } else if (hugePages(node) == GIB && node.memory % GIB != 0) {
            problem(path, node.memory + " bytes is not a multiple of its huge pages of 1 GiB");
        }
    }

    private static boolean isPageSize(long size) {
        return size == 0 || size == NumaTopology.MEMORY_GRANULE || size == GIB;
    }

    private void checkHostNodes(int n, NumaNodeBuilder node) {
        String path = path(n, "hostNode");
        var seen = new TreeSet<Integer>();
        for (int h : node.hostNodes) {
            if (h < 0 || h >= NumaTopology.MAX_NODES) {
                problem(path, h + " is no host node; possible are 0 to " + (NumaTopology.MAX_NODES - 1));
            } else if (!seen.add(h)) {
                problem(path, h + " is given twice");
            }
        }
        Policy policy = node.policy;
        if (policy == Policy.DEFAULT ? !seen.isEmpty() : policy != null && seen.isEmpty()) {
            problem(
                    path(n, "policy"),
                    policy == Policy.DEFAULT
                            ? "DEFAULT keeps memory nowhere, yet host node " + list(seen) + " is given"
                            : policy + " needs a host node; say which with hostNode(..)");
        }
        if (policy == Policy.PREFERRED && seen.size() > 1) {
            problem(path(n, "policy"), "PREFERRED takes one host node, not " + list(seen) + "; use BIND or INTERLEAVE");
        }
        if (!spec.spanning && seen.size() > 1) {
            problem(path, "nodes " + list(seen) + " are several, and spanning is not allowed; give one");
        }
        if (!spec.spanning && (policy == Policy.PREFERRED || policy == Policy.INTERLEAVE)) {
            problem(path(n, "policy"), policy + " lets memory span host nodes, and spanning is not allowed; use BIND");
        }
    }

    private MemoryPerformance[][] performance() {
        int count = spec.nodes.size();
        var matrix = new MemoryPerformance[count][count];
        for (MemoryPerformance[] row : matrix) {
            Arrays.fill(row, MemoryPerformance.UNSTATED);
        }
        for (NumaTopologyBuilder.Performance p : spec.performance) {
            String path = "numa.performance[" + p.initiator() + ":" + p.memory() + "]";
            if (p.initiator() < 0 || p.initiator() >= count || p.memory() < 0 || p.memory() >= count) {
                problem(path, "there is no such node; nodes are 0 to " + (count - 1));
                continue;
            }
            if (!matrix[p.initiator()][p.memory()].equals(MemoryPerformance.UNSTATED)) {
                problem(path, "is given twice");
            }
            matrix[p.initiator()][p.memory()] = p.value();
            checkPerformance(path, p.value());
            if (spec.nodes.get(p.memory()).memory == 0) {
                problem(path, "node " + p.memory() + " has no memory");
            }
            if (!hasVcpus(spec.nodes.get(p.initiator()))) {
                problem(path, "node " + p.initiator() + " has no vCPUs");
            }
        }
        return matrix;
    }

    private void checkPerformance(String path, MemoryPerformance p) {
        for (int latency : new int[] {p.readLatency(), p.writeLatency()}) {
            if (latency < 0 || latency > MemoryPerformance.MAX_LATENCY) {
                problem(path, "latency " + latency + " ns; possible are 0 to " + MemoryPerformance.MAX_LATENCY);
            }
        }
        for (long bandwidth : new long[] {p.readBandwidth(), p.writeBandwidth()}) {
            if (bandwidth < 0 || bandwidth > MemoryPerformance.MAX_BANDWIDTH) {
                problem(
                        path,
                        "bandwidth " + bandwidth + " MiB/s; possible are 0 to " + MemoryPerformance.MAX_BANDWIDTH);
            }
        }
    }

    static boolean hasVcpus(NumaNodeBuilder node) {
        return node.vcpuCount > 0 || (node.vcpuIndexes != null && !node.vcpuIndexes.isEmpty());
    }

    static String path(int node, String field) {
        return "numa.nodes[" + node + "]." + field;
    }

    private void problem(String path, String message) {
        problems.add(new TopologyProblem(path, message));
    }

    private static String list(Set<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
}
