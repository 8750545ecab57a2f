package io.javisor.numa;

import io.javisor.partition.MemoryBacking;
import java.util.List;

/**
 * One virtual NUMA node. A node may have vCPUs and memory, one of them, or neither.
 *
 * @param vcpus the vCPUs that belong to it, by index
 * @param memory boot memory in bytes, a multiple of 2 MiB and of the huge page size; 0 for none
 * @param hostNodes the host nodes that its memory and vCPUs are kept on, ascending, each 0 to 63; empty if the planner or the
 *     host's kernel chooses
 * @param policy how strictly the memory is kept there; {@link MemoryBacking.Policy#DEFAULT} exactly if {@code hostNodes} is
 *     empty
 * @param hugePageSize bytes of the host's hugetlb pages that back the memory (2 MiB or 1 GiB), or 0 for ordinary memory with
 *     transparent huge pages where the host allows them
 */
public record NumaNode(
        CpuSet vcpus, long memory, List<Integer> hostNodes, MemoryBacking.Policy policy, long hugePageSize) {

    /** Copies the list. */
    public NumaNode {
        hostNodes = List.copyOf(hostNodes);
    }

    /** Whether processors belong to it. */
    public boolean hasVcpus() {
        return !vcpus.isEmpty();
    }

    /** Whether it has boot memory. */
    public boolean hasMemory() {
        return memory > 0;
    }

    /** The host nodes as {@link MemoryBacking#bind} wants them: bit i stands for host node i. */
    public long hostNodeMask() {
        long mask = 0;
        for (int n : hostNodes) {
            mask |= 1L << n;
        }
        return mask;
    }
}
