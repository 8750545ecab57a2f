package io.javisor.kvm.partition;

import io.javisor.kvm.Capability;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.partition.HypervisorException;
import java.util.ArrayList;
import java.util.List;

/** Gives a new VM what all its vCPUs share. */
final class VmSetup {
    /** Three pages below 4 GiB that Intel processors without unrestricted guests need (KVM api.rst, KVM_SET_TSS_ADDR). */
    private static final long TSS_ADDRESS = 0xFFFB_D000L;

    /** One page beside them (KVM_SET_IDENTITY_MAP_ADDR). */
    private static final long IDENTITY_MAP_ADDRESS = 0xFFFB_C000L;

    /** 32-bit IDs and no broadcast quirk (KVM_X2APIC_API_USE_32BIT_IDS, _DISABLE_BROADCAST_QUIRK). */
    private static final long X2APIC_FLAGS = 3;

    /** What Hyper-V's identity needs of KVM. */
    private static final List<Capability> HYPER_V = List.of(
            Capability.HYPERV,
            Capability.HYPERV_SYNIC2,
            Capability.HYPERV_CPUID,
            Capability.HYPERV_EVENTFD,
            Capability.HYPERV_TIME);

    private VmSetup() {}

    /** Those of KVM's Hyper-V enlightenments that this host lacks; none if it can carry an enlightened guest. */
    static List<Capability> missingForHyperV(Kvm kvm) {
        var missing = new ArrayList<Capability>();
        for (Capability capability : HYPER_V) {
            if (!kvm.has(capability)) {
                missing.add(capability);
            }
        }
        return missing;
    }

    /**
     * What comes before memory, which comes before {@link #finish}: whoever replaces a filter or a memory slot, KVM lets wait until
     * nobody can be reading the one before (SRCU). Nobody does in a new VM, and it takes microseconds. The interrupt controllers replace
     * what nobody waits for (their places on KVM's buses), and whoever comes after them waits for that too: 3 to 16 ms.
     */
    static void begin(Kvm kvm, KvmVm vm, PartitionConfig config) {
        if (config.vcpus() > kvm.maxVcpus()) {
            throw new HypervisorException(
                    "too-many-vcpus",
                    config.name() + " wants " + config.vcpus() + " vCPUs, and this host's KVM gives a machine "
                            + kvm.maxVcpus(),
                    "give it fewer, or run it on a newer kernel");
        }
        int maxId = config.apicIds().stream().mapToInt(Integer::intValue).max().orElse(0);
        int ids = kvm.check(Capability.MAX_VCPU_ID);
        if (ids > 0 && maxId >= ids) {
            throw new HypervisorException(
                    "too-many-vcpus",
                    config.name() + " has APIC IDs up to " + maxId + ", and this host's KVM takes those below " + ids,
                    "give it sockets, cores and threads whose counts are powers of two, so that APIC IDs have no gaps");
        }
        if (config.hyperV()) {
            List<Capability> missing = missingForHyperV(kvm);
            if (!missing.isEmpty()) {
                throw new HypervisorException(
                        "no-hyperv",
                        config.name() + " is to be a Hyper-V guest, and this host's KVM lacks " + missing,
                        "use a kernel built with CONFIG_KVM_HYPERV and kvm_intel or kvm_amd");
            }
        }
        ServedMsrs.enable(kvm, vm, config.hyperV());
    }

    /** What comes after memory. */
    static void finish(KvmVm vm, PartitionConfig config) {
        if (!config.has(CpuOption.PMU)) {
            PerformanceCounters.disable(vm);
        }
        vm.setTssAddress(TSS_ADDRESS);
        vm.setIdentityMapAddress(IDENTITY_MAP_ADDRESS);
        if (config.needsX2apic()) {
            vm.enable(Capability.X2APIC_API, X2APIC_FLAGS);
        }
        vm.interrupts().createIrqchip();
    }
}
