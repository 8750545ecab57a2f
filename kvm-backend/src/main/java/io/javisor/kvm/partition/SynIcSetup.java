package io.javisor.kvm.partition;

import io.javisor.kvm.GsiRoute;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.VmInterrupts;
import io.javisor.partition.GuestMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * Gives the SINTs of all vCPUs their GSIs. KVM resolves a route to a SINT when it is set, so this comes after SYNIC2 has been
 * enabled on every vCPU: else messages would get through, but never a resample.
 */
final class SynIcSetup {
    /** Pins of the I/O APIC, whose GSIs come first. */
    private static final int IOAPIC_PINS = 24;

    /** The SINT that a VMBus uses (VMBUS_MESSAGE_SINT); the others belong to the guest alone. */
    private static final int VMBUS_SINT = 2;

    private SynIcSetup() {}

    static KvmSynIc create(KvmVm vm, GuestMemory memory, PartitionConfig config) {
        List<GsiRoute> routes = new ArrayList<>(VmInterrupts.ioapicRoutes());
        var vcpus = new SynIcVcpu[config.vcpus()];
        for (int vp = 0; vp < vcpus.length; vp++) {
            int gsi = IOAPIC_PINS + vp;
            routes.add(new GsiRoute.ToHypervSint(gsi, vp, VMBUS_SINT));
            vcpus[vp] = new SynIcVcpu(vm, memory, vp, gsi, VMBUS_SINT);
        }
        vm.interrupts().setRoutes(routes);
        return new KvmSynIc(vm, memory, vcpus, () -> vm.clock().nanos() / 100);
    }
}
