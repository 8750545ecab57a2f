package io.javisor.numa.placement;

import io.javisor.numa.CpuSet;
import io.javisor.partition.MemoryBacking.Policy;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Where one machine's nodes go on its host.
 *
 * @param nodes by guest node
 */
public record PlacementPlan(List<Node> nodes) {
    /**
     * Where one guest node goes.
     *
     * @param guestNode its number
     * @param bytes how much of its memory goes on which host node, by the kernel's number; empty for a node without memory
     * @param policy how strictly the memory is kept there
     * @param hugePageSize bytes of the hugetlb pages that back it, or 0
     * @param vcpus how many vCPUs it has
     * @param cpuNode the host node whose CPUs its vCPUs run on, or −1 if it has no vCPUs
     * @param cpus those CPUs; empty if it has no vCPUs
     */
    public record Node(
            int guestNode,
            Map<Integer, Long> bytes,
            Policy policy,
            long hugePageSize,
            int vcpus,
            int cpuNode,
            CpuSet cpus) {

        /** Copies the map. */
        public Node {
            bytes = Map.copyOf(bytes);
        }

        /** The host nodes of its memory, as {@link io.javisor.partition.MemoryBacking#bind} wants them. */
        public long hostNodeMask() {
            return bytes.keySet().stream().mapToLong(n -> 1L << n).reduce(0, (a, b) -> a | b);
        }
    }

    /** Copies the list. */
    public PlacementPlan {
        nodes = List.copyOf(nodes);
    }

    /** All host nodes that the machine uses, for memory or for vCPUs, ascending. */
    public List<Integer> hostNodes() {
        var all = new TreeSet<Integer>();
        for (Node n : nodes) {
            all.addAll(n.bytes.keySet());
            if (n.cpuNode >= 0) {
                all.add(n.cpuNode);
            }
        }
        return List.copyOf(all);
    }
}
