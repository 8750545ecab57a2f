package io.javisor.numa;

import java.util.List;

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

    /** Bits of the APIC ID below which vCPUs are threads of one core. */
    public int coreShift() {
        return width(threads);
    }

    /** Bits of the APIC ID below which vCPUs share a last-level cache. */
    public int cacheShift() {
        return coreShift() + width(cores);
    }

    /** Bits of the APIC ID below which vCPUs are on one die. */
    public int dieShift() {
        return cacheShift() + width(groups);
    }

    /** Bits of the APIC ID below which vCPUs are in one socket. */
    public int socketShift() {
        return dieShift() + width(dies);
    }

    /** The vCPU's APIC ID. It exceeds 254 on large machines, which then need x2APIC. */
    public int apicId(int vcpu) {
        VcpuPosition p = positions.get(vcpu);
        return p.socket() << socketShift()
                | p.die() << dieShift()
                | p.group() << cacheShift()
                | p.core() << coreShift()
                | p.thread();
    }

    /** The largest APIC ID in use; KVM's limit for it is KVM_CAP_MAX_VCPU_ID − 1. */
    public int maxApicId() {
        int max = 0;
        for (int i = 0; i < positions.size(); i++) {
            max = Math.max(max, apicId(i));
        }
        return max;
    }

    /** How many vCPUs are threads of the same core as the given one, itself included. */
    public int vcpusInCore(int vcpu) {
        return sharing(vcpu, coreShift());
    }

    /** How many vCPUs share a last-level cache with the given one, itself included. */
    public int vcpusInCache(int vcpu) {
        return sharing(vcpu, cacheShift());
    }

    /** How many vCPUs are on the same die as the given one, itself included. */
    public int vcpusInDie(int vcpu) {
        return sharing(vcpu, dieShift());
    }

    /** How many vCPUs are in the same socket as the given one, itself included. */
    public int vcpusInSocket(int vcpu) {
        return sharing(vcpu, socketShift());
    }

    private int sharing(int vcpu, int shift) {
        int prefix = apicId(vcpu) >>> shift;
        int count = 0;
        for (int i = 0; i < positions.size(); i++) {
            if (apicId(i) >>> shift == prefix) {
                count++;
            }
        }
        return count;
    }

    /** Bits that hold the numbers below {@code count}. */
    static int width(int count) {
        return count <= 1 ? 0 : 32 - Integer.numberOfLeadingZeros(count - 1);
    }
}
