package io.javisor.numa;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Seats vCPUs in sockets, dies, cores and threads so that no core and no last-level cache is divided between nodes. */
final class LayoutPlanner {
    /** KVM takes APIC IDs below KVM_MAX_VCPU_IDS: four for each possible vCPU (arch/x86/include/asm/kvm_host.h). */
    private static final int MAX_APIC_ID = 4 * NumaTopology.MAX_VCPUS - 1;

    private final NumaTopologyBuilder spec;
    private final List<CpuSet> nodes;
    private final List<TopologyProblem> problems;
    private final int vcpus;
    private final int[] nodeOf;

    LayoutPlanner(NumaTopologyBuilder spec, List<CpuSet> nodes, List<TopologyProblem> problems) {
        this.spec = spec;
        this.nodes = nodes;
        this.problems = problems;
        this.vcpus = nodes.stream().mapToInt(CpuSet::size).sum();
        this.nodeOf = new int[vcpus];
        for (int n = 0; n < nodes.size(); n++) {
            int node = n;
            nodes.get(n).stream().forEach(v -> nodeOf[v] = node);
        }
    }

    @Nullable
    ProcessorLayout plan() {
        int before = problems.size();
        range("numa.sockets", spec.sockets, 0);
        range("numa.dies", spec.dies, 0);
        range("numa.cores", spec.cores, 0);
        range("numa.threads", spec.threads, 0);
        range("numa.nodesPerSocket", spec.nodesPerSocket, 1);
        if (problems.size() > before) {
            return null;
        }
        boolean uniform = spec.sockets > 0 || spec.dies > 0 || spec.cores > 0;
        ProcessorLayout layout = uniform ? uniform() : byNode();
        if (layout != null) {
            int max = layout.apicIds(v -> nodeOf[v], 0).maxApicId();
            if (max > MAX_APIC_ID) {
                problem(
                        "numa.sockets",
                        "the layout needs APIC IDs up to " + max + ", beyond " + MAX_APIC_ID
                                + "; use counts that are powers of two");
                return null;
            }
        }
        return layout;
    }

    private void range(String path, int value, int least) {
        if (value < least || value > NumaTopology.MAX_VCPUS) {
            problem(path, value + "; possible are " + Math.max(least, 1) + " to " + NumaTopology.MAX_VCPUS);
        }
    }

    /** One socket for each run of {@code nodesPerSocket} nodes with vCPUs, as large as they are. */
    private @Nullable ProcessorLayout byNode() {
        int threads = Math.max(1, spec.threads);
        var positions = new VcpuPosition[vcpus];
        int socket = -1;
        int seen = 0;
        int groups = 0;
        int cores = 0;
        boolean good = true;
        // vCPU 0 boots the machine and has APIC ID 0: sockets are numbered by their first vCPU, whatever their nodes'
        // order.
        List<Integer> order = IntStream.range(0, nodes.size())
                .filter(n -> !nodes.get(n).isEmpty())
                .boxed()
                .sorted(Comparator.comparingInt(n -> nodes.get(n).first()))
                .toList();
        for (int n : order) {
            CpuSet mine = nodes.get(n);
            if (mine.size() % threads != 0) {
                problem(
                        TopologyAssembly.path(n, "vcpus"),
                        mine.size() + " is not a multiple of the " + threads + " threads of a core");
                good = false;
                continue;
            }
            int group = seen % spec.nodesPerSocket;
            socket += group == 0 ? 1 : 0;
            seen++;
            int k = 0;
            for (int vcpu : mine.toList()) {
                positions[vcpu] = new VcpuPosition(socket, 0, group, k / threads, k % threads);
                k++;
            }
            groups = Math.max(groups, group + 1);
            cores = Math.max(cores, mine.size() / threads);
        }
        return good ? new ProcessorLayout(socket + 1, 1, groups, cores, threads, List.of(positions)) : null;
    }

    /** Sockets all alike, filled in order of the vCPUs' indexes. */
    private @Nullable ProcessorLayout uniform() {
        int threads = Math.max(1, spec.threads);
        int dies = Math.max(1, spec.dies);
        long sockets = spec.sockets;
        long cores = spec.cores;
        if (sockets == 0) {
            long withVcpus = nodes.stream().filter(n -> !n.isEmpty()).count();
            sockets = cores > 0
                    ? Math.max(1, vcpus / ((long) dies * cores * threads))
                    : (withVcpus + spec.nodesPerSocket - 1) / spec.nodesPerSocket;
        }
        if (cores == 0) {
            cores = Math.max(1, vcpus / (sockets * dies * threads));
        }
        long product = Math.multiplyExact(sockets * dies, cores * threads);
        if (product != vcpus) {
            problem(
                    "numa.sockets",
                    sockets + " sockets × " + dies + " dies × " + cores + " cores × " + threads + " threads make "
                            + product + " vCPUs, but the nodes have " + vcpus);
            return null;
        }
        return seat((int) sockets, dies, (int) cores, threads);
    }

    private @Nullable ProcessorLayout seat(int sockets, int dies, int cores, int threads) {
        var positions = new VcpuPosition[vcpus];
        int groups = 1;
        int coresInGroup = 1;
        boolean good = true;
        for (int die = 0; die < sockets * dies; die++) {
            Map<Integer, Integer> group = new LinkedHashMap<>();
            Map<Integer, Integer> filled = new LinkedHashMap<>();
            for (int core = 0; core < cores; core++) {
                int first = (die * cores + core) * threads;
                int node = nodeOf[first];
                group.putIfAbsent(node, group.size());
                int inGroup = filled.merge(node, 1, Integer::sum) - 1;
                coresInGroup = Math.max(coresInGroup, inGroup + 1);
                for (int t = 0; t < threads; t++) {
                    if (nodeOf[first + t] != node) {
                        problem(
                                "numa.threads",
                                "vCPUs " + first + " and " + (first + t)
                                        + " are threads of one core, but belong to nodes " + node + " and "
                                        + nodeOf[first + t]);
                        good = false;
                    }
                    positions[first + t] = new VcpuPosition(die / dies, die % dies, group.get(node), inGroup, t);
                }
            }
            groups = Math.max(groups, group.size());
        }
        return good ? new ProcessorLayout(sockets, dies, groups, coresInGroup, threads, List.of(positions)) : null;
    }

    private void problem(String path, String message) {
        problems.add(new TopologyProblem(path, message));
    }
}
