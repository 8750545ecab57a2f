package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.linux.EventFd;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class InterruptControllerTest {
    private static final long APIC = 0xFEE00000L;
    private static final long TIME = 5_000_000_000L;

    /** A guest that turns its local APIC on, then halts for interrupts; DS reaches the APIC's registers. */
    private static final int[] WAIT = {
        0x66,
        0xC7,
        0x06,
        0xF0,
        0x00,
        0xFF,
        0x01,
        0x00,
        0x00, // mov dword [0xf0], 0x1ff: spurious vector, enable
        0xE6,
        0x01, // out 1, al: ready
        0xFB, // sti
        0xF4, // hlt
        0xEB,
        0xFD // jmp to hlt
    };

    /** Tells the vector by a port write, ends the interrupt, returns. */
    private static int[] handler(int vector) {
        return new int[] {
            0xB0,
            vector, // mov al, vector
            0xE6,
            0x40, // out 0x40, al
            0x66,
            0xC7,
            0x06,
            0xB0,
            0x00,
            0x00,
            0x00,
            0x00,
            0x00, // mov dword [0xb0], 0: end of interrupt
            0xE6,
            0x41, // out 0x41, al: ended
            0xCF // iret
        };
    }

    private static TinyGuest waiting(java.util.function.Consumer<KvmVm> before, int... vectors) {
        TinyGuest guest = new TinyGuest(before, WAIT);
        Sregs sregs = guest.cpu.sregs();
        SegmentRegister ds = sregs.ds();
        guest.cpu.setSregs(sregs.ds(
                new SegmentRegister(APIC, -1, 0, ds.type(), true, 0, ds.db(), ds.s(), ds.l(), true, false, false)));
        int at = 0x2000;
        for (int vector : vectors) {
            guest.handler(vector, at, handler(vector));
            at += 0x100;
        }
        expectOut(guest, 1, -1);
        return guest;
    }

    private static void expectOut(TinyGuest guest, int port, int value) {
        assertThat(guest.cpu.run(TIME)).isInstanceOfSatisfying(Exit.IoOut.class, io -> {
            assertThat(io.port()).isEqualTo(port);
            if (value >= 0) {
                assertThat(io.value()).isEqualTo(value);
            }
        });
    }

    @Test
    void messageWakesAHaltedGuest() {
        try (TinyGuest guest = waiting(vm -> vm.interrupts().createIrqchip(), 0x51)) {
            assertThat(guest.cpu.run(20_000_000)).isInstanceOf(Exit.Interrupted.class);
            assertThat(guest.vm.interrupts().signalMsi(APIC, 0x51)).isTrue();
            expectOut(guest, 0x40, 0x51);
            expectOut(guest, 0x41, 0x51);
        }
    }

    @Test
    void eventIsAnEdgeOnARoutedLine() {
        try (EventFd event = new EventFd();
                TinyGuest guest = waiting(vm -> vm.interrupts().createIrqchip(), 0x52)) {
            List<GsiRoute> routes = new ArrayList<>(VmInterrupts.ioapicRoutes());
            routes.add(new GsiRoute.ToMsi(30, APIC, 0x52));
            guest.vm.interrupts().setRoutes(routes);
            guest.vm.interrupts().attach(event, 30);
            event.signal();
            expectOut(guest, 0x40, 0x52);
            expectOut(guest, 0x41, 0x52);
            guest.vm.interrupts().detach(event, 30);
            event.signal();
            assertThat(guest.cpu.run(20_000_000)).isInstanceOf(Exit.Interrupted.class);
        }
    }

    @Test
    void levelLineIsResampledWhenTheGuestEndsTheInterrupt() {
        try (EventFd trigger = new EventFd();
                EventFd resample = new EventFd();
                TinyGuest guest = waiting(vm -> vm.interrupts().createIrqchip(), 0x53)) {
            // Without the PICs, which by default are on the same lines and not masked.
            guest.vm.interrupts().setRoutes(VmInterrupts.ioapicRoutes());
            byte[] ioapic = guest.vm.interrupts().chip(Irqchip.IOAPIC);
            // struct kvm_ioapic_state: redirection table @24, 8 bytes a pin; pin 5: vector 0x53, level, not masked
            ioapic[24 + 5 * 8] = 0x53;
            ioapic[24 + 5 * 8 + 1] = (byte) 0x80;
            ioapic[24 + 5 * 8 + 2] = 0;
            guest.vm.interrupts().setChip(Irqchip.IOAPIC, ioapic);
            assertThat(guest.vm.interrupts().chip(Irqchip.IOAPIC)[24 + 5 * 8]).isEqualTo((byte) 0x53);
            guest.vm.interrupts().attach(trigger, resample, 5);
            trigger.signal();
            // The line is up, and nobody has ended the interrupt.
            assertThat(resample.drain()).isZero();
            // Some hosts' local APICs end interrupts when they deliver them: hence no look at it in between.
            expectOut(guest, 0x40, 0x53);
            expectOut(guest, 0x41, 0x53);
            assertThat(resample.drain()).isPositive();
        }
    }

    @Test
    void lineGoesThroughTheIoapic() {
        try (TinyGuest guest = waiting(vm -> vm.interrupts().createIrqchip(), 0x54)) {
            // Without the PICs, which by default are on the same lines and not masked.
            guest.vm.interrupts().setRoutes(VmInterrupts.ioapicRoutes());
            byte[] ioapic = guest.vm.interrupts().chip(Irqchip.IOAPIC);
            ioapic[24 + 6 * 8] = 0x54;
            ioapic[24 + 6 * 8 + 1] = 0;
            ioapic[24 + 6 * 8 + 2] = 0;
            guest.vm.interrupts().setChip(Irqchip.IOAPIC, ioapic);
            guest.vm.interrupts().setLine(6, true);
            guest.vm.interrupts().setLine(6, false);
            expectOut(guest, 0x40, 0x54);
        }
    }

    @Test
    void splitIrqchipHandsOverTheEndOfInterrupts() {
        try (TinyGuest guest = waiting(vm -> vm.interrupts().createSplitIrqchip(24), 0x55)) {
            // Bit 15 of the data: level-triggered, so that its end matters to the IOAPIC outside.
            guest.vm.interrupts().setRoutes(List.of(new GsiRoute.ToMsi(4, APIC, 0x8055)));
            try (EventFd event = new EventFd()) {
                guest.vm.interrupts().attach(event, 4);
                event.signal();
                expectOut(guest, 0x40, 0x55);
                assertThat(guest.cpu.run(TIME))
                        .isInstanceOfSatisfying(
                                Exit.IoapicEoi.class,
                                e -> assertThat(e.vector()).isEqualTo(0x55));
            }
        }
    }

    @Test
    void statesOfControllersGoRound() {
        try (TinyGuest guest = new TinyGuest(
                vm -> {
                    vm.interrupts().createIrqchip();
                    vm.interrupts().createPit();
                },
                0xF4)) { // hlt
            VmInterrupts interrupts = guest.vm.interrupts();
            for (Irqchip chip : Irqchip.values()) {
                byte[] state = interrupts.chip(chip);
                interrupts.setChip(chip, state);
                assertThat(interrupts.chip(chip)).isEqualTo(state);
            }
            byte[] pit = interrupts.pit();
            interrupts.setPit(pit);
            assertThat(interrupts.pit()).hasSameSizeAs(pit);
            assertThatThrownBy(() -> interrupts.setChip(Irqchip.IOAPIC, new byte[3]))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> interrupts.setPit(new byte[3])).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(interrupts::createIrqchip)
                    .isInstanceOfSatisfying(
                            KvmException.class, e -> assertThat(e.code()).isEqualTo("kvm-exists"));
        }
    }

    @Test
    void interruptIsInjectedWithoutInKernelControllers() {
        try (TinyGuest guest = new TinyGuest(0xFB, 0xF4, 0xEB, 0xFE)) { // sti; hlt; jmp to itself
            guest.handler(0x20, 0x2000, 0xE6, 0x42, 0xCF); // out 0x42, al; iret
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
            guest.cpu.requestInterruptWindow(true);
            Exit exit = guest.cpu.run();
            assertThat(exit).isInstanceOf(Exit.IrqWindow.class);
            guest.cpu.requestInterruptWindow(false);
            assertThat(guest.cpu.readyForInterrupt()).isTrue();
            assertThat(guest.cpu.state().inject(0x20)).isTrue();
            expectOut(guest, 0x42, -1);
        }
    }

    @Test
    void syntheticInterruptRoutesNeedHyperv() {
        try (TinyGuest guest = new TinyGuest(vm -> vm.interrupts().createIrqchip(), 0xF4)) { // hlt
            GsiRoute route = new GsiRoute.ToHypervSint(40, 0, 2);
            if (guest.vm.has(Capability.HYPERV_SYNIC2)) {
                guest.cpu.enable(Capability.HYPERV_SYNIC2);
                guest.vm.interrupts().setRoutes(List.of(route));
            } else {
                assertThatThrownBy(() -> guest.cpu.enable(Capability.HYPERV_SYNIC2))
                        .isInstanceOf(KvmException.class)
                        .hasMessageContainingAll("KVM_ENABLE_CAP", "KVM_CAP_HYPERV_SYNIC2", "EINVAL");
                assertThatThrownBy(() -> guest.vm.interrupts().setRoutes(List.of(route)))
                        .isInstanceOf(KvmException.class);
            }
        }
    }
}
