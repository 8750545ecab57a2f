package io.javisor.kvm.partition;

import io.javisor.kvm.CpuidEntry;
import java.util.List;

/** Decides what processor the guest sees. Pure. */
@FunctionalInterface
public interface CpuidPolicy {
    /**
     * The leaves of one vCPU, without those of the hypervisor.
     *
     * @param vcpu its number, from 0
     * @param supported what KVM can give (KVM_GET_SUPPORTED_CPUID)
     */
    List<CpuidEntry> leaves(int vcpu, List<CpuidEntry> supported);
}
