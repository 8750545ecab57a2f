package io.javisor.api;

import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.partition.CpuOption;
import io.javisor.kvm.partition.KvmPartition;
import io.javisor.kvm.partition.PartitionConfig;
import io.javisor.kvm.partition.SavedProcessors;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.cpuid.CpuidLeaf;
import io.javisor.numa.cpuid.CpuidTopology;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.topology.CpuTopology;
import java.util.List;
import java.util.Optional;

/**
 * The processors that a guest sees: what KVM can give on this host, arranged as the spec says.
 *
 * @param topology where each vCPU sits, and its APIC ID
 * @param hyperV whether the guest gets Hyper-V's identity: wherever KVM can
 * @param addressBits width of guest-physical addresses
 * @param supported what KVM can give here, for a new machine; nothing for one that was saved
 * @param host what the host's processor is
 * @param cpu what of it the guest sees
 * @param known the processors that the guest knows already, if it was saved once
 */
record ProcessorModel(
        CpuTopology topology,
        boolean hyperV,
        int addressBits,
        List<CpuidEntry> supported,
        HostProcessor host,
        CpuSpec cpu,
        Optional<SavedProcessors> known) {
    private static final int SIZES = 0x8000_0008;

    /** What every 64-bit processor has, where none says more (Intel SDM volume 3, 4.1.4). */
    private static final int LEAST_ADDRESS_BITS = 36;

    private static final int MOST_ADDRESS_BITS = 52;

    /** Leaf 1, ECX: VMX (Intel SDM volume 2, CPUID). */
    private static final int VMX = 1 << 5;

    /** Leaf 0x80000001, ECX: SVM (AMD APM volume 3, appendix E). */
    private static final int SVM = 1 << 2;

    /**
     * The processors of a new machine.
     *
     * @throws io.javisor.partition.HypervisorException code {@code cpu-model} or {@code cpu-option} if this host can't give them
     */
    static ProcessorModel onThisHost(NumaTopology numa, CpuSpec cpu) {
        try (Kvm kvm = Kvm.open()) {
            List<CpuidEntry> supported = kvm.supportedCpuid();
            cpu.model().of(supported); // refuses what the host lacks
            if (cpu.options().contains(CpuOption.NESTED)) {
                requireNested(supported);
            }
            if (cpu.options().contains(CpuOption.COLD_PAGES) && !KvmPartition.supportsColdPages(kvm)) {
                throw new HypervisorException(
                        "cpu-option",
                        "this host's KVM passes no extended hypercalls on (bit 20 of EBX in KVM_GET_SUPPORTED_HV_CPUID's leaf"
                                + " 0x40000003), with which a guest hands cold pages back",
                        "use Linux 6.3 or later with CONFIG_KVM_HYPERV, or leave CpuOption.COLD_PAGES out");
            }
            return new ProcessorModel(
                    numa.cpuTopology(CpuidTopology.leastCacheShift(leaves(supported))),
                    KvmPartition.supportsHyperV(kvm),
                    addressBits(supported),
                    supported,
                    HostProcessor.here(),
                    cpu,
                    Optional.empty());
        }
    }

    private static void requireNested(List<CpuidEntry> supported) {
        for (CpuidEntry leaf : supported) {
            if (leaf.function() == 1 && (leaf.ecx() & VMX) != 0
                    || leaf.function() == 0x8000_0001 && (leaf.ecx() & SVM) != 0) {
                return;
            }
        }
        throw new HypervisorException(
                "cpu-option",
                "this host's KVM can't give a guest nested virtualization",
                "load its module with it: modprobe kvm_intel nested=1, or modprobe kvm_amd nested=1");
    }

    /**
     * The processors of a machine that was saved.
     *
     * @throws io.javisor.partition.HypervisorException if this host can't give them
     */
    static ProcessorModel restored(CpuTopology topology, CpuSpec cpu, SavedProcessors saved) {
        HostProcessor host = HostProcessor.here();
        KvmPartition.requireFit(saved, host::complete);
        return new ProcessorModel(
                topology,
                saved.hyperV(),
                addressBits(saved.cpuid().getFirst()),
                List.of(),
                host,
                cpu,
                Optional.of(saved));
    }

    PartitionConfig partition(String name) {
        if (known.isPresent()) {
            return known.get().partition(name);
        }
        List<CpuidLeaf> processor = leaves(cpu.model().of(host.complete(supported)));
        return new PartitionConfig(
                name,
                topology.vcpus().stream().map(CpuTopology.Vcpu::apicId).toList(),
                (vcpu, _) -> entries(CpuidTopology.adjust(processor, topology, vcpu)),
                hyperV,
                cpu.options());
    }

    /** What the first vCPU's leaves say, in short. */
    static ProcessorDescription describe(CpuSpec cpu, SavedProcessors processors) {
        return ProcessorDescription.of(cpu, processors.cpuid().getFirst(), processors.tscKhz());
    }

    /** What the guest is told in leaf 0x80000008 (AMD APM volume 3, E.4.7): of physical addresses, or of guests' if that is set. */
    private static int addressBits(List<CpuidEntry> cpuid) {
        int eax = cpuid.stream()
                .filter(e -> e.function() == SIZES)
                .mapToInt(CpuidEntry::eax)
                .findFirst()
                .orElse(0);
        int bits = (eax >> 16 & 0xFF) != 0 ? eax >> 16 & 0xFF : eax & 0xFF;
        return Math.clamp(bits, LEAST_ADDRESS_BITS, MOST_ADDRESS_BITS);
    }

    private static List<CpuidLeaf> leaves(List<CpuidEntry> entries) {
        return entries.stream()
                .map(e -> new CpuidLeaf(
                        e.function(),
                        e.index(),
                        (e.flags() & CpuidEntry.SIGNIFICANT_INDEX) != 0,
                        e.eax(),
                        e.ebx(),
                        e.ecx(),
                        e.edx()))
                .toList();
    }

    private static List<CpuidEntry> entries(List<CpuidLeaf> leaves) {
        return leaves.stream()
                .map(l -> new CpuidEntry(
                        l.function(),
                        l.index(),
                        l.indexed() ? CpuidEntry.SIGNIFICANT_INDEX : 0,
                        l.eax(),
                        l.ebx(),
                        l.ecx(),
                        l.edx()))
                .toList();
    }
}
