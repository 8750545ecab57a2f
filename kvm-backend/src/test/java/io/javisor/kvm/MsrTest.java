package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MsrTest {
    private static final int SYSENTER_CS = 0x174;
    private static final int SYSENTER_ESP = 0x175;

    /** rdmsr of ECX, tell EAX; wrmsr of EAX + 1; halt. */
    private static final int[] READ_AND_WRITE = {
        0x0F,
        0x32, // rdmsr
        0x66,
        0xE7,
        0x10, // out 0x10, eax
        0x66,
        0x40, // inc eax
        0x0F,
        0x30, // wrmsr
        0xF4 // hlt
    };

    private static void start(TinyGuest guest, int msr) {
        guest.cpu.setRegs(new Regs().rip(TinyGuest.CODE).rsp(TinyGuest.STACK).rcx(Integer.toUnsignedLong(msr)));
    }

    @Test
    void msrsGoRound() {
        try (TinyGuest guest = new TinyGuest(READ_AND_WRITE)) {
            List<Msr> values = List.of(new Msr(SYSENTER_CS, 0x1234), new Msr(SYSENTER_ESP, 0x5678_9ABC));
            guest.cpu.setMsrs(values);
            assertThat(guest.cpu.msrs(SYSENTER_CS, SYSENTER_ESP)).isEqualTo(values);
            start(guest, SYSENTER_CS);
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(0x1234));
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
            assertThat(guest.cpu.msrs(SYSENTER_CS)).containsExactly(new Msr(SYSENTER_CS, 0x1235));
        }
    }

    @Test
    void refusedMsrIsNamed() {
        try (TinyGuest guest = new TinyGuest(READ_AND_WRITE)) {
            VcpuState state = guest.cpu.state();
            List<Msr> values = List.of(new Msr(SYSENTER_CS, 7), new Msr(0x1234_5678, 1), new Msr(SYSENTER_ESP, 9));
            assertThatThrownBy(() -> state.setMsrs(values))
                    .isInstanceOfSatisfying(
                            KvmException.class, e -> assertThat(e.code()).isEqualTo("kvm-msr"))
                    .hasMessageContainingAll("KVM_SET_MSRS", "12345678");
            assertThat(state.trySetMsrs(values)).isEqualTo(1);
            assertThatThrownBy(() -> state.msrs(SYSENTER_CS, 0x1234_5678))
                    .isInstanceOf(KvmException.class)
                    .hasMessageContaining("0x12345678");
            assertThat(state.readableMsrs(0x1234_5678, SYSENTER_CS, 0x1234_5679, 0x1234_567A, SYSENTER_ESP))
                    .containsExactly(new Msr(SYSENTER_CS, 7), new Msr(SYSENTER_ESP, 0));
        }
    }

    @Test
    void manyMsrsGoInSeveralCalls() {
        try (TinyGuest guest = new TinyGuest(READ_AND_WRITE)) {
            int[] indices = new int[1000];
            java.util.Arrays.fill(indices, SYSENTER_CS);
            assertThat(guest.cpu.msrs(indices)).hasSize(1000);
            assertThat(guest.cpu.state().trySetMsrs(guest.cpu.msrs(indices))).isEqualTo(1000);
        }
    }

    @Test
    void unknownMsrsAreHandledInUserspace() {
        try (TinyGuest guest = new TinyGuest(READ_AND_WRITE)) {
            guest.vm.setUserSpaceMsrs(EnumSet.of(UserSpaceMsr.UNKNOWN));
            start(guest, 0x1234);
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.RdMsr.class, m -> {
                assertThat(m.index()).isEqualTo(0x1234);
                assertThat(m.reason()).isEqualTo(UserSpaceMsr.UNKNOWN.bit());
                m.set(99);
            });
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(99));
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.WrMsr.class, m -> {
                assertThat(m.value()).isEqualTo(100);
                m.accept();
            });
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
        }
    }

    @Test
    void refusedAccessFaultsInTheGuest() {
        try (TinyGuest guest = new TinyGuest(READ_AND_WRITE)) {
            guest.handler(13, 0x2000, 0xE6, 0x13); // #GP: out 0x13, al
            guest.vm.setUserSpaceMsrs(EnumSet.of(UserSpaceMsr.UNKNOWN));
            start(guest, 0x1234);
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.RdMsr.class, Exit.RdMsr::refuse);
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.port()).isEqualTo(0x13));
        }
    }

    @Test
    void filteredMsrsExit() {
        try (TinyGuest guest = new TinyGuest(READ_AND_WRITE)) {
            guest.vm.setUserSpaceMsrs(EnumSet.of(UserSpaceMsr.FILTERED));
            BitSet allowed = new BitSet();
            allowed.set(1);
            // Writes of SYSENTER_CS are denied, of SYSENTER_ESP allowed; reads are not filtered.
            guest.vm.setMsrFilter(
                    new MsrFilter(true, List.of(new MsrFilter.Range(false, true, SYSENTER_CS, 2, allowed))));
            start(guest, SYSENTER_CS);
            assertThat(guest.cpu.run()).isInstanceOf(Exit.IoOut.class);
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.WrMsr.class, m -> {
                assertThat(m.index()).isEqualTo(SYSENTER_CS);
                assertThat(m.reason()).isEqualTo(UserSpaceMsr.FILTERED.bit());
                m.accept();
            });
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
            start(guest, SYSENTER_ESP);
            assertThat(guest.cpu.run()).isInstanceOf(Exit.IoOut.class);
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
            guest.vm.setMsrFilter(MsrFilter.NONE);
            start(guest, SYSENTER_CS);
            assertThat(guest.cpu.run()).isInstanceOf(Exit.IoOut.class);
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
        }
    }

    @Test
    void filtersAreChecked() {
        assertThatThrownBy(() -> new MsrFilter(false, List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> MsrFilter.Range.deny(0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> MsrFilter.Range.deny(0, 0x3001)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new MsrFilter(true, java.util.Collections.nCopies(17, MsrFilter.Range.deny(0, 1))))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
