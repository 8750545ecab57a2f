package io.javisor.kvm.partition;

import io.javisor.kvm.Capability;
import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.Kvm;
import io.javisor.partition.HypervisorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Whether a host can go on with a saved machine's processors: same vendor, all the features that its guest has seen, and the
 * same places in the XSAVE area. Features beyond are no harm, since the guest keeps the CPUID that it was saved with.
 */
final class HostFit {
    /** A CPUID leaf, as a key: the function in the upper half, the index in the lower. */
    private static long key(int function, int index) {
        return (long) function << 32 | index;
    }

    /**
     * The registers of a leaf in which each bit is a feature, less the bits that are not the host's to give.
     *
     * @param eax bits of EAX, and so on
     */
    private record Features(int function, int index, int eax, int ebx, int ecx, int edx) {}

    private static final int ALL = -1;

    // Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
    private static final List<Features> FEATURES = List.of(
            // Without: TSC-deadline timer and hypervisor, which KVM adds; OSXSAVE, which the guest turned on; HTT,
            // topology.
            new Features(1, 0, 0, 0, ~(1 << 24 | 1 << 31 | 1 << 27), ~(1 << 28)),
            new Features(7, 0, 0, ALL, ~(1 << 4), ALL), // without OSPKE, which the guest turned on
            new Features(7, 1, ALL, 0, 0, ALL),
            new Features(7, 2, 0, 0, 0, ALL),
            new Features(0xD, 0, ALL, 0, 0, ALL),
            new Features(0xD, 1, ALL, 0, ALL, ALL),
            new Features(0x8000_0001, 0, 0, 0, ~(1 << 1 | 1 << 22), ALL), // without CmpLegacy and TopologyExtensions
            new Features(0x8000_0007, 0, 0, 0, 0, ALL),
            new Features(0x8000_0008, 0, 0, ALL, 0, 0),
            new Features(0x8000_0021, 0, ALL, 0, 0, 0));

    // TLFS 2.4.4: privileges and features.
    private static final List<Features> HYPERV_FEATURES = List.of(new Features(0x4000_0003, 0, ALL, ALL, 0, ALL));

    private static final int LEAF_XSAVE = 0xD;
    private static final int LEAF_ADDRESS_SIZES = 0x8000_0008;

    private HostFit() {}

    /**
     * Refuses a host that can't.
     *
     * @throws HypervisorException code {@code saved-state-incompatible}, naming all that is missing
     */
    static void require(Kvm kvm, SavedProcessors saved, UnaryOperator<List<CpuidEntry>> complete) {
        if (saved.hyperV() && !KvmPartition.supportsHyperV(kvm)) {
            throw incompatible(List.of("KVM's Hyper-V enlightenments, which the guest uses"));
        }
        List<CpuidEntry> given = saved.hyperV() && kvm.has(Capability.SYS_HYPERV_CPUID)
                ? join(complete.apply(kvm.supportedCpuid()), kvm.supportedHypervCpuid())
                : complete.apply(kvm.supportedCpuid());
        List<String> missing = missing(saved, given);
        if (saved.apicIds().size() > kvm.maxVcpus()) {
            missing.add(saved.apicIds().size() + " vCPUs: KVM gives " + kvm.maxVcpus());
        }
        if (!missing.isEmpty()) {
            throw incompatible(missing);
        }
    }

    private static List<CpuidEntry> join(List<CpuidEntry> processor, List<CpuidEntry> hyperV) {
        var all = new ArrayList<>(processor);
        all.addAll(hyperV);
        return all;
    }

    private static HypervisorException incompatible(List<String> missing) {
        return new HypervisorException(
                "saved-state-incompatible",
                "this host can't go on with the saved machine; it lacks: " + String.join("; ", missing),
                "restore it on a host with the processor and the KVM that it was saved on, or newer ones");
    }

    /** What the saved processors have and a host does not give. Pure. */
    static List<String> missing(SavedProcessors saved, List<CpuidEntry> given) {
        Map<Long, CpuidEntry> host = byLeaf(given);
        Map<Long, CpuidEntry> guest = byLeaf(saved.cpuid().getFirst());
        var missing = new ArrayList<String>();
        String wanted = vendor(guest);
        if (!wanted.equals(vendor(host))) {
            missing.add("a processor of " + wanted + ": this one is of " + vendor(host));
        }
        var wantedFeatures = new ArrayList<>(FEATURES);
        if (saved.hyperV()) {
            wantedFeatures.addAll(HYPERV_FEATURES);
        }
        for (Features f : wantedFeatures) {
            CpuidEntry has = leaf(guest, f.function, f.index);
            CpuidEntry can = leaf(host, f.function, f.index);
            bits(missing, f, "EAX", has.eax() & ~can.eax() & f.eax);
            bits(missing, f, "EBX", has.ebx() & ~can.ebx() & f.ebx);
            bits(missing, f, "ECX", has.ecx() & ~can.ecx() & f.ecx);
            bits(missing, f, "EDX", has.edx() & ~can.edx() & f.edx);
        }
        xsave(missing, guest, host);
        int bits = leaf(guest, LEAF_ADDRESS_SIZES, 0).eax() & 0xFF;
        int most = leaf(host, LEAF_ADDRESS_SIZES, 0).eax() & 0xFF;
        if (bits > most) {
            missing.add(bits + " physical address bits: this host has " + most);
        }
        return missing;
    }

    private static void bits(List<String> missing, Features f, String register, int bits) {
        if (bits != 0) {
            missing.add(String.format("CPUID %x.%x:%s bits 0x%08x", f.function, f.index, register, bits));
        }
    }

    /** Components of the XSAVE area lie where the processor says; the saved one is that of the other processor. */
    private static void xsave(List<String> missing, Map<Long, CpuidEntry> guest, Map<Long, CpuidEntry> host) {
        CpuidEntry components = leaf(guest, LEAF_XSAVE, 0);
        for (int i = 2; i < 32; i++) {
            CpuidEntry has = leaf(guest, LEAF_XSAVE, i);
            CpuidEntry can = leaf(host, LEAF_XSAVE, i);
            if ((components.eax() >>> i & 1) == 1 && (has.eax() != can.eax() || has.ebx() != can.ebx())) {
                missing.add("XSAVE component " + i + " of " + has.eax() + " bytes at " + has.ebx() + ": here "
                        + can.eax() + " at " + can.ebx());
            }
        }
    }

    private static Map<Long, CpuidEntry> byLeaf(List<CpuidEntry> entries) {
        var map = new HashMap<Long, CpuidEntry>();
        for (CpuidEntry e : entries) {
            boolean indexed = (e.flags() & CpuidEntry.SIGNIFICANT_INDEX) != 0;
            map.putIfAbsent(key(e.function(), indexed ? e.index() : 0), e);
        }
        return map;
    }

    private static CpuidEntry leaf(Map<Long, CpuidEntry> map, int function, int index) {
        CpuidEntry none = new CpuidEntry(function, index, 0, 0, 0, 0, 0);
        return map.getOrDefault(key(function, index), none);
    }

    private static String vendor(Map<Long, CpuidEntry> map) {
        CpuidEntry zero = leaf(map, 0, 0);
        ByteBuffer text = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        text.putInt(zero.ebx()).putInt(zero.edx()).putInt(zero.ecx());
        return new String(text.array(), StandardCharsets.US_ASCII);
    }
}
