package io.javisor.kvm.partition;

import io.javisor.kvm.CpuidEntry;
import java.util.List;
import java.util.function.Supplier;

/** Decides what processor the guest sees. Pure. */
@FunctionalInterface
public interface CpuidPolicy {
    /**
     * The leaves of one vCPU, without those of the hypervisor unless {@link #isExact} says otherwise.
     *
     * @param vcpu its number, from 0
     * @param supported what KVM can give (KVM_GET_SUPPORTED_CPUID); asked for at the first call, which takes a quarter of a millisecond
     *     where CPUID traps
     */
    List<CpuidEntry> leaves(int vcpu, Supplier<List<CpuidEntry>> supported);

    /** Whether the leaves are complete, the hypervisor's included, and given to the guest as they are. */
    default boolean isExact() {
        return false;
    }

    /** A processor that the guest has seen already: these leaves, by vCPU, and no others. */
    static CpuidPolicy exactly(List<List<CpuidEntry>> byVcpu) {
        return new CpuidPolicy() {
            @Override
            public List<CpuidEntry> leaves(int vcpu, Supplier<List<CpuidEntry>> supported) {
                return byVcpu.get(vcpu);
            }

            @Override
            public boolean isExact() {
                return true;
            }
        };
    }
}
