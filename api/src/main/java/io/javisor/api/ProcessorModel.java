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
 * @param host what the host's processor is
 * @param known the processors that the guest knows already, if it was saved once
 */
record ProcessorModel(CpuTopology topology, boolean hyperV, HostProcessor host, Optional<SavedProcessors> known) {

    static ProcessorModel onThisHost(NumaTopology numa) {
        try (Kvm kvm = Kvm.open()) {
            List<CpuidLeaf> host = leaves(kvm.supportedCpuid());
            return new ProcessorModel(
                    numa.cpuTopology(CpuidTopology.leastCacheShift(host)),
                    KvmPartition.supportsHyperV(kvm),
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
        return new ProcessorModel(topology, saved.hyperV(), host, Optional.of(saved));
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
