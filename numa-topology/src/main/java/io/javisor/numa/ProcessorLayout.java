package io.javisor.numa;

import io.javisor.partition.topology.CpuTopology;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * The sockets, dies, cores and threads that a guest's vCPUs make up, and the APIC IDs that say so. An APIC ID is a row of bit
 * fields, each wide enough for the largest count anywhere in the machine (Intel SDM volume 3, "Hierarchical Mapping of
 * Shared Resources"; AMD64 APM volume 3, Fn8000_0008):
 *
 * <pre>
 *   [ socket | die | group | core | thread ]
 * </pre>
 *
 * <p>The group field has bits only where NUMA nodes divide dies: it keeps the cores of one node apart from those of the
 * next, so that the last-level cache, which is shared by a power-of-two range of APIC IDs, never reaches across a node. A
 * guest sees group and core together as the core's number.
 *
 * @param sockets packages, at least 1
 * @param dies dies in the socket that has most
 * @param groups node-sized groups of cores in the die that has most
 * @param cores cores in the group that has most
 * @param threads threads in each core, 1 or 2 on hardware, here any number
 * @param positions by vCPU index
 */
public record ProcessorLayout(int sockets, int dies, int groups, int cores, int threads, List<VcpuPosition> positions) {

    /** Copies the list. */
    public ProcessorLayout {
        positions = List.copyOf(positions);
    }

    /**
     * The APIC IDs.
     *
     * @param nodeOf the node of each vCPU
     * @param leastCacheShift how many low bits of the APIC ID a last-level cache spans at least: 0, or what
     *     {@code CpuidTopology.leastCacheShift} says of the host's processor
     */
    CpuTopology apicIds(IntUnaryOperator nodeOf, int leastCacheShift) {
        int coreShift = width(threads);
        int cacheShift = Math.max(coreShift + width(cores), leastCacheShift);
        int dieShift = cacheShift + width(groups);
        int socketShift = dieShift + width(dies);
        var vcpus = new ArrayList<CpuTopology.Vcpu>(positions.size());
        for (int i = 0; i < positions.size(); i++) {
            VcpuPosition p = positions.get(i);
            int apicId = p.socket() << socketShift
                    | p.die() << dieShift
                    | p.group() << cacheShift
                    | p.core() << coreShift
                    | p.thread();
            vcpus.add(new CpuTopology.Vcpu(apicId, nodeOf.applyAsInt(i)));
        }
        return new CpuTopology(vcpus, coreShift, cacheShift, dieShift, socketShift);
    }

    /** Bits that hold the numbers below {@code count}. */
    private static int width(int count) {
        return 32 - Integer.numberOfLeadingZeros(count - 1);
    }
}
