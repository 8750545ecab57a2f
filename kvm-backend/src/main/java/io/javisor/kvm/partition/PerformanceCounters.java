package io.javisor.kvm.partition;

import io.javisor.kvm.Capability;
import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.KvmVm;
import java.util.List;

/**
 * A guest's performance counters: off unless asked for, since they tell of the host's work, and since what a guest counts with
 * can't be moved to processors of another kind. CPUID says whether they are there; KVM lets guests reach those that every AMD
 * processor has all the same, unless it is told not to.
 */
final class PerformanceCounters {
    /** Leaf 1, ECX: IA32_PERF_CAPABILITIES is there (Intel SDM volume 2, CPUID). */
    static final int PERF_CAPABILITIES = 1 << 15;

    /** Leaf 0x80000001, ECX: the core performance counters (AMD APM volume 3, appendix E). */
    static final int AMD_CORE = 1 << 23;

    static final int INTEL_LEAF = 0xA;
    static final int AMD_LEAF = 0x8000_0022;
    private static final int AMD_FEATURES = 0x8000_0001;

    /** KVM_PMU_CAP_DISABLE (linux/kvm.h). */
    private static final int DISABLE = 1;

    private PerformanceCounters() {}

    /** Whether a guest with these leaves has some. */
    static boolean areIn(List<CpuidEntry> leaves) {
        for (CpuidEntry leaf : leaves) {
            boolean has = switch (leaf.function()) {
                case INTEL_LEAF, AMD_LEAF -> leaf.eax() != 0;
                case AMD_FEATURES -> (leaf.ecx() & AMD_CORE) != 0;
                default -> false;
            };
            if (has) {
                return true;
            }
        }
        return false;
    }

    /** Turns them off for a VM that has no vCPUs yet, where KVM can. */
    static void disable(KvmVm vm) {
        if ((vm.check(Capability.PMU_CAPABILITY) & DISABLE) != 0) {
            vm.enable(Capability.PMU_CAPABILITY, DISABLE);
        }
    }
}
