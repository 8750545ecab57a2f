package io.javisor.numa;

import io.javisor.partition.MemoryBacking.Policy;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.util.ArrayList;
import java.util.List;

/** A topology as part of a saved machine: written whole, the places of its vCPUs included, and checked like a new one. */
public final class NumaTopologyState {
    private NumaTopologyState() {}

    /** Writes a topology. */
    public static void save(NumaTopology topology, StateWriter out) {
        int count = topology.nodes().size();
        out.put("nodes", count).put("spanning", topology.spanning()).put("pinned", topology.pinned());
        for (int n = 0; n < count; n++) {
            NumaNode node = topology.nodes().get(n);
            out.put("vcpus" + n, node.vcpus().toString())
                    .put("memory" + n, node.memory())
                    .put("hostNodes" + n, CpuSet.of(node.hostNodes()).toString())
                    .put("policy" + n, node.policy().name())
                    .put("hugePageSize" + n, node.hugePageSize());
            for (int to = 0; to < count; to++) {
                MemoryPerformance p = topology.performance(n, to);
                out.put("distance" + n + "." + to, topology.distance(n, to));
                if (p.stated()) {
                    out.put(
                            "performance" + n + "." + to,
                            new StateWriter()
                                    .put("readLatency", p.readLatency())
                                    .put("writeLatency", p.writeLatency())
                                    .put("readBandwidth", p.readBandwidth())
                                    .put("writeBandwidth", p.writeBandwidth()));
                }
            }
        }
        ProcessorLayout layout = topology.processors();
        out.put("sockets", layout.sockets())
                .put("dies", layout.dies())
                .put("groups", layout.groups())
                .put("cores", layout.cores())
                .put("threads", layout.threads());
        for (int v = 0; v < layout.positions().size(); v++) {
            VcpuPosition at = layout.positions().get(v);
            out.put(
                    "position" + v,
                    new StateWriter()
                            .put("socket", at.socket())
                            .put("die", at.die())
                            .put("group", at.group())
                            .put("core", at.core())
                            .put("thread", at.thread()));
        }
    }

    /**
     * Reads a topology.
     *
     * @throws StateException if it makes no sense
     */
    public static NumaTopology restore(StateReader in) {
        try {
            NumaTopology asBuilt = described(in).build();
            int count = asBuilt.nodes().size();
            int[][] distances = new int[count][count];
            var performance = new MemoryPerformance[count][count];
            for (int from = 0; from < count; from++) {
                for (int to = 0; to < count; to++) {
                    distances[from][to] = asBuilt.distance(from, to);
                    performance[from][to] = asBuilt.performance(from, to);
                }
            }
            var restored = new NumaTopology(
                    asBuilt.nodes(),
                    distances,
                    performance,
                    layout(in, asBuilt.vcpus()),
                    asBuilt.spanning(),
                    asBuilt.pinned());
            restored.cpuTopology(); // refuses APIC IDs that are given twice
            return restored;
        } catch (TopologyException | IllegalArgumentException e) {
            throw new StateException("numa: " + e.getMessage());
        }
    }

    private static NumaTopologyBuilder described(StateReader in) {
        int count = in.getInt("nodes", 1, NumaTopology.MAX_NODES);
        NumaTopologyBuilder builder = NumaTopology.builder()
                .spanning(in.getBoolean("spanning"))
                .pinned(in.has("pinned") && in.getBoolean("pinned")); // states of before there was pinning lack it
        for (int n = 0; n < count; n++) {
            int node = n;
            builder.node(b -> {
                CpuSet vcpus = CpuSet.parse(in.getString("vcpus" + node));
                if (!vcpus.isEmpty()) {
                    b.vcpuIndexes(vcpus);
                }
                b.memory(in.getLong("memory" + node)).hugePages(in.getLong("hugePageSize" + node));
                CpuSet.parse(in.getString("hostNodes" + node)).stream().forEach(b::hostNode);
                b.policy(Policy.valueOf(in.getString("policy" + node)));
            });
            for (int to = 0; to < count; to++) {
                builder.distance(
                        n,
                        to,
                        in.getInt("distance" + n + "." + to, NumaTopology.LOCAL_DISTANCE, NumaTopology.UNREACHABLE));
                String field = "performance" + n + "." + to;
                if (in.has(field)) {
                    StateReader p = in.getInner(field);
                    builder.performance(
                            n,
                            to,
                            new MemoryPerformance(
                                    p.getInt("readLatency", 0, MemoryPerformance.MAX_LATENCY),
                                    p.getInt("writeLatency", 0, MemoryPerformance.MAX_LATENCY),
                                    p.getLong("readBandwidth"),
                                    p.getLong("writeBandwidth")));
                }
            }
        }
        return builder;
    }

    private static ProcessorLayout layout(StateReader in, int vcpus) {
        int sockets = in.getInt("sockets", 1, NumaTopology.MAX_VCPUS);
        int dies = in.getInt("dies", 1, NumaTopology.MAX_VCPUS);
        int groups = in.getInt("groups", 1, NumaTopology.MAX_VCPUS);
        int cores = in.getInt("cores", 1, NumaTopology.MAX_VCPUS);
        int threads = in.getInt("threads", 1, NumaTopology.MAX_VCPUS);
        List<VcpuPosition> positions = new ArrayList<>();
        for (int v = 0; v < vcpus; v++) {
            StateReader at = in.getInner("position" + v);
            positions.add(new VcpuPosition(
                    at.getInt("socket", 0, sockets - 1),
                    at.getInt("die", 0, dies - 1),
                    at.getInt("group", 0, groups - 1),
                    at.getInt("core", 0, cores - 1),
                    at.getInt("thread", 0, threads - 1)));
        }
        return new ProcessorLayout(sockets, dies, groups, cores, threads, positions);
    }
}
