package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.kvm.VmDoorbells.Place;
import io.javisor.linux.EventFd;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DoorbellTest {
    @Test
    void portDoorbellRingsForItsValueOnly() {
        try (EventFd event = new EventFd();
                TinyGuest guest = new TinyGuest(
                        0xB0, 0x07, // mov al, 7
                        0xE6, 0x50, // out 0x50, al
                        0xB0, 0x08, // mov al, 8
                        0xE6, 0x50, // out 0x50, al
                        0xF4)) { // hlt
            Place place = Place.port(0x50, 1).matching(7);
            guest.vm.doorbells().attach(event, place);
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(8));
            assertThat(event.drain()).isEqualTo(1);
            guest.vm.doorbells().detach(event, place);
            guest.load(0xB0, 0x07, 0xE6, 0x50, 0xF4); // mov al, 7; out 0x50, al; hlt
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(7));
            assertThat(event.drain()).isZero();
            assertThatThrownBy(() -> guest.vm.doorbells().detach(event, place))
                    .isInstanceOf(KvmException.class)
                    .hasMessageContainingAll("KVM_IOEVENTFD", "ENOENT");
        }
    }

    @Test
    void memoryDoorbellRings() {
        try (EventFd event = new EventFd();
                TinyGuest guest = new TinyGuest(
                        0xB8, 0x00, 0xA0, // mov ax, 0xa000
                        0x8E, 0xD8, // mov ds, ax
                        0x66, 0xA3, 0x40, 0x00, // mov [0x40], eax
                        0x66, 0xA3, 0x40, 0x00, // mov [0x40], eax
                        0x66, 0xA3, 0x44, 0x00, // mov [0x44], eax
                        0xF4)) { // hlt
            guest.vm.doorbells().attach(event, Place.mmio(0xA0040, 4));
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.MmioWrite.class, m -> assertThat(m.address()).isEqualTo(0xA0044));
            assertThat(event.drain()).isEqualTo(2);
        }
    }

    @Test
    void writesAreCollectedInOrder() {
        try (TinyGuest guest = new TinyGuest(
                0xB8, 0x00, 0xA0, // mov ax, 0xa000
                0x8E, 0xD8, // mov ds, ax
                0xB0, 0x11, // mov al, 0x11
                0xA2, 0x00, 0x00, // mov [0], al
                0xE6, 0x60, // out 0x60, al
                0xA3, 0x02, 0x00, // mov [2], ax
                0xF4)) { // hlt
            boolean ports = guest.vm.has(Capability.COALESCED_PIO);
            guest.vm.doorbells().coalesce(false, 0xA0000, 0x100);
            if (ports) {
                guest.vm.doorbells().coalesce(true, 0x60, 1);
            } else {
                assertThat(guest.cpu.run()).isInstanceOf(Exit.IoOut.class);
            }
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
            List<String> writes = new ArrayList<>();
            CoalescedWrites collected = guest.cpu.coalescedWrites();
            collected.drain((port, address, value, length) ->
                    writes.add(String.format("%s %x = %x, %d", port ? "port" : "memory", address, value, length)));
            if (ports) {
                assertThat(writes).containsExactly("memory a0000 = 11, 1", "port 60 = 11, 1", "memory a0002 = a011, 2");
            } else {
                assertThat(writes).containsExactly("memory a0000 = 11, 1", "memory a0002 = a011, 2");
            }
            assertThat(collected.drain((port, address, value, length) -> {})).isZero();
            guest.vm.doorbells().uncoalesce(false, 0xA0000, 0x100);
        }
    }

    @Test
    void collectedWritesGoOnAroundTheRing() {
        try (TinyGuest guest = new TinyGuest(
                0xB8, 0x00, 0xA0, // mov ax, 0xa000
                0x8E, 0xD8, // mov ds, ax
                0x89, 0x0E, 0x00, 0x00, // mov [0], cx
                0x49, // dec cx
                0x75, 0xF9, // jnz to the mov
                0xF4)) { // hlt
            guest.vm.doorbells().coalesce(false, 0xA0000, 0x100);
            guest.cpu.setRegs(new Regs().rip(TinyGuest.CODE).rcx(1000));
            CoalescedWrites collected = guest.cpu.coalescedWrites();
            List<Long> values = new ArrayList<>();
            Exit exit = guest.cpu.run();
            // A full ring is an ordinary exit for the write that did not fit.
            while (exit instanceof Exit.MmioWrite m) {
                long past = m.value();
                collected.drain((port, address, value, length) -> values.add(value));
                values.add(past);
                exit = guest.cpu.run();
            }
            assertThat(exit).isInstanceOf(Exit.Halt.class);
            collected.drain((port, address, value, length) -> values.add(value));
            List<Long> expected = new ArrayList<>();
            for (long i = 1000; i > 0; i--) {
                expected.add(i);
            }
            assertThat(values).isEqualTo(expected);
        }
    }

    @Test
    void connectionDoorbellsNeedHyperv() {
        try (EventFd event = new EventFd();
                TinyGuest guest = new TinyGuest(0xF4)) { // hlt
            if (guest.vm.has(Capability.HYPERV_EVENTFD)) {
                guest.vm.doorbells().attachConnection(event, 0x2001);
                guest.vm.doorbells().detachConnection(event, 0x2001);
            } else {
                assertThatThrownBy(() -> guest.vm.doorbells().attachConnection(event, 0x2001))
                        .isInstanceOf(KvmException.class)
                        .hasMessageContainingAll("KVM_HYPERV_EVENTFD", "0x2001");
            }
            assertThatThrownBy(() -> guest.vm.doorbells().attachConnection(event, 1 << 24))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
