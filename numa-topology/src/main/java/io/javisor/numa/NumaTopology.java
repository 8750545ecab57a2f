package io.javisor.numa;

import io.javisor.numa.host.HostTopology;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.AddressSpacePlanner;
import io.javisor.partition.topology.CpuTopology;
import io.javisor.partition.topology.NumaDescription;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntToLongFunction;

/**
 * A guest's NUMA topology: its nodes, how far apart they are, and the sockets, dies, cores and threads of its vCPUs.
 * Immutable, and always valid: {@link NumaTopologyBuilder#build} refuses anything else, with every problem at once.
 *
 * {@snippet :
 * NumaTopology topology = NumaTopology.builder()
 *         .node(x -> x.vcpus(2).memory(2L << 30).hostNode(0))
 *         .node(x -> x.vcpus(2).memory(2L << 30).hostNode(1))
 *         .node(x -> x.memory(4L << 30))
 *         .distance(0, 1, 21)
 *         .build();
 * }
 */
public final class NumaTopology {
    /** Most nodes: as many as host nodes fit a {@code MemoryBacking} mask, and as stock x86 kernels know (NODES_SHIFT 6). */
    public static final int MAX_NODES = 64;

    /** Most vCPUs: KVM_MAX_VCPUS of Linux 6.12 (arch/x86/include/asm/kvm_host.h); the host's kernel may allow fewer. */
    public static final int MAX_VCPUS = 4096;

    /** Most memory of a node, in bytes: the 8 TiB that one memory slot must stay below, less one 2 MiB page. */
    public static final long MAX_NODE_MEMORY = (8L << 40) - (2L << 20);

    /** Memory comes in multiples of this many bytes: 2 MiB, the size of a huge page. */
    public static final long MEMORY_GRANULE = 2L << 20;

    /** A node's distance to itself (ACPI 6.5 section 5.2.17). */
    public static final int LOCAL_DISTANCE = 10;

    /** The distance between nodes for which none is given: the kernel's REMOTE_DISTANCE. */
    public static final int DEFAULT_DISTANCE = 20;

    /** The distance that says that a node's memory can't be reached at all (ACPI 6.5 section 5.2.17). */
    public static final int UNREACHABLE = 255;

    private final List<NumaNode> nodes;
    private final int[][] distances;
    private final MemoryPerformance[][] performance;
    private final ProcessorLayout processors;
    private final boolean spanning;
    private final boolean pinned;

    NumaTopology(
            List<NumaNode> nodes,
            int[][] distances,
            MemoryPerformance[][] performance,
            ProcessorLayout processors,
            boolean spanning,
            boolean pinned) {
        this.nodes = List.copyOf(nodes);
        this.distances = distances;
        this.performance = performance;
        this.processors = processors;
        this.spanning = spanning;
        this.pinned = pinned;
    }

    /** A topology to be described. */
    public static NumaTopologyBuilder builder() {
        return new NumaTopologyBuilder();
    }

    /** Describes and builds in one call; throws like {@link NumaTopologyBuilder#build}. */
    public static NumaTopology of(Consumer<NumaTopologyBuilder> description) {
        var builder = builder();
        description.accept(builder);
        return builder.build();
    }

    /** One node with everything, one socket: what a machine gets that says nothing about NUMA. */
    public static NumaTopology single(int vcpus, long memory) {
        return builder().node(n -> n.vcpus(vcpus).memory(memory)).build();
    }

    /**
     * The host's own shape, which is the best default: nodes within the host's limits, vCPUs and memory divided evenly.
     *
     * @param host the host
     * @param vcpus 1 to {@link #MAX_VCPUS}
     * @param memory bytes, a multiple of 2 MiB
     * @throws TopologyException if the machine can't be divided so
     */
    public static NumaTopology mirrorHost(HostTopology host, int vcpus, long memory) {
        return mirrorHost(host, vcpus, memory, MirrorLimits.of(host));
    }

    /** The same within limits of one's own. */
    public static NumaTopology mirrorHost(HostTopology host, int vcpus, long memory, MirrorLimits limits) {
        return builder().mirrorHost(host, vcpus, memory, limits).build();
    }

    /** The nodes; a node's number is its place in the list, and its ACPI proximity domain. */
    public List<NumaNode> nodes() {
        return nodes;
    }

    /** How many vCPUs all nodes have together, at least 1. */
    public int vcpus() {
        return processors.positions().size();
    }

    /** Boot memory of all nodes in bytes. */
    public long memory() {
        return nodes.stream().mapToLong(NumaNode::memory).sum();
    }

    /** The node that the vCPU belongs to. */
    public int nodeOf(int vcpu) {
        for (int n = 0; n < nodes.size(); n++) {
            if (nodes.get(n).vcpus().contains(vcpu)) {
                return n;
            }
        }
        throw new IndexOutOfBoundsException("vCPU " + vcpu + " of " + vcpus());
    }

    /**
     * How far the memory of node {@code to} is from the processors of node {@code from}: 10 for the node itself, 11 to 254,
     * or {@link #UNREACHABLE}. This is the SLIT's entry in row {@code from}, column {@code to}.
     */
    public int distance(int from, int to) {
        return distances[from][to];
    }

    /** How fast the memory of node {@code memory} is for the processors of node {@code initiator}, as far as stated. */
    public MemoryPerformance performance(int initiator, int memory) {
        return performance[initiator][memory];
    }

    /** Whether any latency or bandwidth is stated, so that the guest needs an HMAT. */
    public boolean hasPerformance() {
        return Arrays.stream(performance).flatMap(Arrays::stream).anyMatch(MemoryPerformance::stated);
    }

    /** Sockets, dies, cores and threads. */
    public ProcessorLayout processors() {
        return processors;
    }

    /** The vCPUs' APIC IDs and nodes, for CPUID, the MADT and the SRAT. */
    public CpuTopology cpuTopology() {
        return cpuTopology(0);
    }

    /**
     * The same for a host whose processors fix how many APIC IDs share a last-level cache.
     *
     * @param leastCacheShift what {@code CpuidTopology.leastCacheShift} says of the host, 0 to 8
     */
    public CpuTopology cpuTopology(int leastCacheShift) {
        if (leastCacheShift < 0 || leastCacheShift > 8) {
            throw new IllegalArgumentException("least cache shift " + leastCacheShift + ": must be 0 to 8");
        }
        var owner = new int[vcpus()];
        for (int n = 0; n < nodes.size(); n++) {
            int node = n;
            nodes.get(n).vcpus().stream().forEach(v -> owner[v] = node);
        }
        return processors.apicIds(v -> owner[v], leastCacheShift);
    }

    /** Distances, latencies and bandwidths, for the SLIT and the HMAT. */
    public NumaDescription description() {
        return new NumaDescription(
                Arrays.stream(distances)
                        .map(row -> Arrays.stream(row).boxed().toList())
                        .toList(),
                Arrays.stream(performance)
                        .map(row -> Arrays.stream(row)
                                .map(p -> new NumaDescription.Performance(
                                        p.readLatency(), p.writeLatency(), p.readBandwidth(), p.writeBandwidth()))
                                .toList())
                        .toList());
    }

    /**
     * An address-space planner that knows the nodes' memory and its alignment; the caller adds address width and devices.
     *
     * @param growth by how many bytes the node with the given number may grow by hot-add
     */
    public AddressSpacePlanner addressSpace(IntToLongFunction growth) {
        AddressSpacePlanner planner = AddressSpacePlan.builder();
        for (int n = 0; n < nodes.size(); n++) {
            planner.node(nodes.get(n).memory(), growth.applyAsLong(n));
        }
        long largest = nodes.stream().mapToLong(NumaNode::hugePageSize).max().orElse(0);
        return planner.nodeAlignment(Math.max(MEMORY_GRANULE, largest));
    }

    /** Whether a node may take its memory from several host nodes (Hyper-V's NUMA spanning). */
    public boolean spanning() {
        return spanning;
    }

    /** Whether every vCPU gets a host CPU of its own, on which no vCPU of another pinned machine of this process runs. */
    public boolean pinned() {
        return pinned;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof NumaTopology t
                && nodes.equals(t.nodes)
                && Arrays.deepEquals(distances, t.distances)
                && Arrays.deepEquals(performance, t.performance)
                && processors.equals(t.processors)
                && spanning == t.spanning
                && pinned == t.pinned;
    }

    @Override
    public int hashCode() {
        return 31 * nodes.hashCode() + Arrays.deepHashCode(distances);
    }

    /** {@code NumaTopology[4 vCPUs, 4096 MiB, 2 nodes]}. */
    @Override
    public String toString() {
        return "NumaTopology[" + vcpus() + " vCPUs, " + (memory() >> 20) + " MiB, " + nodes.size() + " nodes]";
    }
}
