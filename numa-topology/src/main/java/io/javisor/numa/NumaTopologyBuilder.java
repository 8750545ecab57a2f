package io.javisor.numa;

import io.javisor.numa.host.HostTopology;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Describes a guest's NUMA topology. Any value is taken; {@link #validate} says everything that is wrong, and {@link #build}
 * throws it. Not thread-safe.
 */
public final class NumaTopologyBuilder {
    record Distance(int from, int to, int value) {}

    record Performance(int initiator, int memory, MemoryPerformance value) {}

    final List<NumaNodeBuilder> nodes = new ArrayList<>();
    final List<Distance> distances = new ArrayList<>();
    final List<Performance> performance = new ArrayList<>();
    int vcpus;
    int sockets;
    int dies;
    int cores;
    int threads;
    int nodesPerSocket = 1;
    boolean spanning = true;
    boolean pinned;
    long hugePageSize;

    NumaTopologyBuilder() {}

    /** Adds a node; nodes are numbered from 0 in the order of these calls. */
    public NumaTopologyBuilder node(Consumer<NumaNodeBuilder> description) {
        var node = new NumaNodeBuilder();
        description.accept(node);
        nodes.add(node);
        return this;
    }

    /**
     * How many vCPUs the machine has. Needed only as a check on the nodes, which between them must have them all.
     *
     * @param total 1 to {@link NumaTopology#MAX_VCPUS}; 0 (the default) for the sum over the nodes
     */
    public NumaTopologyBuilder vcpus(int total) {
        vcpus = total;
        return this;
    }

    /**
     * How far the memory of node {@code to} is from node {@code from}. The other direction is the same unless it is given
     * too. Where neither is given it is {@link NumaTopology#DEFAULT_DISTANCE}.
     *
     * @param value 11 to 254 between different nodes, 10 from a node to itself, or {@link NumaTopology#UNREACHABLE}
     */
    public NumaTopologyBuilder distance(int from, int to, int value) {
        distances.add(new Distance(from, to, value));
        return this;
    }

    /**
     * How fast the memory of node {@code memory} is for the processors of node {@code initiator}. The guest gets an HMAT as
     * soon as one pair is stated.
     */
    public NumaTopologyBuilder performance(int initiator, int memory, MemoryPerformance value) {
        performance.add(new Performance(initiator, memory, value));
        return this;
    }

    /** States latency (in nanoseconds) and bandwidth (in MiB a second), the same for reading and writing; see above. */
    public NumaTopologyBuilder performance(int initiator, int memory, int latency, long bandwidth) {
        return performance(initiator, memory, new MemoryPerformance(latency, latency, bandwidth, bandwidth));
    }

    /**
     * How many sockets the vCPUs fill, all alike; vCPUs fill threads, then cores, dies and sockets, in order of their index.
     * The default is one socket for each node (or for each {@link #nodesPerSocket}) that has vCPUs.
     */
    public NumaTopologyBuilder sockets(int count) {
        sockets = count;
        return this;
    }

    /** Dies in each socket; the default is 1. */
    public NumaTopologyBuilder dies(int perSocket) {
        dies = perSocket;
        return this;
    }

    /** Cores in each die; the default is as many as the vCPUs need. */
    public NumaTopologyBuilder cores(int perDie) {
        cores = perDie;
        return this;
    }

    /** Threads in each core; the default is 1. */
    public NumaTopologyBuilder threads(int perCore) {
        threads = perCore;
        return this;
    }

    /** How many nodes with vCPUs share a socket, where {@link #sockets} is not given; the default is 1. */
    public NumaTopologyBuilder nodesPerSocket(int count) {
        nodesPerSocket = count;
        return this;
    }

    /**
     * Whether a node may take its memory from several host nodes; the default is true. Without spanning, a machine whose
     * nodes don't each fit into one host node doesn't start.
     */
    public NumaTopologyBuilder spanning(boolean allowed) {
        spanning = allowed;
        return this;
    }

    /**
     * Whether every vCPU is pinned to a host CPU of its own: threads of one core to threads of one core where the host has as
     * many, else idle cores first. The default is false: vCPUs float among the CPUs of their host node, which the host's
     * scheduler does well. A machine that finds too few CPUs free of other pinned vCPUs is not created.
     */
    public NumaTopologyBuilder pinned(boolean pin) {
        pinned = pin;
        return this;
    }

    /**
     * Backs every node that has memory and says nothing of it by hugetlb pages; see {@link NumaNodeBuilder#hugePages}.
     *
     * @param size bytes of a page: 2 MiB or 1 GiB; 0 (the default) for ordinary memory
     */
    public NumaTopologyBuilder hugePages(long size) {
        hugePageSize = size;
        return this;
    }

    /**
     * Adds nodes in the host's own shape: as few as the limits allow, vCPUs and memory divided evenly, and as far apart as the
     * host's nodes that lie closest together.
     *
     * @param host the host
     * @param total vCPUs
     * @param memory bytes, a multiple of 2 MiB
     * @param limits how large a node may be; {@link MirrorLimits#of} for the host's own limits
     */
    public NumaTopologyBuilder mirrorHost(HostTopology host, int total, long memory, MirrorLimits limits) {
        HostMirror.describe(this, host, total, memory, limits);
        return this;
    }

    /** Everything that is wrong, in the order of the description; empty if the topology can be built. */
    public List<TopologyProblem> validate() {
        return new TopologyAssembly(this).problems();
    }

    /**
     * The topology.
     *
     * @throws TopologyException with all problems, code {@code numa-spec}
     */
    public NumaTopology build() {
        return new TopologyAssembly(this).build();
    }
}
