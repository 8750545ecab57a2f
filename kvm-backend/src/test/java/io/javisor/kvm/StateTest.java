package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class StateTest {
    @Test
    void registersGoRoundAndReachTheGuest() {
        try (TinyGuest guest = new TinyGuest(
                0x66, 0x01, 0xD8, // add eax, ebx
                0x66, 0xE7, 0x10, // out 0x10, eax
                0xF4)) { // hlt
            Regs regs = new Regs()
                    .rip(TinyGuest.CODE)
                    .rax(40)
                    .rbx(2)
                    .rcx(3)
                    .rdx(4)
                    .rsi(5)
                    .rdi(6)
                    .rsp(7)
                    .rbp(8);
            regs.r8(9).r9(10).r10(11).r11(12).r12(13).r13(14).r14(15).r15(16);
            guest.cpu.setRegs(regs);
            assertThat(guest.cpu.regs()).hasToString(regs.toString());
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(42));
            assertThat(guest.cpu.regs().rax()).isEqualTo(42);
            assertThat(guest.cpu.regs().r15()).isEqualTo(16);
        }
    }

    @Test
    void longModeRuns64BitCode() {
        try (TinyGuest guest = new TinyGuest(
                0x48, 0xB8, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, // mov rax, 0x1122334455667788
                0x48, 0xC1, 0xE8, 0x20, // shr rax, 32
                0xE7, 0x10, // out 0x10, eax
                0xF4)) { // hlt
            // Page tables that map the first 2 MiB onto themselves: PML4 at 0x3000, PDPT at 0x4000, PD at 0x5000.
            guest.ram.segment().asSlice(0x3000, 0x3000).fill((byte) 0);
            guest.ram.write(0x3000, (byte) 0x03, (byte) 0x40);
            guest.ram.write(0x4000, (byte) 0x03, (byte) 0x50);
            guest.ram.write(0x5000, (byte) 0x83);
            Sregs sregs = guest.cpu.sregs();
            sregs.cr3(0x3000).cr4(Sregs.CR4_PAE).cr0(Sregs.CR0_PE | Sregs.CR0_PG);
            sregs.efer(Sregs.EFER_LME | Sregs.EFER_LMA).cs(SegmentRegister.code64(8));
            sregs.ds(SegmentRegister.data(16)).ss(SegmentRegister.data(16)).es(SegmentRegister.data(16));
            guest.cpu.setSregs(sregs);
            assertThat(guest.cpu.sregs().cs().l()).isTrue();
            assertThat(guest.cpu.state().translate(0x1234)).satisfies(t -> {
                assertThat(t.valid()).isTrue();
                assertThat(t.physicalAddress()).isEqualTo(0x1234);
            });
            assertThat(guest.cpu.state().translate(0x4000_0000).valid()).isFalse();
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(0x1122_3344));
        }
    }

    @ParameterizedTest
    @EnumSource(StateGroup.class)
    void groupsGoRound(StateGroup group) {
        try (TinyGuest guest = new TinyGuest(vm -> vm.interrupts().createIrqchip(), 0xF4)) { // hlt
            Capability capability = group.capability();
            org.junit.jupiter.api.Assumptions.assumeTrue(
                    capability == null || guest.kvm.has(capability), "needs " + capability);
            VcpuState state = guest.cpu.state();
            byte[] bytes = state.get(group);
            assertThat(bytes).hasSize(group.size());
            state.set(group, bytes);
            assertThat(state.get(group)).isEqualTo(bytes);
            assertThatThrownBy(() -> state.set(group, new byte[group.size() + 1]))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void wholeVcpuIsMovedToAnotherVm() {
        Map<StateGroup, byte[]> groups = new EnumMap<>(StateGroup.class);
        byte[] ram;
        byte[] xsave;
        List<Msr> msrs;
        int[] code = {
            0x40, // inc ax
            0xE7,
            0x10, // out 0x10, ax
            0xEB,
            0xFB // jmp to inc
        };
        try (TinyGuest guest = new TinyGuest(code)) {
            for (int i = 1; i <= 3; i++) {
                assertThat(guest.cpu.run()).isInstanceOf(Exit.IoOut.class);
            }
            // The kernel finishes a port write when it enters the guest again.
            guest.cpu.interrupt();
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Interrupted.class);
            VcpuState state = guest.cpu.state();
            for (StateGroup group :
                    List.of(StateGroup.SREGS, StateGroup.REGS, StateGroup.EVENTS, StateGroup.DEBUGREGS)) {
                groups.put(group, state.get(group));
            }
            xsave = state.xsave();
            msrs = state.readableMsrs(0x174, 0x175, 0x176, 0x1234_5678);
            ram = guest.ram.read(0, 0x10000);
        }
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt, which the restored memory covers
            VcpuState state = guest.cpu.state();
            guest.ram.write(0, ram);
            groups.forEach(state::set);
            state.setXsave(xsave);
            state.setMsrs(msrs);
            assertThat(msrs).hasSize(3);
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(4));
        }
    }

    @Test
    void xsaveHasTheSizeOfTheHostAndTakesLess() {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            byte[] bytes = guest.cpu.state().xsave();
            assertThat(bytes.length).isEqualTo(Math.max(4096, guest.vm.check(Capability.XSAVE2)));
            guest.cpu.state().setXsave(bytes);
            assertThat(guest.cpu.state().xsave()).isEqualTo(bytes);
            assertThatThrownBy(() -> guest.cpu.state().setXsave(new byte[bytes.length + 1]))
                    .isInstanceOf(KvmException.class);
        }
    }

    @Test
    void xcr0IsReadAndSet() {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            guest.cpu.setCpuid(guest.kvm.supportedCpuid());
            long before = guest.cpu.state().xcr0();
            assertThat(before & 1).isEqualTo(1);
            guest.cpu.state().setXcr0(3);
            assertThat(guest.cpu.state().xcr0()).isEqualTo(3);
            assertThatThrownBy(() -> guest.cpu.state().setXcr0(2))
                    .isInstanceOf(KvmException.class)
                    .hasMessageContainingAll("KVM_SET_XCRS", "EINVAL", "0x2");
        }
    }

    @Test
    void processorsOtherThanTheFirstWait() {
        try (TinyGuest guest = new TinyGuest(vm -> vm.interrupts().createIrqchip(), 0xF4); // hlt
                Vcpu second = guest.vm.createVcpu(1)) {
            assertThat(guest.cpu.state().mpState()).isEqualTo(MpState.RUNNABLE);
            assertThat(second.state().mpState()).isEqualTo(MpState.UNINITIALIZED);
            second.state().setMpState(MpState.INIT_RECEIVED);
            assertThat(second.state().mpState()).isEqualTo(MpState.INIT_RECEIVED);
            assertThat(second.run(10_000_000)).isInstanceOf(Exit.Interrupted.class);
            assertThatThrownBy(() -> guest.vm.createVcpu(1))
                    .isInstanceOfSatisfying(
                            KvmException.class, e -> assertThat(e.code()).isEqualTo("kvm-exists"));
        }
    }

    @Test
    void clockGoesOnFromWhereItWasSet() {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            guest.vm.setClock(VmClock.at(1_000_000_000_000L));
            VmClock now = guest.vm.clock();
            assertThat(now.nanos()).isBetween(1_000_000_000_000L, 1_060_000_000_000L);
            if ((now.flags() & VmClock.REALTIME) != 0) {
                assertThat(now.realtime()).isPositive();
            }
        }
    }

    @Test
    void tscFrequencyAndOffset() {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            VcpuState state = guest.cpu.state();
            if (guest.kvm.has(Capability.GET_TSC_KHZ)) {
                assertThat(state.tscKhz()).isPositive();
            }
            if (state.hasTscOffset()) {
                state.setTscOffset(-12_345);
                // A host without TSC control takes the offset and keeps it zero.
                if (guest.kvm.has(Capability.TSC_CONTROL)) {
                    assertThat(state.tscOffset()).isEqualTo(-12_345);
                }
            } else {
                assertThatThrownBy(state::tscOffset).isInstanceOf(KvmException.class);
            }
            // Without kvmclock in the guest there is nobody to tell.
            assertThat(state.clockStopped()).isFalse();
        }
    }

    @Test
    void nmiReachesItsHandler() {
        try (TinyGuest guest = new TinyGuest(0xEB, 0xFE)) { // jmp to itself
            guest.handler(2, 0x2000, 0xE6, 0x22, 0xCF); // out 0x22, al; iret
            guest.cpu.state().nmi();
            assertThat(guest.cpu.run(5_000_000_000L))
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.port()).isEqualTo(0x22));
        }
    }

    @Test
    void nestedStateIsChecked() {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            byte[] nested = guest.cpu.state().nested();
            guest.cpu.state().setNested(nested);
            assertThatThrownBy(() -> guest.cpu.state().setNested(new byte[16])).isInstanceOf(RuntimeException.class);
        }
    }

    @Test
    void statisticsCountExits() {
        try (TinyGuest guest = new TinyGuest(0xEE, 0xEE, 0xEE, 0xF4); // out dx, al, three times; hlt
                KvmStats vcpu = guest.cpu.openStats();
                KvmStats vm = guest.vm.openStats()) {
            long before = vcpu.value("exits");
            while (!(guest.cpu.run() instanceof Exit.Halt)) {
                // three port writes
            }
            assertThat(vcpu.values()).containsKey("exits");
            assertThat(vcpu.value("exits")).isGreaterThanOrEqualTo(before + 3);
            assertThat(vcpu.id()).startsWith("kvm-").contains("vcpu-0");
            assertThat(vm.statistics()).isNotEmpty();
            KvmStats.Statistic exits = vcpu.statistics().stream()
                    .filter(s -> s.name().equals("exits"))
                    .findFirst()
                    .orElseThrow();
            assertThat(vcpu.values(exits)).hasSize(exits.size());
        }
    }
}
