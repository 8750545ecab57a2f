package io.javisor.kvm.partition;

import java.util.List;

/**
 * What a partition is made of.
 *
 * @param name for threads and messages
 * @param apicIds the vCPUs' local APIC IDs, by their numbers
 * @param cpuid what processor the guest sees
 * @param hyperV whether the guest gets Hyper-V's identity, SynIC and timers; needs a host with KVM's Hyper-V
 *     enlightenments. Without it the guest gets KVM's own paravirtual clock
 */
public record PartitionConfig(String name, List<Integer> apicIds, CpuidPolicy cpuid, boolean hyperV) {
    /** Copies the list. */
    public PartitionConfig {
        apicIds = List.copyOf(apicIds);
        if (apicIds.isEmpty()) {
            throw new IllegalArgumentException(name + ": a partition has at least one vCPU");
        }
    }

    /** vCPUs. */
    public int vcpus() {
        return apicIds.size();
    }
}
