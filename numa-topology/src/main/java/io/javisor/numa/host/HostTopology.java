package io.javisor.numa.host;

import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import java.nio.file.Path;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * The host as one process sees it at one moment: nodes, processors, memory, huge pages, and how far nodes are apart.
 * Immutable; read again for fresh numbers.
 *
 * @param nodes online nodes, by ascending number
 * @param cpus online CPUs, by ascending number
 * @param possible every CPU that the kernel could ever use
 * @param present CPUs that are plugged in, online or not
 * @param isolated CPUs that the scheduler leaves alone ({@code isolcpus=})
 * @param allowedCpus CPUs that this process may run on: its cpuset and affinity
 * @param allowedNodes nodes whose memory this process may use: its cpuset
 * @param distances rows and columns in the order of {@code nodes}
 * @param hugePages hugetlb pages of the whole host, by ascending size
 * @param sharedHugePages how shared memory gets transparent huge pages: the chosen word of
 *     {@code /sys/kernel/mm/transparent_hugepage/shmem_enabled} ({@code never}, {@code advise}, {@code always}, …), or empty
 *     text if the kernel has none
 */
public record HostTopology(
        List<HostNode> nodes,
        List<HostCpu> cpus,
        CpuSet possible,
        CpuSet present,
        CpuSet isolated,
        CpuSet allowedCpus,
        CpuSet allowedNodes,
        List<List<Integer>> distances,
        List<HugePages> hugePages,
        String sharedHugePages) {

    /** Copies the lists. */
    public HostTopology {
        nodes = List.copyOf(nodes);
        cpus = List.copyOf(cpus);
        distances = distances.stream().map(List::copyOf).toList();
        hugePages = List.copyOf(hugePages);
    }

    /**
     * Reads this host.
     *
     * @throws io.javisor.partition.HypervisorException code {@code host-topology}, if {@code /sys} is missing or unreadable
     */
    public static HostTopology read() {
        return read(Path.of("/"));
    }

    /**
     * Reads the {@code sys} and {@code proc} below a directory.
     *
     * @param root where {@code sys/devices/system/node} and the like lie
     * @throws io.javisor.partition.HypervisorException code {@code host-topology}, if they are missing or unreadable
     */
    public static HostTopology read(Path root) {
        return new SysfsReader(root).read();
    }

    /** The node with the kernel's number {@code id}, if it is online. */
    public Optional<HostNode> node(int id) {
        return nodes.stream().filter(n -> n.id() == id).findFirst();
    }

    /** The CPU with the kernel's number {@code id}, if it is online. */
    public Optional<HostCpu> cpu(int id) {
        return cpus.stream().filter(c -> c.id() == id).findFirst();
    }

    /** The online CPUs. */
    public CpuSet online() {
        return CpuSet.of(cpus.stream().mapToInt(HostCpu::id).toArray());
    }

    /** CPUs that are plugged in but not online. */
    public CpuSet offline() {
        return present.minus(online());
    }

    /** The CPUs of a node on which vCPUs may float: online, allowed to this process, and not isolated. */
    public CpuSet usableCpus(HostNode node) {
        return node.cpus().and(allowedCpus).minus(isolated);
    }

    /** Whether this process may use the node's memory, and it has any. */
    public boolean usableMemory(HostNode node) {
        return node.hasMemory() && allowedNodes.contains(node.id());
    }

    /**
     * How far node {@code to} is from node {@code from}, by the kernel's numbers.
     *
     * @throws NoSuchElementException if a node is not online
     */
    public int distance(int from, int to) {
        return distances.get(index(from)).get(index(to));
    }

    /** How many different sockets the online CPUs are in; at least 1. */
    public int sockets() {
        return Math.max(
                1, (int) cpus.stream().mapToInt(HostCpu::socket).distinct().count());
    }

    /** How many threads the core with most has. */
    public int threadsPerCore() {
        return cpus.stream().mapToInt(c -> c.threads().size()).max().orElse(1);
    }

    /** The groups of CPUs that share a last-level cache, by their first CPU. */
    public List<CpuSet> cacheGroups() {
        return cpus.stream().map(HostCpu::cache).distinct().toList();
    }

    /** How many nodes with CPUs lie in the socket that has most; 1 unless sub-NUMA clustering divides sockets. */
    public int nodesPerSocket() {
        return Math.clamp(
                cpus.stream()
                        .mapToInt(HostCpu::socket)
                        .distinct()
                        .mapToLong(s -> cpus.stream()
                                .filter(c -> c.socket() == s)
                                .mapToInt(HostCpu::node)
                                .distinct()
                                .count())
                        .max()
                        .orElse(1),
                1,
                NumaTopology.MAX_NODES);
    }

    private int index(int id) {
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).id() == id) {
                return i;
            }
        }
        throw new NoSuchElementException("no host node " + id + " is online");
    }
}
