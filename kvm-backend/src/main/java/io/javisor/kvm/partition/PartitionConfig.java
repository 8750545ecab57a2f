package io.javisor.kvm.partition;

import java.util.List;
import java.util.Set;

/**
 * What a partition is made of.
 *
 * @param name for threads and messages
 * @param apicIds the vCPUs' local APIC IDs, by their numbers
 * @param cpuid what processor the guest sees
 * @param hyperV whether the guest gets Hyper-V's identity, SynIC and timers; needs a host with KVM's Hyper-V
 *     enlightenments. Without it the guest gets KVM's own paravirtual clock
 * @param options what its processors have besides
 */
public record PartitionConfig(
        String name, List<Integer> apicIds, CpuidPolicy cpuid, boolean hyperV, Set<CpuOption> options) {
    /** Copies the collections. */
    public PartitionConfig {
        apicIds = List.copyOf(apicIds);
        options = Set.copyOf(options);
        if (apicIds.isEmpty()) {
            throw new IllegalArgumentException(name + ": a partition has at least one vCPU");
        }
    }

    /** Local APIC IDs beyond need 32-bit IDs, x2APIC mode and no broadcast quirk: 255 is xAPIC's broadcast (ACPI 6.5, 5.2.12.12). */
    private static final int MAX_XAPIC_ID = 254;

    /** Whether its processors have this. */
    public boolean has(CpuOption option) {
        return options.contains(option);
    }

    /** Whether there are vCPUs that only x2APIC can address. */
    boolean needsX2apic() {
        return apicIds.stream().anyMatch(id -> id > MAX_XAPIC_ID);
    }

    /** vCPUs. */
    public int vcpus() {
        return apicIds.size();
    }
}
