package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.linux.Descriptor;
import io.javisor.linux.PageSize;
import io.javisor.partition.MemoryBacking;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Features that hosts differ in: they work, or are refused by the capability's name. */
class OptionalFeatureTest {
    private static void worksOrIsRefused(boolean there, Capability capability, ThrowingCallable call) throws Throwable {
        if (there) {
            call.call();
        } else {
            assertThatThrownBy(call)
                    .isInstanceOfSatisfying(KvmException.class, e -> {
                        assertThat(e.code()).isEqualTo("kvm-capability");
                        assertThat(e.remedy()).isNotBlank();
                    })
                    .hasMessageContaining(capability.kernelName());
        }
    }

    @Test
    void notifyExits() throws Throwable {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            worksOrIsRefused(
                    guest.vm.has(Capability.X86_NOTIFY_VMEXIT),
                    Capability.X86_NOTIFY_VMEXIT,
                    () -> guest.vm.enableNotifyExits(0));
        }
    }

    @Test
    void busLockExits() throws Throwable {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            worksOrIsRefused(
                    (guest.vm.check(Capability.X86_BUS_LOCK_EXIT) & 2) != 0,
                    Capability.X86_BUS_LOCK_EXIT,
                    guest.vm::enableBusLockExits);
        }
    }

    @Test
    void memoryAttributes() throws Throwable {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            worksOrIsRefused(
                    guest.vm.has(Capability.MEMORY_ATTRIBUTES),
                    Capability.MEMORY_ATTRIBUTES,
                    () -> guest.vm.setMemoryAttributes(0, 0x1000, 0));
        }
    }

    @Test
    void hiddenMemory() throws Throwable {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            worksOrIsRefused(guest.vm.has(Capability.GUEST_MEMFD), Capability.GUEST_MEMFD, () -> {
                try (Descriptor hidden = guest.vm.createGuestMemory(0x4000);
                        MemoryBacking shared = MemfdBacking.reserve("shared", 0x4000, PageSize.KIB_4)) {
                    guest.vm.setMemory(3, 0x100000, shared.segment(), hidden, 0);
                    guest.vm.removeMemory(3);
                }
            });
        }
    }

    @Test
    void x2apicApi() throws Throwable {
        TinyGuest.assumeKvm();
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm()) {
            vm.interrupts().createIrqchip();
            worksOrIsRefused(vm.has(Capability.X2APIC_API), Capability.X2APIC_API, vm::enableX2apicApi);
        }
    }

    @Test
    void addressesOfIntelsHelperPages() {
        TinyGuest.assumeKvm();
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm()) {
            if (vm.has(Capability.SET_IDENTITY_MAP_ADDR)) {
                vm.setIdentityMapAddress(0xFFFBC000L);
            }
            vm.setTssAddress(0xFFFBD000L);
            vm.setBootVcpu(0);
            vm.createVcpu(0).close();
        }
    }

    @Test
    void unknownCapabilityToEnableIsRefused() {
        TinyGuest.assumeKvm();
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm()) {
            assertThatThrownBy(() -> vm.enable(Capability.HLT, 1, 2))
                    .isInstanceOfSatisfying(
                            KvmException.class, e -> assertThat(e.call()).isEqualTo("KVM_ENABLE_CAP"))
                    .hasMessageContainingAll("KVM_CAP_HLT", "EINVAL");
            assertThatThrownBy(() -> vm.enable(Capability.HLT, 1, 2, 3, 4, 5))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
