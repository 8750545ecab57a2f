package io.javisor.numa.cpuid;

import io.javisor.partition.topology.CpuTopology;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites the host's CPUID leaves for one vCPU, so that a stock guest sees the sockets, dies, cores and threads of its
 * {@link CpuTopology}, caches that don't reach across NUMA nodes, and no contradiction to warn of. All other leaves pass
 * unchanged.
 *
 * <pre>
 *   leaf        who reads it      what it says
 *   1           all               low 8 bits of the APIC ID, vCPUs in the socket, HTT
 *   4           Intel             APIC IDs that share each cache; cores in the socket
 *   0xB         all               APIC ID, shifts of core and socket
 *   0x1F        Intel; AMD with   the same with a level for dies
 *               several dies
 *   0x80000001  AMD               CmpLegacy, TopologyExtensions
 *   0x80000008  AMD               threads in the socket, width of the APIC ID below the socket
 *   0x8000001D  AMD               APIC IDs that share each cache
 *   0x8000001E  AMD               APIC ID, core, node of the socket
 *   0x80000026  AMD               taken away: it would contradict the rest
 * </pre>
 */
public final class CpuidTopology {
    private static final int MAX_BASIC = 0;
    private static final int FEATURES = 1;
    private static final int CACHES = 4;
    private static final int TOPOLOGY = 0xB;
    private static final int TOPOLOGY_V2 = 0x1F;
    static final int MAX_EXTENDED = 0x8000_0000;
    private static final int AMD_FEATURES = 0x8000_0001;
    private static final int AMD_SIZES = 0x8000_0008;
    private static final int AMD_CACHES = 0x8000_001D;
    private static final int AMD_TOPOLOGY = 0x8000_001E;
    private static final int AMD_TOPOLOGY_V2 = 0x8000_0026;

    private static final int X2APIC = 1 << 21;
    private static final int HTT = 1 << 28;
    private static final int CMP_LEGACY = 1 << 1;
    private static final int NODE_ID_MSR = 1 << 19;
    private static final int TOPOLOGY_EXTENSIONS = 1 << 22;

    // Kinds of level in leaves 0xB and 0x1F (Intel SDM volume 2, CPUID).
    private static final int LEVEL_THREAD = 1;
    private static final int LEVEL_CORE = 2;
    private static final int LEVEL_DIE = 5;

    private static final int ZEN = 0x17;

    private final TreeMap<Long, CpuidLeaf> leaves = new TreeMap<>(Comparator.naturalOrder());
    private final CpuTopology topology;
    private final int vcpu;
    private final int apicId;
    private final CpuVendor vendor;
    private final int family;

    private CpuidTopology(List<CpuidLeaf> host, CpuTopology topology, int vcpu) {
        this.topology = topology;
        this.vcpu = vcpu;
        this.apicId = topology.apicId(vcpu);
        this.vendor = CpuVendor.of(host);
        this.family = family(host);
        host.forEach(this::put);
    }

    /**
     * The leaves of one vCPU.
     *
     * @param host what the host supports, all vCPUs alike (KVM_GET_SUPPORTED_CPUID)
     * @param topology the guest's processors
     * @param vcpu index of the vCPU
     * @return all leaves, by function and index
     */
    public static List<CpuidLeaf> adjust(List<CpuidLeaf> host, CpuTopology topology, int vcpu) {
        var cpuid = new CpuidTopology(host, topology, vcpu);
        cpuid.features();
        cpuid.topologyLeaves();
        if (cpuid.vendor == CpuVendor.AMD) {
            cpuid.amd();
        } else {
            cpuid.intelCaches();
        }
        return List.copyOf(cpuid.leaves.values());
    }

    /**
     * How many low bits of the APIC ID a last-level cache spans at least. Linux assumes that on the first Zen processors
     * (family 0x17, models up to 0x1F) eight APIC IDs share one, whatever CPUID says; elsewhere it is 0.
     */
    public static int leastCacheShift(List<CpuidLeaf> host) {
        if (CpuVendor.of(host) != CpuVendor.AMD || family(host) != ZEN) {
            return 0;
        }
        int eax = host.stream()
                .filter(l -> l.function() == FEATURES)
                .findFirst()
                .map(CpuidLeaf::eax)
                .orElse(0);
        int model = (eax >> 4 & 0xF) | ((eax >> 16 & 0xF) << 4);
        return model <= 0x1F ? 3 : 0;
    }

    private static int family(List<CpuidLeaf> host) {
        int eax = host.stream()
                .filter(l -> l.function() == FEATURES)
                .findFirst()
                .map(CpuidLeaf::eax)
                .orElse(0);
        int base = eax >> 8 & 0xF;
        return base == 0xF ? base + (eax >> 20 & 0xFF) : base;
    }

    private void features() {
        CpuidLeaf f = get(FEATURES, 0);
        if (f == null) {
            return;
        }
        int inSocket = vcpusIn(topology.socketShift());
        int ebx = (f.ebx() & 0x0000_FFFF) | (Math.min(inSocket, 255) << 16) | (apicId << 24);
        int ecx = topology.needsX2apic() ? f.ecx() | X2APIC : f.ecx();
        int edx = inSocket > 1 ? f.edx() | HTT : f.edx() & ~HTT;
        put(f.with(f.eax(), ebx, ecx, edx));
    }

    /** Leaf 0xB always; 0x1F if the host has it (a stale copy would win) or there are dies to tell of. */
    private void topologyLeaves() {
        boolean dies = topology.socketShift() > topology.dieShift() && (vendor == CpuVendor.INTEL || family >= ZEN);
        CpuidLeaf max = get(MAX_BASIC, 0);
        int highest = max == null ? 0 : max.eax();
        remove(TOPOLOGY);
        remove(TOPOLOGY_V2);
        level(TOPOLOGY, 0, LEVEL_THREAD, topology.coreShift());
        level(TOPOLOGY, 1, LEVEL_CORE, topology.socketShift());
        end(TOPOLOGY, 2);
        if (dies || highest >= TOPOLOGY_V2) {
            int index = 0;
            level(TOPOLOGY_V2, index++, LEVEL_THREAD, topology.coreShift());
            level(TOPOLOGY_V2, index++, LEVEL_CORE, dies ? topology.dieShift() : topology.socketShift());
            if (dies) {
                level(TOPOLOGY_V2, index++, LEVEL_DIE, topology.socketShift());
            }
            end(TOPOLOGY_V2, index);
        }
        raise(MAX_BASIC, dies ? TOPOLOGY_V2 : TOPOLOGY);
    }

    private void level(int function, int index, int type, int shift) {
        put(CpuidLeaf.indexed(function, index, shift, vcpusIn(shift), index | type << 8, apicId));
    }

    private void end(int function, int index) {
        put(CpuidLeaf.indexed(function, index, 0, 0, index, apicId));
    }

    private void intelCaches() {
        int cores = Math.min((1 << (topology.socketShift() - topology.coreShift())) - 1, 63);
        for (CpuidLeaf c : all(CACHES)) {
            if ((c.eax() & 0x1F) != 0) {
                put(c.with((sharing(c.eax()) & 0x03FF_FFFF) | (cores << 26), c.ebx(), c.ecx(), c.edx()));
            }
        }
    }

    private void amd() {
        int inSocket = vcpusIn(topology.socketShift());
        remove(AMD_TOPOLOGY_V2);
        CpuidLeaf max = get(MAX_EXTENDED, 0);
        if (max != null && Integer.compareUnsigned(max.eax(), AMD_TOPOLOGY_V2) >= 0) {
            put(max.with(AMD_TOPOLOGY_V2 - 1, max.ebx(), max.ecx(), max.edx()));
        }
        CpuidLeaf f = get(AMD_FEATURES, 0);
        if (f != null) {
            int ecx = (f.ecx() & ~(CMP_LEGACY | NODE_ID_MSR)) | TOPOLOGY_EXTENSIONS | (inSocket > 1 ? CMP_LEGACY : 0);
            put(f.with(f.eax(), f.ebx(), ecx, f.edx()));
        }
        CpuidLeaf sizes = get(AMD_SIZES, 0);
        if (sizes != null) {
            int ecx = (sizes.ecx() & ~0xF0FF)
                    | Math.min(inSocket - 1, 255)
                    | (Math.min(topology.socketShift(), 15) << 12);
            put(sizes.with(sizes.eax(), sizes.ebx(), ecx, sizes.edx()));
        }
        List<CpuidLeaf> caches = all(AMD_CACHES);
        if (caches.stream().noneMatch(c -> (c.eax() & 0x1F) != 0)) {
            caches = AmdCaches.describe(get(0x8000_0005, 0), get(0x8000_0006, 0));
        }
        for (CpuidLeaf c : caches) {
            put((c.eax() & 0x1F) == 0 ? c : c.with(sharing(c.eax()) & 0x03FF_FFFF, c.ebx(), c.ecx(), c.edx()));
        }
        amdTopology();
        raise(MAX_EXTENDED, AMD_TOPOLOGY);
    }

    private void amdTopology() {
        int threads = vcpusIn(topology.coreShift()) - 1;
        int core = (apicId & (1 << topology.socketShift()) - 1) >>> topology.coreShift();
        // Before Zen, Linux takes the node for the last-level cache, and divides core numbers by nodes per socket.
        int node = apicId >>> (family >= ZEN ? topology.dieShift() : topology.cacheShift());
        int nodesPerSocket = family >= ZEN ? 1 << (topology.socketShift() - topology.dieShift()) : 1;
        remove(AMD_TOPOLOGY);
        put(CpuidLeaf.of(
                AMD_TOPOLOGY,
                apicId,
                (core & 0xFF) | (Math.min(threads, 255) << 8),
                (node & 0xFF) | ((Math.min(nodesPerSocket, 8) - 1) << 8),
                0));
    }

    /** EAX of a cache with the APIC IDs that share it in bits 14 to 25: a core's below level 3, a cache group's from there. */
    private int sharing(int eax) {
        int level = eax >> 5 & 7;
        int shift = level >= 3 ? topology.cacheShift() : topology.coreShift();
        return (eax & ~0x03FF_C000) | (Math.min((1 << shift) - 1, 0xFFF) << 14);
    }

    private int vcpusIn(int shift) {
        return topology.sharing(vcpu, shift);
    }

    private void raise(int function, int least) {
        CpuidLeaf max = get(function, 0);
        if (max != null && Integer.compareUnsigned(max.eax(), least) < 0) {
            put(max.with(least, max.ebx(), max.ecx(), max.edx()));
        }
    }

    private @Nullable CpuidLeaf get(int function, int index) {
        return leaves.get(key(function, index));
    }

    private List<CpuidLeaf> all(int function) {
        return new ArrayList<>(
                leaves.subMap(key(function, 0), true, key(function, -1), true).values());
    }

    private void put(CpuidLeaf leaf) {
        leaves.put(key(leaf.function(), leaf.index()), leaf);
    }

    private void remove(int function) {
        all(function).forEach(l -> leaves.remove(key(l.function(), l.index())));
    }

    /** Orders by function and index as unsigned numbers, the basic leaves first. */
    private static long key(int function, int index) {
        return (((function & 0xFFFF_FFFFL) - 0x8000_0000L) << 32) | (index & 0xFFFF_FFFFL);
    }
}
