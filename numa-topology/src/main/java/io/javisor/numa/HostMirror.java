package io.javisor.numa;

import io.javisor.numa.host.HostNode;
import io.javisor.numa.host.HostTopology;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Divides a machine into nodes of the host's shape. */
final class HostMirror {
    /** Two guest nodes that must share a host node are as near as ACPI lets different nodes be. */
    private static final int SAME_HOST_NODE = NumaTopology.LOCAL_DISTANCE + 1;

    private HostMirror() {}

    static void describe(NumaTopologyBuilder spec, HostTopology host, int vcpus, long memory, MirrorLimits limits) {
        long granules = Math.max(0, memory / NumaTopology.MEMORY_GRANULE);
        long perNode = limits.memoryPerNode() / NumaTopology.MEMORY_GRANULE;
        long forVcpus = ceil(Math.max(0, vcpus), limits.processorsPerNode());
        // Too many nodes is a problem that the builder reports; it needs no more than one beyond the limit to see it.
        int count = Math.clamp(Math.max(forVcpus, ceil(granules, perNode)), 1, NumaTopology.MAX_NODES + 1);
        long rest = memory - granules * NumaTopology.MEMORY_GRANULE;
        for (int n = 0; n < count; n++) {
            int cpus = vcpus / count + (n < vcpus % count ? 1 : 0);
            // What is no multiple of 2 MiB stays visible, so that the builder refuses it.
            long bytes = (granules / count + (n < granules % count ? 1 : 0)) * NumaTopology.MEMORY_GRANULE
                    + (n == 0 ? rest : 0);
            spec.node(x -> x.vcpus(cpus).memory(bytes));
        }
        spec.nodesPerSocket(limits.nodesPerSocket());
        List<HostNode> shape = nearest(host, count);
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                if (i != j) {
                    int from = shape.get(i % shape.size()).id();
                    int to = shape.get(j % shape.size()).id();
                    spec.distance(i, j, from == to ? SAME_HOST_NODE : host.distance(from, to));
                }
            }
        }
    }

    /** The {@code count} host nodes with processors and memory that lie closest together, or all if there are fewer. */
    private static List<HostNode> nearest(HostTopology host, int count) {
        List<HostNode> usable = host.nodes().stream()
                .filter(n -> host.usableMemory(n) && !host.usableCpus(n).isEmpty())
                .toList();
        if (usable.isEmpty()) {
            usable = host.nodes();
        }
        List<HostNode> best = usable;
        int least = Integer.MAX_VALUE;
        for (HostNode seed : usable) {
            var near = new ArrayList<>(usable);
            near.sort(Comparator.comparingInt(n -> host.distance(seed.id(), n.id())));
            List<HostNode> some = near.subList(0, Math.min(count, near.size()));
            int sum = 0;
            for (HostNode a : some) {
                for (HostNode b : some) {
                    sum += host.distance(a.id(), b.id());
                }
            }
            if (sum < least) {
                least = sum;
                best = some.stream()
                        .sorted(Comparator.comparingInt(HostNode::id))
                        .toList();
            }
        }
        return best;
    }

    private static long ceil(long n, long by) {
        return (n + by - 1) / by;
    }
}
