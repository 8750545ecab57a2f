package io.javisor.numa.host;

import io.javisor.numa.CpuSet;
import io.javisor.numa.MemoryPerformance;
import java.util.List;

/**
 * One host NUMA node.
 *
 * @param id the kernel's number; numbers may have gaps
 * @param cpus its online CPUs; empty for a memory-only node
 * @param memoryTotal bytes; 0 for a node without memory
 * @param memoryFree bytes that nobody uses
 * @param memoryReclaimable bytes of page cache and reclaimable kernel memory, which the kernel can free when asked
 * @param hugePages hugetlb pages on this node, by ascending size
 * @param performance how fast its memory is for the nearest processors, as far as the firmware says (HMAT)
 * @param nearest the nodes with the nearest processors according to the HMAT; empty if the firmware doesn't say
 */
public record HostNode(
        int id,
        CpuSet cpus,
        long memoryTotal,
        long memoryFree,
        long memoryReclaimable,
        List<HugePages> hugePages,
        MemoryPerformance performance,
        CpuSet nearest) {

    /** Copies the list. */
    public HostNode {
        hugePages = List.copyOf(hugePages);
    }

    /** Whether it has memory. */
    public boolean hasMemory() {
        return memoryTotal > 0;
    }

    /** Bytes that a new machine could get here: free memory, and what the kernel can reclaim. */
    public long memoryAvailable() {
        return memoryFree + memoryReclaimable;
    }

    /** Bytes in free hugetlb pages of the given size. */
    public long hugeBytesFree(long size) {
        return hugePages.stream()
                .filter(h -> h.size() == size)
                .mapToLong(h -> h.free() * h.size())
                .sum();
    }
}
