package io.javisor.numa;

import io.javisor.partition.MemoryBacking;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Describes one virtual NUMA node; any value is taken, and checked when the topology is built. Not thread-safe. */
public final class NumaNodeBuilder {
    int vcpuCount;

    @Nullable
    List<Integer> vcpuIndexes;

    long memory;
    final List<Integer> hostNodes = new ArrayList<>();
    MemoryBacking.@Nullable Policy policy;
    long hugePageSize;

    NumaNodeBuilder() {}

    /**
     * How many vCPUs the node has. They are numbered on from those of the nodes before it.
     *
     * @param count 0 (the default) to {@link NumaTopology#MAX_VCPUS}
     */
    public NumaNodeBuilder vcpus(int count) {
        vcpuCount = count;
        return this;
    }

    /**
     * Which vCPUs the node has, by index. If one node says so, all nodes with vCPUs must, and between them they name every
     * vCPU from 0 up once.
     */
    public NumaNodeBuilder vcpuIndexes(int... indexes) {
        vcpuIndexes = IntStream.of(indexes).boxed().toList();
        return this;
    }

    /** Which vCPUs the node has, as a set; see {@link #vcpuIndexes(int...)}. */
    public NumaNodeBuilder vcpuIndexes(CpuSet indexes) {
        vcpuIndexes = indexes.toList();
        return this;
    }

    /**
     * Boot memory.
     *
     * @param bytes 0 (the default: none) or a multiple of 2 MiB, up to {@link NumaTopology#MAX_NODE_MEMORY}
     */
    public NumaNodeBuilder memory(long bytes) {
        memory = bytes;
        return this;
    }

    /**
     * The host node that the node's memory and vCPUs are kept on. Called again, it adds another (for
     * {@link MemoryBacking.Policy#INTERLEAVE}, or for nodes larger than any of the host's).
     *
     * @param node 0 to 63
     */
    public NumaNodeBuilder hostNode(int node) {
        hostNodes.add(node);
        return this;
    }

    /**
     * How strictly memory is kept on the host nodes. The default is {@code PREFERRED} if the topology allows spanning, which
     * never fails, and {@code BIND} if it doesn't.
     */
    public NumaNodeBuilder policy(MemoryBacking.Policy value) {
        policy = value;
        return this;
    }

    /**
     * Backs the memory by hugetlb pages, which the host must have reserved.
     *
     * @param size bytes of a page: 2 MiB or 1 GiB; 0 (the default) for ordinary memory
     */
    public NumaNodeBuilder hugePages(long size) {
        hugePageSize = size;
        return this;
    }
}
