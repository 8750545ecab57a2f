package io.javisor.api;

import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.partition.KvmPartition;
import io.javisor.kvm.partition.PartitionConfig;
import io.javisor.kvm.partition.SavedProcessors;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.cpuid.CpuidLeaf;
import io.javisor.numa.cpuid.CpuidTopology;
import io.javisor.partition.topology.CpuTopology;
import java.util.List;
import java.util.Optional;

/**
 * The processors that a guest sees: what KVM can give on this host, arranged as the spec says.
 *
 * @param topology where each vCPU sits, and its APIC ID
 * @param hyperV whether the guest gets Hyper-V's identity: wherever KVM can
 * @param addressBits width of guest-physical addresses
 * @param host what the host's processor is
 * @param known the processors that the guest knows already, if it was saved once
 */
record ProcessorModel(
        CpuTopology topology, boolean hyperV, int addressBits, HostProcessor host, Optional<SavedProcessors> known) {
    private static final int SIZES = 0x8000_0008;

    /** What every 64-bit processor has, where none says more (Intel SDM volume 3, 4.1.4). */
    private static final int LEAST_ADDRESS_BITS = 36;

    private static final int MOST_ADDRESS_BITS = 52;

    static ProcessorModel onThisHost(NumaTopology numa) {
        try (Kvm kvm = Kvm.open()) {
            List<CpuidLeaf> host = leaves(kvm.supportedCpuid());
            return new ProcessorModel(
                    numa.cpuTopology(CpuidTopology.leastCacheShift(host)),
                    KvmPartition.supportsHyperV(kvm),
                    addressBits(kvm.supportedCpuid()),
                    HostProcessor.read(),
                    Optional.empty());
        }
    }

    /**
     * The processors of a machine that was saved.
     *
     * @throws io.javisor.partition.HypervisorException if this host can't give them
     */
    static ProcessorModel restored(CpuTopology topology, SavedProcessors saved) {
        HostProcessor host = HostProcessor.read();
        KvmPartition.requireFit(saved, host::complete);
        return new ProcessorModel(
                topology, saved.hyperV(), addressBits(saved.cpuid().getFirst()), host, Optional.of(saved));
    }

    PartitionConfig partition(String name) {
        if (known.isPresent()) {
            return known.get().partition(name);
        }
        return new PartitionConfig(
                name,
                topology.vcpus().stream().map(CpuTopology.Vcpu::apicId).toList(),
                (vcpu, supported) -> entries(CpuidTopology.adjust(leaves(host.complete(supported)), topology, vcpu)),
                hyperV);
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
