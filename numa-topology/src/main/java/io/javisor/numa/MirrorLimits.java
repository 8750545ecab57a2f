package io.javisor.numa;

import io.javisor.numa.host.HostNode;
import io.javisor.numa.host.HostTopology;

/**
 * How large the nodes of a mirrored topology may be: what Hyper-V calls maximum processors per node, maximum memory per node
 * and maximum nodes per socket.
 *
 * @param processorsPerNode most vCPUs of a node, at least 1
 * @param memoryPerNode most memory of a node in bytes, at least 2 MiB
 * @param nodesPerSocket most nodes with vCPUs that share a socket, at least 1
 */
public record MirrorLimits(int processorsPerNode, long memoryPerNode, int nodesPerSocket) {

    /** Checks the ranges. */
    public MirrorLimits {
        if (processorsPerNode < 1 || memoryPerNode < NumaTopology.MEMORY_GRANULE || nodesPerSocket < 1) {
            throw new IllegalArgumentException(
                    "limits must be at least 1 processor and 2 MiB a node and 1 node a socket: " + processorsPerNode
                            + ", " + memoryPerNode + ", " + nodesPerSocket);
        }
    }

    /**
     * The host's own shape: the processors and the memory of its smallest node that has both, rounded down to whole 2 MiB, and
     * its nodes per socket. A guest node within these limits fits into any one node of an idle host.
     */
    public static MirrorLimits of(HostTopology host) {
        int processors = host.nodes().stream()
                .filter(n -> n.hasMemory() && !host.usableCpus(n).isEmpty())
                .mapToInt(n -> host.usableCpus(n).size())
                .min()
                .orElse(1);
        long memory = host.nodes().stream()
                .filter(n -> host.usableMemory(n) && !n.cpus().isEmpty())
                .mapToLong(HostNode::memoryTotal)
                .min()
                .orElse(NumaTopology.MAX_NODE_MEMORY);
        long granules = Math.clamp(
                memory / NumaTopology.MEMORY_GRANULE, 1, NumaTopology.MAX_NODE_MEMORY / NumaTopology.MEMORY_GRANULE);
        return new MirrorLimits(processors, granules * NumaTopology.MEMORY_GRANULE, host.nodesPerSocket());
    }
}
