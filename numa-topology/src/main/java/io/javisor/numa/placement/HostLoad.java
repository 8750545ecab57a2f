package io.javisor.numa.placement;

import io.javisor.numa.CpuSet;
import io.javisor.numa.host.HostNode;
import io.javisor.numa.host.HostTopology;
import io.javisor.numa.host.HugePages;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What each of a host's nodes has left for machines. Immutable: placing and removing machines gives new values.
 *
 * @param nodes by ascending number
 * @param distances rows and columns in the order of {@code nodes}
 */
public record HostLoad(List<Node> nodes, List<List<Integer>> distances) {
    /**
     * One host node.
     *
     * @param id the kernel's number
     * @param cpus CPUs that vCPUs may run on; empty for a memory-only node
     * @param memoryFree bytes of ordinary memory left
     * @param hugeFree bytes left in hugetlb pages, by page size
     * @param vcpus vCPUs placed here
     */
    public record Node(int id, CpuSet cpus, long memoryFree, Map<Long, Long> hugeFree, int vcpus) {

        /** Copies the map. */
        public Node {
            hugeFree = Map.copyOf(hugeFree);
        }

        /** Bytes left in pages of the given size; 0 for ordinary memory. */
        public long free(long hugePageSize) {
            return hugePageSize == 0 ? memoryFree : hugeFree.getOrDefault(hugePageSize, 0L);
        }

        /** vCPUs for each CPU, if {@code more} are added. */
        double loadWith(int more) {
            return cpus.isEmpty() ? Double.POSITIVE_INFINITY : (double) (vcpus + more) / cpus.size();
        }

        Node take(long hugePageSize, long bytes, int moreVcpus) {
            if (hugePageSize == 0) {
                return new Node(id, cpus, memoryFree - bytes, hugeFree, vcpus + moreVcpus);
            }
            var left = new HashMap<>(hugeFree);
            left.merge(hugePageSize, -bytes, Long::sum);
            return new Node(id, cpus, memoryFree, left, vcpus + moreVcpus);
        }
    }

    /** Copies the lists. */
    public HostLoad {
        nodes = List.copyOf(nodes);
        distances = distances.stream().map(List::copyOf).toList();
    }

    /**
     * A host without machines of ours: what is available now, on the CPUs and nodes that this process may use. A node whose
     * memory is closed to it has none.
     */
    public static HostLoad of(HostTopology host) {
        var nodes = new ArrayList<Node>();
        for (HostNode n : host.nodes()) {
            boolean open = host.usableMemory(n);
            var huge = new HashMap<Long, Long>();
            for (HugePages h : open ? n.hugePages() : List.<HugePages>of()) {
                huge.put(h.size(), h.free() * h.size());
            }
            nodes.add(new Node(n.id(), host.usableCpus(n), open ? n.memoryAvailable() : 0, huge, 0));
        }
        return new HostLoad(nodes, host.distances());
    }

    /** The load with one machine more. */
    public HostLoad plus(PlacementPlan plan) {
        return apply(plan, 1);
    }

    /**
     * The load with a machine that is there already, and has touched a part of its memory: that part the kernel counts as used.
     *
     * @param untouched bytes of each guest node's memory that it may still touch
     */
    HostLoad reserving(PlacementPlan plan, List<Long> untouched) {
        var next = new ArrayList<>(nodes);
        for (PlacementPlan.Node p : plan.nodes()) {
            long planned =
                    p.bytes().values().stream().mapToLong(Long::longValue).sum();
            double part = planned == 0 ? 0 : (double) untouched.get(p.guestNode()) / planned;
            p.bytes().forEach((id, bytes) -> {
                int i = index(id);
                if (i >= 0) {
                    next.set(i, next.get(i).take(p.hugePageSize(), (long) (bytes * part), 0));
                }
            });
            int home = p.vcpus() > 0 ? index(p.cpuNode()) : -1;
            if (home >= 0) {
                next.set(home, next.get(home).take(0, 0, p.vcpus()));
            }
        }
        return new HostLoad(next, distances);
    }

    /** The load after a machine has gone. */
    public HostLoad minus(PlacementPlan plan) {
        return apply(plan, -1);
    }

    /** The load as if every node had so many times the ordinary memory left. */
    HostLoad stretched(double times) {
        return new HostLoad(
                nodes.stream()
                        .map(n -> new Node(n.id, n.cpus, (long) (n.memoryFree * times), n.hugeFree, n.vcpus))
                        .toList(),
                distances);
    }

    private HostLoad apply(PlacementPlan plan, int sign) {
        var next = new ArrayList<>(nodes);
        for (PlacementPlan.Node p : plan.nodes()) {
            p.bytes().forEach((id, bytes) -> {
                int i = index(id);
                next.set(i, next.get(i).take(p.hugePageSize(), sign * bytes, 0));
            });
            if (p.vcpus() > 0) {
                int i = index(p.cpuNode());
                next.set(i, next.get(i).take(0, 0, sign * p.vcpus()));
            }
        }
        return new HostLoad(next, distances);
    }

    /** Place of the node with the kernel's number {@code id}, or −1. */
    int index(int id) {
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).id() == id) {
                return i;
            }
        }
        return -1;
    }

    int distance(int i, int j) {
        return distances.get(i).get(j);
    }
}
