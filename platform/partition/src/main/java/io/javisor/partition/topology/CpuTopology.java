package io.javisor.partition.topology;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;

/**
 * The vCPUs of a machine, by index, and how their APIC IDs are divided into bit fields. All that CPUID leaves 0xB and 0x1F,
 * the MADT and the SRAT say follows from it.
 *
 * <pre>
 *   APIC ID:  [ socket | die | cores that share a last-level cache | core | thread ]
 *                      ^socketShift ^dieShift                ^cacheShift ^coreShift
 * </pre>
 *
 * <p>vCPU 0 boots the machine and has APIC ID 0. IDs above 254 need x2APIC (ACPI 6.5 section 5.2.12.12); 255 itself is the
 * broadcast ID of the older mode, so a machine that uses it must turn off KVM's broadcast quirk
 * (KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK).
 *
 * @param vcpus by index
 * @param coreShift bits of the APIC ID below which vCPUs are threads of one core
 * @param cacheShift bits below which vCPUs share a last-level cache
 * @param dieShift bits below which vCPUs are on one die
 * @param socketShift bits below which vCPUs are in one socket
 */
public record CpuTopology(List<Vcpu> vcpus, int coreShift, int cacheShift, int dieShift, int socketShift) {
    /** Most vCPUs: KVM_MAX_VCPUS of Linux 6.12 (arch/x86/include/asm/kvm_host.h); the host's kernel may allow fewer. */
    public static final int MAX_VCPUS = 4096;

    /** The largest APIC ID that fits the MADT's and the SRAT's 8-bit structures (ACPI 6.5 section 5.2.12.2). */
    public static final int MAX_XAPIC_ID = 254;

    /**
     * One vCPU.
     *
     * @param apicId its APIC ID, which is also its KVM vCPU ID; 0 for vCPU 0, unique
     * @param node the guest NUMA node that it belongs to, from 0
     */
    public record Vcpu(int apicId, int node) {}

    /** Checks that APIC IDs are unique, that vCPU 0 has ID 0, and that a core's threads are on one node. */
    public CpuTopology {
        vcpus = List.copyOf(vcpus);
        if (vcpus.isEmpty() || vcpus.size() > MAX_VCPUS) {
            throw new IllegalArgumentException(vcpus.size() + " vCPUs: must be 1 to " + MAX_VCPUS);
        }
        if (coreShift < 0
                || cacheShift < coreShift
                || dieShift < cacheShift
                || socketShift < dieShift
                || socketShift > 30) {
            throw new IllegalArgumentException("APIC ID fields must not shrink: core " + coreShift + ", cache "
                    + cacheShift + ", die " + dieShift + ", socket " + socketShift);
        }
        if (vcpus.getFirst().apicId != 0) {
            throw new IllegalArgumentException("vCPU 0 must have APIC ID 0, not " + vcpus.getFirst().apicId);
        }
        var ids = new HashSet<Integer>();
        var coreNodes = new HashMap<Integer, Integer>();
        for (int i = 0; i < vcpus.size(); i++) {
            Vcpu v = vcpus.get(i);
            if (v.apicId < 0 || v.node < 0) {
                throw new IllegalArgumentException("vCPU " + i + ": negative APIC ID or node: " + v);
            }
            if (!ids.add(v.apicId)) {
                throw new IllegalArgumentException("vCPU " + i + ": APIC ID " + v.apicId + " is taken");
            }
            Integer other = coreNodes.putIfAbsent(v.apicId >>> coreShift, v.node);
            if (other != null && other != v.node) {
                throw new IllegalArgumentException(
                        "vCPU " + i + " is on node " + v.node + " but another thread of its core is on node " + other);
            }
        }
    }

    /** One socket of {@code vcpus} single-threaded cores on node 0. */
    public static CpuTopology flat(int vcpus) {
        return uniform(1, 1, vcpus, 1, Collections.nCopies(vcpus, 0));
    }

    /**
     * Equal sockets, filled in order: threads first, then cores, dies, sockets. Each die has one last-level cache.
     *
     * @param sockets packages, at least 1
     * @param dies in each socket, at least 1
     * @param cores in each die, at least 1
     * @param threads in each core, at least 1
     * @param nodes the node of each vCPU; may be fewer vCPUs than there are places, not more
     */
    public static CpuTopology uniform(int sockets, int dies, int cores, int threads, List<Integer> nodes) {
        if (sockets < 1 || dies < 1 || cores < 1 || threads < 1) {
            throw new IllegalArgumentException(sockets + " sockets, " + dies + " dies, " + cores + " cores, " + threads
                    + " threads: all must be positive");
        }
        if (nodes.size() > (double) sockets * dies * cores * threads) {
            throw new IllegalArgumentException(nodes.size() + " vCPUs do not fit " + sockets + " sockets × " + dies
                    + " dies × " + cores + " cores × " + threads + " threads");
        }
        int coreShift = width(threads);
        int dieShift = coreShift + width(cores);
        int socketShift = dieShift + width(dies);
        var vcpus = new ArrayList<Vcpu>(nodes.size());
        for (int i = 0; i < nodes.size(); i++) {
            int thread = i % threads;
            int core = i / threads % cores;
            int die = i / threads / cores % dies;
            int socket = i / threads / cores / dies;
            vcpus.add(new Vcpu(socket << socketShift | die << dieShift | core << coreShift | thread, nodes.get(i)));
        }
        return new CpuTopology(vcpus, coreShift, dieShift, dieShift, socketShift);
    }

    /** How many vCPUs there are. */
    public int count() {
        return vcpus.size();
    }

    /** The vCPU's APIC ID. */
    public int apicId(int vcpu) {
        return vcpus.get(vcpu).apicId;
    }

    /** The vCPU's node. */
    public int node(int vcpu) {
        return vcpus.get(vcpu).node;
    }

    /** The largest APIC ID; KVM's own limit is KVM_CAP_MAX_VCPU_ID − 1. */
    public int maxApicId() {
        return vcpus.stream().mapToInt(Vcpu::apicId).max().orElseThrow();
    }

    /** Whether the machine has vCPUs that only x2APIC can address. */
    public boolean needsX2apic() {
        return maxApicId() > MAX_XAPIC_ID;
    }

    /** How many vCPUs share the APIC ID bits above {@code shift} with the given one, itself included. */
    public int sharing(int vcpu, int shift) {
        int prefix = apicId(vcpu) >>> shift;
        return (int) vcpus.stream().filter(v -> v.apicId >>> shift == prefix).count();
    }

    private static int width(int count) {
        return 32 - Integer.numberOfLeadingZeros(count - 1);
    }
}
