package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.GuestAddressException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MemoryTest {
    private static final int[] WRITE_AND_READ_A000 = {
        0xB8,
        0x00,
        0xA0, // mov ax, 0xa000
        0x8E,
        0xD8, // mov ds, ax
        0xC6,
        0x06,
        0x00,
        0x00,
        0x55, // mov byte [0], 0x55
        0xA0,
        0x00,
        0x00, // mov al, [0]
        0xEE, // out dx, al
        0xF4 // hlt
    };

    @Test
    void readOnlySlotReadsAsMemoryAndWritesAsDevice() {
        try (TinyGuest guest = new TinyGuest(WRITE_AND_READ_A000);
                GuestRam rom = guest.vm.mapMemory(0xA0000, 0x1000, MemoryFlag.READ_ONLY)) {
            rom.write(0xA0000, (byte) 0x77);
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.MmioWrite.class, m -> {
                assertThat(m.address()).isEqualTo(0xA0000);
                assertThat(m.value()).isEqualTo(0x55);
            });
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(0x77));
        }
    }

    @Test
    void removedSlotBecomesDeviceMemory() {
        try (TinyGuest guest = new TinyGuest(WRITE_AND_READ_A000)) {
            GuestRam ram = guest.vm.mapMemory(0xA0000, 0x1000);
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(0x55));
            assertThat(ram.read(0xA0000, 1)).containsExactly(0x55);
            ram.close();
            ram.close();
            guest.load(WRITE_AND_READ_A000);
            assertThat(guest.cpu.run()).isInstanceOf(Exit.MmioWrite.class);
            assertThatThrownBy(() -> ram.read(0xA0000, 1)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void slotsAreReusedAndRefusalsNameTheValues() {
        TinyGuest.assumeKvm();
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm()) {
            GuestRam first = vm.mapMemory(0, 0x1000);
            GuestRam second = vm.mapMemory(0x1000, 0x1000);
            assertThat(second.slot()).isEqualTo(1);
            first.close();
            GuestRam third = vm.mapMemory(0x2000, 0x1000);
            assertThat(third.slot()).isZero();
            assertThatThrownBy(() -> vm.mapMemory(0x1000, 0x1000))
                    .isInstanceOfSatisfying(KvmException.class, e -> {
                        assertThat(e.code()).isEqualTo("kvm-exists");
                        assertThat(e.call()).isEqualTo("KVM_SET_USER_MEMORY_REGION");
                    })
                    .hasMessageContainingAll("0x1000", "EEXIST");
            assertThatThrownBy(() -> vm.setMemory(5, 0x10, second.segment()))
                    .isInstanceOf(KvmException.class)
                    .hasMessageContaining("EINVAL");
            assertThatThrownBy(() -> vm.setMemory(5, 0, MemorySegment.ofArray(new byte[4096])))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> second.write(0x1FFF, (byte) 1, (byte) 2))
                    .isInstanceOf(GuestAddressException.class);
            second.close();
            third.close();
        }
    }

    @Test
    void vmThatIsClosedFirstLetsGoOfItsMemory() {
        TinyGuest.assumeKvm();
        Kvm kvm = Kvm.open();
        KvmVm vm = kvm.createVm();
        GuestRam ram = vm.mapMemory(0, 0x4000);
        Vcpu cpu = vm.createVcpu(0);
        Sregs sregs = cpu.sregs();
        cpu.setSregs(sregs.cs(sregs.cs().realMode(0)));
        cpu.setRegs(new Regs().rip(0x1000));
        ram.write(0x1000, (byte) 0xF4); // hlt
        vm.close();
        ram.close();
        // The vCPU keeps the VM alive in the kernel, but the VM has no memory any more.
        assertThat(cpu.run()).isNotInstanceOf(Exit.Halt.class);
        cpu.close();
        kvm.close();
    }

    // mov [si], al at each of the pages 2, 3 and 9 of the first slot
    private static final int[] WRITE_THREE_PAGES = {
        0xA2, 0x00, 0x20, // mov [0x2000], al
        0xA2, 0x10, 0x30, // mov [0x3010], al
        0xA2, 0x20, 0x90, // mov [0x9020], al
        0xF4 // hlt
    };

    @Test
    void dirtyBitmapHasThePagesThatWereWritten() {
        try (TinyGuest guest = new TinyGuest(WRITE_THREE_PAGES)) {
            guest.vm.dirtyLog().get(guest.ram.slot());
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
            BitSet pages = guest.vm.dirtyLog().get(guest.ram.slot());
            assertThat(pages.stream().filter(p -> p >= 2)).containsExactly(2, 3, 9);
            // Asking forgets.
            assertThat(guest.vm.dirtyLog().get(guest.ram.slot()).isEmpty()).isTrue();
            assertThatThrownBy(() -> guest.vm.dirtyLog().get(7)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void manualProtectionForgetsOnlyWhatIsCleared() {
        try (TinyGuest guest = new TinyGuest(vm -> vm.dirtyLog().enableManualProtect(false), WRITE_THREE_PAGES)) {
            int slot = guest.ram.slot();
            BitSet all = new BitSet();
            all.set(0, 16);
            guest.vm.dirtyLog().clear(slot, 0, 16, all);
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
            BitSet once = guest.vm.dirtyLog().get(slot);
            assertThat(once.stream().filter(p -> p >= 2)).containsExactly(2, 3, 9);
            assertThat(guest.vm.dirtyLog().get(slot)).isEqualTo(once);
            BitSet some = new BitSet();
            some.set(2);
            some.set(9);
            guest.vm.dirtyLog().clear(slot, 0, 16, some);
            assertThat(guest.vm.dirtyLog().get(slot).stream().filter(p -> p >= 2))
                    .containsExactly(3);
            assertThatThrownBy(() -> guest.vm.dirtyLog().clear(slot, 3, 16, some))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> guest.vm.dirtyLog().clear(slot, 0, 8, some))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void dirtyRingHandsOverPagesAndFillsUp() {
        TinyGuest.assumeKvm();
        int entries = 1024;
        int pages = 4096;
        try (Kvm kvm = Kvm.open()) {
            org.junit.jupiter.api.Assumptions.assumeTrue(
                    kvm.has(Capability.DIRTY_LOG_RING) || kvm.has(Capability.DIRTY_LOG_RING_ACQ_REL),
                    "needs KVM_CAP_DIRTY_LOG_RING");
            try (KvmVm vm = kvm.createVm()) {
                vm.dirtyLog().enableRing(entries);
                try (GuestRam ram = vm.mapMemory(0, pages * 4096L, MemoryFlag.LOG_DIRTY);
                        Vcpu cpu = vm.createVcpu(0)) {
                    ram.write(
                            0x1000,
                            TinyGuest.bytes(
                                    0x67, 0x88, 0x06, // mov [esi], al
                                    0x66, 0x81, 0xC6, 0x00, 0x10, 0x00, 0x00, // add esi, 0x1000
                                    0xEE, // out dx, al
                                    0x66, 0x49, // dec ecx
                                    0x75, 0xF1, // jnz to the start
                                    0xF4)); // hlt
                    Sregs sregs = cpu.sregs();
                    // A flat data segment, so that real mode reaches beyond 1 MiB.
                    SegmentRegister ds = sregs.ds();
                    cpu.setSregs(sregs.cs(sregs.cs().realMode(0))
                            .ds(new SegmentRegister(
                                    0, -1, 0, ds.type(), true, 0, ds.db(), ds.s(), ds.l(), true, false, false)));
                    cpu.setRegs(new Regs().rip(0x1000).rsi(0x100000).rcx(3000));
                    Set<Long> written = new HashSet<>();
                    int full = 0;
                    Exit exit = cpu.run();
                    // Some hosts emulate many instructions at a stretch and look at the ring only in between: hence the
                    // port write per page.
                    while (!(exit instanceof Exit.Halt)) {
                        if (exit instanceof Exit.IoOut) {
                            exit = cpu.run();
                            continue;
                        }
                        assertThat(exit).isInstanceOf(Exit.DirtyRingFull.class);
                        full++;
                        int taken = cpu.dirtyRing().collect((slot, page) -> {
                            assertThat(slot).isEqualTo(ram.slot());
                            written.add(page);
                        });
                        assertThat(taken).isPositive();
                        assertThat(vm.dirtyLog().resetRings()).isEqualTo(taken);
                        exit = cpu.run();
                    }
                    cpu.dirtyRing().collect((slot, page) -> written.add(page));
                    assertThat(full).isPositive();
                    for (long page = 256; page < 256 + 3000; page++) {
                        assertThat(written).contains(page);
                    }
                }
            }
        }
    }

    @Test
    void dirtyRingIsRefusedWhereItWasNotAskedFor() {
        try (TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            assertThatThrownBy(guest.cpu::dirtyRing).isInstanceOf(IllegalStateException.class);
        }
    }
}
