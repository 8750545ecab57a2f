package io.javisor.numa.cpuid;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.numa.NumaTopology;
import io.javisor.numa.NumaTopologyBuilder;
import io.javisor.partition.topology.CpuTopology;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** CPUID topology, read back as Linux 6.1 and 6.12 read it. */
class CpuidTopologyTest {
    private static CpuidLeaf vendor(String name, int max) {
        byte[] b = name.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        return CpuidLeaf.of(0, max, word(b, 0), word(b, 8), word(b, 4));
    }

    private static int word(byte[] b, int at) {
        return java.nio.ByteBuffer.wrap(b)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .getInt(at);
    }

    /** A Skylake server, as KVM would tell of it on a host of 2 sockets × 20 cores × 2 threads. */
    private static List<CpuidLeaf> intel(int maxBasic) {
        var list = new ArrayList<>(List.of(
                vendor("GenuineIntel", maxBasic),
                CpuidLeaf.of(1, 0x50654, 0x05400800, 0x77FEFBFF, 0xBFEBFBFF),
                CpuidLeaf.indexed(4, 0, 0x7C004121, 0x01C0003F, 0x3F, 0),
                CpuidLeaf.indexed(4, 1, 0x7C004122, 0x01C0003F, 0x3F, 0),
                CpuidLeaf.indexed(4, 2, 0x7C004143, 0x03C0003F, 0x3FF, 0),
                CpuidLeaf.indexed(4, 3, 0x7C0FC163, 0x0280003F, 0x9FFF, 4),
                CpuidLeaf.indexed(4, 4, 0, 0, 0, 0),
                CpuidLeaf.indexed(0xB, 0, 1, 2, 0x100, 5),
                CpuidLeaf.indexed(0xB, 1, 6, 40, 0x201, 5),
                CpuidLeaf.of(0xD, 7, 832, 832, 0),
                CpuidLeaf.of(0x80000000, 0x80000008, 0, 0, 0),
                CpuidLeaf.of(0x80000008, 0x302E, 0, 0, 0)));
        if (maxBasic >= 0x1F) {
            list.add(CpuidLeaf.indexed(0x1F, 0, 1, 2, 0x100, 5));
            list.add(CpuidLeaf.indexed(0x1F, 1, 6, 40, 0x201, 5));
        }
        return list;
    }

    private static List<CpuidLeaf> amd(int family, boolean caches) {
        int eax = family < 0xF ? family << 8 : 0xF00 | (family - 0xF) << 20;
        var list = new ArrayList<>(List.of(
                vendor("AuthenticAMD", 0x10),
                CpuidLeaf.of(1, eax | 0x10 | 0x30000, 0x03400800, 0x7EF8320B, 0x178BFBFF),
                CpuidLeaf.indexed(0xB, 0, 1, 2, 0x100, 3),
                CpuidLeaf.of(0x80000000, 0x80000028, 0, 0, 0),
                CpuidLeaf.of(0x80000001, eax, 0, (0x75C237FF & ~(1 << 22)) | (1 << 19), 0x2FD3FBFF),
                CpuidLeaf.of(0x80000005, 0, 0, 0x20080140, 0x20080140),
                CpuidLeaf.of(0x80000006, 0, 0, 0x02006140, 0x00808140),
                CpuidLeaf.of(0x80000008, 0x3030, 0x1000, 0x707F | 0x10000, 0),
                CpuidLeaf.of(0x80000021, 0x45, 0, 0, 0),
                CpuidLeaf.indexed(0x80000026, 0, 1, 2, 0x100, 3)));
        if (caches) {
            list.add(CpuidLeaf.indexed(0x8000001D, 0, 0x4121, 0x1C0003F, 63, 0));
            list.add(CpuidLeaf.indexed(0x8000001D, 1, 0x4122, 0x1C0003F, 63, 0));
            list.add(CpuidLeaf.indexed(0x8000001D, 2, 0x4143, 0x1C0003F, 0x3FF, 2));
            list.add(CpuidLeaf.indexed(0x8000001D, 3, 0x3C163, 0x3C0003F, 0x7FFF, 1));
            list.add(CpuidLeaf.indexed(0x8000001D, 4, 0, 0, 0, 0));
            list.add(CpuidLeaf.of(0x8000001E, 3, 0x101, 0, 0));
        }
        return list;
    }

    private static CpuTopology topology(Consumer<NumaTopologyBuilder> spec) {
        return NumaTopology.of(spec).cpuTopology();
    }

    private static CpuidLeaf leaf(List<CpuidLeaf> leaves, int function, int index) {
        return leaves.stream()
                .filter(l -> l.function() == function && l.index() == index)
                .findFirst()
                .orElseThrow();
    }

    private static boolean has(List<CpuidLeaf> leaves, int function) {
        return leaves.stream().anyMatch(l -> l.function() == function);
    }

    /** What Linux derives for one CPU: who shares what with whom is told by equal prefixes of the APIC ID. */
    private record Seen(int apicId, int socket, int die, int core, int cache, Set<String> complaints) {}

    private static Seen linux(List<CpuidLeaf> l) {
        var complaints = new TreeSet<String>();
        int maxBasic = leaf(l, 0, 0).eax();
        int function = maxBasic >= 0x1F && has(l, 0x1F) && leaf(l, 0x1F, 0).ebx() != 0 ? 0x1F : 0xB;
        int smt = 0;
        int core = 0;
        int socket = 0;
        int id = leaf(l, function, 0).edx();
        for (int i = 0; ; i++) {
            CpuidLeaf sub = leaf(l, function, i);
            int type = sub.ecx() >> 8 & 0xFF;
            if (type == 0 || sub.ebx() == 0) {
                break;
            }
            if (i == 0 && type != 1) {
                complaints.add("first level is not threads");
            }
            if (sub.edx() != id) {
                complaints.add("APIC ID mismatch");
            }
            if ((sub.ecx() & 0xFF) != i || sub.eax() < socket) {
                complaints.add("levels out of order");
            }
            if (sub.ebx() > 1 << sub.eax()) {
                complaints.add("more CPUs than the shift holds");
            }
            socket = sub.eax();
            switch (type) {
                case 1 -> smt = sub.eax();
                case 2 -> core = sub.eax();
                case 5 -> {}
                default -> complaints.add("unknown level " + type);
            }
        }
        if (leaf(l, 1, 0).ebx() >>> 24 != (id & 0xFF)) {
            complaints.add("leaf 1 has another APIC ID");
        }
        boolean amd = CpuVendor.of(l) == CpuVendor.AMD;
        if (amd && leaf(l, 0x8000001E, 0).eax() != id) {
            complaints.add("leaf 8000001E has another APIC ID");
        }
        if (amd && (leaf(l, 0x80000008, 0).ecx() >> 12 & 0xF) != socket) {
            complaints.add("leaf 80000008 has another width");
        }
        int cacheLeaf = amd ? 0x8000001D : 4;
        int cache = 0;
        for (int i = 0; (leaf(l, cacheLeaf, i).eax() & 0x1F) != 0; i++) {
            int sharing = (leaf(l, cacheLeaf, i).eax() >> 14 & 0xFFF) + 1;
            cache = 32 - Integer.numberOfLeadingZeros(sharing - 1);
            if (cache > socket) {
                complaints.add("cache wider than socket");
            }
        }
        return new Seen(id, id >>> socket, id >>> core, id >>> smt, id >>> cache, complaints);
    }

    private static List<Seen> boot(List<CpuidLeaf> host, CpuTopology t) {
        var seen = new ArrayList<Seen>();
        for (int i = 0; i < t.count(); i++) {
            Seen s = linux(CpuidTopology.adjust(host, t, i));
            assertThat(s.complaints()).as("vCPU " + i).isEmpty();
            assertThat(s.apicId()).isEqualTo(t.apicId(i));
            seen.add(s);
        }
        // sched: "CPU's llc-sibling is not on the same node"
        for (int a = 0; a < t.count(); a++) {
            for (int b = 0; b < a; b++) {
                if (seen.get(a).cache() == seen.get(b).cache()
                        || seen.get(a).core() == seen.get(b).core()) {
                    assertThat(t.node(a)).as("vCPUs " + a + " and " + b).isEqualTo(t.node(b));
                }
            }
        }
        return seen;
    }

    private static long distinct(List<Seen> seen, java.util.function.ToIntFunction<Seen> what) {
        return seen.stream().mapToInt(what).distinct().count();
    }

    @ParameterizedTest
    @CsvSource({
        // sockets, dies, cores, threads, nodes
        "1,1,1,1,1",
        "1,1,4,1,1",
        "2,1,4,2,2",
        "2,1,3,2,2",
        "2,2,2,2,2",
        "1,1,8,1,2",
        "2,1,6,1,4",
        "1,2,3,2,2",
        "4,1,16,2,4",
        "8,1,8,1,8",
        "1,4,2,2,4",
        "1,1,12,1,3"
    })
    void guestSeesWhatTheSpecSays(int sockets, int dies, int cores, int threads, int nodes) {
        int vcpus = sockets * dies * cores * threads;
        CpuTopology t = topology(b -> {
            b.sockets(sockets).dies(dies).cores(cores).threads(threads);
            for (int n = 0; n < nodes; n++) {
                b.node(x -> x.vcpus(vcpus / nodes).memory(2 << 20));
            }
        });
        for (List<CpuidLeaf> host : List.of(intel(0x16), intel(0x20), amd(0x19, true), amd(0x19, false))) {
            List<Seen> seen = boot(host, t);
            assertThat(distinct(seen, Seen::socket)).isEqualTo(sockets);
            assertThat(distinct(seen, Seen::die)).isEqualTo((long) sockets * dies);
            assertThat(distinct(seen, Seen::core)).isEqualTo((long) sockets * dies * cores);
            assertThat(distinct(seen, Seen::apicId)).isEqualTo(vcpus);
            assertThat(distinct(seen, Seen::cache)).isEqualTo(Math.max(sockets * dies, nodes));
        }
    }

    @Test
    void unequalNodesGetSocketsOfTheirOwnSize() {
        CpuTopology t = topology(b -> b.node(x -> x.vcpus(5).memory(2 << 20))
                .node(x -> x.vcpus(1).memory(2 << 20))
                .node(x -> x.memory(2 << 20))
                .node(x -> x.vcpus(2)));
        List<Seen> seen = boot(intel(0x16), t);
        assertThat(seen).extracting(Seen::socket).containsExactly(0, 0, 0, 0, 0, 1, 2, 2);
        assertThat(leaf(CpuidTopology.adjust(intel(0x16), t, 5), 0xB, 1).ebx()).isOne();
        assertThat(leaf(CpuidTopology.adjust(intel(0x16), t, 0), 0xB, 1).ebx()).isEqualTo(5);
    }

    @Test
    void leaf1CountsTheSocketAndKeepsTheRest() {
        CpuTopology t = topology(b -> b.node(x -> x.vcpus(4).memory(2 << 20)).node(x -> x.vcpus(4)));
        CpuidLeaf one = leaf(CpuidTopology.adjust(intel(0x16), t, 6), 1, 0);
        assertThat(one.ebx()).isEqualTo(0x06040800);
        assertThat(one.edx() >> 28 & 1).isOne();
        assertThat(one.ecx()).isEqualTo(0x77FEFBFF);
        CpuidLeaf alone = leaf(CpuidTopology.adjust(intel(0x16), CpuTopology.flat(1), 0), 1, 0);
        assertThat(alone.edx()).isEqualTo(0xBFEBFBFF & ~(1 << 28));
        assertThat(alone.ebx()).isEqualTo(0x00010800);
    }

    @Test
    void otherLeavesPassUnchanged() {
        CpuTopology t = CpuTopology.flat(8);
        for (List<CpuidLeaf> host : List.of(intel(0x16), amd(0x19, true))) {
            List<CpuidLeaf> out = CpuidTopology.adjust(host, t, 3);
            for (CpuidLeaf l : host) {
                if (Set.of(0xD, 0x80000005, 0x80000006, 0x80000021).contains(l.function())) {
                    assertThat(out).contains(l);
                }
            }
            // Bits of changed leaves that are not topology's.
            assertThat(leaf(out, 0x80000008, 0).eax())
                    .isEqualTo(leaf(host, 0x80000008, 0).eax());
            assertThat(new HashSet<>(out)).hasSameSizeAs(out);
        }
        CpuidLeaf sizes = leaf(CpuidTopology.adjust(amd(0x19, true), t, 3), 0x80000008, 0);
        assertThat(sizes.ecx()).isEqualTo(0x13007);
        assertThat(leaf(CpuidTopology.adjust(intel(0x16), t, 0), 4, 3).eax() & 0x3FFF)
                .isEqualTo(0x163);
    }

    @Test
    void staleLeaf1fIsReplaced() {
        List<CpuidLeaf> out = CpuidTopology.adjust(intel(0x20), CpuTopology.flat(4), 1);
        assertThat(leaf(out, 0x1F, 1)).isEqualTo(CpuidLeaf.indexed(0x1F, 1, 2, 4, 0x201, 1));
        assertThat(has(CpuidTopology.adjust(intel(0x16), CpuTopology.flat(4), 1), 0x1F))
                .isFalse();
    }

    @Test
    void diesRaiseTheHighestLeaf() {
        CpuTopology t = topology(b -> b.dies(2).cores(2).node(x -> x.vcpus(4).memory(2 << 20)));
        List<CpuidLeaf> out = CpuidTopology.adjust(intel(0x16), t, 3);
        assertThat(leaf(out, 0, 0).eax()).isEqualTo(0x1F);
        assertThat(leaf(out, 0x1F, 2)).isEqualTo(CpuidLeaf.indexed(0x1F, 2, 2, 4, 0x502, 3));
        assertThat(leaf(out, 0x1F, 3).ecx()).isEqualTo(3);
        // Before Zen the die level would hide the node that Linux takes for the cache.
        assertThat(has(CpuidTopology.adjust(amd(0x0F, false), t, 3), 0x1F)).isFalse();
    }

    @Test
    void amdWithoutTopologyExtensionsGetsThem() {
        CpuTopology t =
                topology(b -> b.threads(2).node(x -> x.vcpus(4).memory(2 << 20)).node(x -> x.vcpus(4)));
        List<CpuidLeaf> out = CpuidTopology.adjust(amd(0x0F, false), t, 6);
        int ecx = leaf(out, 0x80000001, 0).ecx();
        assertThat(ecx >> 22 & 1).isOne();
        assertThat(ecx >> 1 & 1).isOne();
        assertThat(ecx >> 19 & 1).isZero();
        CpuidLeaf e = leaf(out, 0x8000001E, 0);
        assertThat(e.eax()).isEqualTo(6);
        assertThat(e.ebx()).isEqualTo(0x0101);
        assertThat(e.ecx()).isEqualTo(1);
        // 32 KiB 8-way data and instruction caches, 512 KiB 8-way L2, 16 MiB 16-way L3, from the older leaves.
        assertThat(leaf(out, 0x8000001D, 0).eax()).isEqualTo(0x4121);
        assertThat(leaf(out, 0x8000001D, 0).ecx()).isEqualTo(63);
        assertThat(leaf(out, 0x8000001D, 2).ebx() >>> 22).isEqualTo(7);
        assertThat(leaf(out, 0x8000001D, 2).ecx()).isEqualTo(1023);
        assertThat(leaf(out, 0x8000001D, 3).ecx()).isEqualTo(16383);
        assertThat(leaf(out, 0x8000001D, 4).eax()).isZero();
        assertThat(has(out, 0x80000026)).isFalse();
        assertThat(leaf(out, 0x80000000, 0).eax()).isEqualTo(0x80000025);
    }

    @Test
    void beforeZenTheNodeIsTheCacheGroup() {
        CpuTopology t = topology(
                b -> b.sockets(1).cores(8).node(x -> x.vcpus(4).memory(2 << 20)).node(x -> x.vcpus(4)));
        for (int v = 0; v < 8; v++) {
            CpuidLeaf e = leaf(CpuidTopology.adjust(amd(0x0F, false), t, v), 0x8000001E, 0);
            assertThat(e.ecx()).isEqualTo(t.node(v));
        }
    }

    @Test
    void firstZenWantsEightApicIdsToACache() {
        assertThat(CpuidTopology.leastCacheShift(amd(0x17, true))).isZero();
        List<CpuidLeaf> zen1 = new ArrayList<>(amd(0x17, true));
        zen1.set(1, CpuidLeaf.of(1, 0x00800F12, 0, 0, 0));
        assertThat(CpuidTopology.leastCacheShift(zen1)).isEqualTo(3);
        assertThat(CpuidTopology.leastCacheShift(intel(0x16))).isZero();
        NumaTopology t = NumaTopology.of(b ->
                b.node(x -> x.vcpus(2).memory(2 << 20)).node(x -> x.vcpus(2)).nodesPerSocket(2));
        CpuTopology wide = t.cpuTopology(CpuidTopology.leastCacheShift(zen1));
        assertThat(wide.apicId(1) >> 3).isNotEqualTo(wide.apicId(2) >> 3);
        boot(zen1.stream().toList(), wide);
    }

    @Test
    void manyVcpusNeedX2apic() {
        CpuTopology t = topology(b -> {
            for (int n = 0; n < 64; n++) {
                b.node(x -> x.vcpus(16).memory(2 << 20));
            }
        });
        assertThat(t.count()).isEqualTo(1024);
        assertThat(t.maxApicId()).isEqualTo(1023);
        List<CpuidLeaf> host = new ArrayList<>(intel(0x16));
        host.set(1, CpuidLeaf.of(1, 0x50654, 0, 0, 0));
        Set<Integer> ids = new HashSet<>();
        for (int v = 0; v < t.count(); v++) {
            List<CpuidLeaf> out = CpuidTopology.adjust(host, t, v);
            assertThat(linux(out).complaints()).isEmpty();
            assertThat(leaf(out, 1, 0).ecx() >> 21 & 1).isOne();
            ids.add(leaf(out, 0xB, 0).edx());
        }
        assertThat(ids).hasSize(1024);
    }

    @Test
    void wideSocketsAreCappedWhereFieldsAreNarrow() {
        CpuTopology t = CpuTopology.flat(1024);
        List<CpuidLeaf> out = CpuidTopology.adjust(intel(0x16), t, 1023);
        assertThat(leaf(out, 1, 0).ebx() >>> 16).isEqualTo(0xFFFF);
        assertThat(leaf(out, 4, 3).eax() >>> 26).isEqualTo(63);
        assertThat(leaf(out, 4, 3).eax() >> 14 & 0xFFF).isEqualTo(1023);
        assertThat(leaf(CpuidTopology.adjust(amd(0x19, true), t, 0), 0x80000008, 0)
                                .ecx()
                        & 0xFF)
                .isEqualTo(255);
    }

    @Test
    void survivesHostsThatSayLittle() {
        assertThat(CpuidTopology.adjust(List.of(), CpuTopology.flat(2), 1)).isNotEmpty();
        assertThat(CpuVendor.of(List.of(vendor("HygonGenuine", 1)))).isEqualTo(CpuVendor.AMD);
        assertThat(CpuVendor.of(List.of(vendor("  Shanghai  ", 1)))).isEqualTo(CpuVendor.INTEL);
    }
}
