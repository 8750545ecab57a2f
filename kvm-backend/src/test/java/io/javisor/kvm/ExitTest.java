package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Method;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Exits as guests make them, on the real /dev/kvm. */
@Timeout(60)
class ExitTest {
    @Test
    void portReadIsAnswered() {
        try (TinyGuest guest = new TinyGuest(
                0xBA, 0x34, 0x12, // mov dx, 0x1234
                0xEC, // in al, dx
                0xFE, 0xC0, // inc al
                0xEE, // out dx, al
                0x66, 0xED, // in eax, dx
                0x66, 0xEF, // out dx, eax
                0xF4)) { // hlt
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.IoIn.class, io -> {
                assertThat(io.port()).isEqualTo(0x1234);
                assertThat(io.size()).isEqualTo(1);
                io.set(0x41);
            });
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(0x42));
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.IoIn.class, io -> {
                assertThat(io.size()).isEqualTo(4);
                io.set(0xFEDC_BA98L);
            });
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(0xFEDC_BA98L));
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
        }
    }

    @Test
    void stringOutputHasAllItsElements() {
        try (TinyGuest guest = new TinyGuest(
                0xBA, 0xF8, 0x03, // mov dx, 0x3f8
                0xBE, 0x00, 0x20, // mov si, 0x2000
                0xB9, 0x05, 0x00, // mov cx, 5
                0xFC, // cld
                0xF3, 0x6E, // rep outsb
                0xF4)) { // hlt
            guest.ram.write(0x2000, TinyGuest.bytes('h', 'e', 'l', 'l', 'o'));
            StringBuilder text = new StringBuilder();
            Exit exit = guest.cpu.run();
            while (exit instanceof Exit.IoOut io) {
                assertThat(io.data().byteSize()).isEqualTo((long) io.count() * io.size());
                for (int i = 0; i < io.count(); i++) {
                    text.append((char) io.value(i));
                }
                int past = io.count();
                assertThatThrownBy(() -> io.value(past)).isInstanceOf(IndexOutOfBoundsException.class);
                exit = guest.cpu.run();
            }
            assertThat(exit).isInstanceOf(Exit.Halt.class);
            assertThat(text).hasToString("hello");
        }
    }

    @Test
    void deviceMemoryIsReadAndWritten() {
        try (TinyGuest guest = new TinyGuest(
                0xB8, 0x00, 0xA0, // mov ax, 0xa000
                0x8E, 0xD8, // mov ds, ax
                0x66, 0xA1, 0x10, 0x00, // mov eax, [0x10]
                0x66, 0x40, // inc eax
                0x66, 0xA3, 0x20, 0x00, // mov [0x20], eax
                0xA2, 0x30, 0x00, // mov [0x30], al
                0xF4)) { // hlt
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.MmioRead.class, m -> {
                assertThat(m.address()).isEqualTo(0xA0010);
                assertThat(m.length()).isEqualTo(4);
                m.set(0x1234_56FFL);
            });
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.MmioWrite.class, m -> {
                assertThat(m.address()).isEqualTo(0xA0020);
                assertThat(m.length()).isEqualTo(4);
                assertThat(m.value()).isEqualTo(0x1234_5700L);
            });
            assertThat(guest.cpu.run()).isInstanceOfSatisfying(Exit.MmioWrite.class, m -> {
                assertThat(m.length()).isEqualTo(1);
                assertThat(m.value()).isZero();
            });
            assertThat(guest.cpu.run()).isInstanceOf(Exit.Halt.class);
        }
    }

    @Test
    void tripleFaultIsAShutdownAndItsErrorHasTheRegisters() {
        try (TinyGuest guest = new TinyGuest(
                0xB8, 0xEF, 0xBE, 0xAD, 0xDE, // mov eax, 0xdeadbeef
                0x0F, 0x0B)) { // ud2, with no interrupt table to go to
            Sregs sregs = guest.cpu.sregs();
            sregs.cr0(Sregs.CR0_PE).cs(SegmentRegister.code32(8)).ds(SegmentRegister.data(16));
            guest.cpu.setSregs(sregs.ss(SegmentRegister.data(16)).idt(new DescriptorTable(0, 0)));
            Exit exit = guest.cpu.run();
            assertThat(exit).isInstanceOf(Exit.Shutdown.class);
            KvmException error =
                    guest.cpu.dump().withCode(guest.ram.read(0x1005, 2)).error(exit);
            assertThat(error.code()).isEqualTo("kvm-shutdown");
            assertThat(error).hasMessageContainingAll("triple fault", "deadbeef", "rip", "cr0", "code 0f 0b");
        }
    }

    @Test
    void codeWhereThereIsNoMemoryIsAnInternalErrorThatTellsWhy() {
        try (TinyGuest guest = new TinyGuest(0xEA, 0x00, 0x00, 0x00, 0xB0)) { // jmp 0xb000:0
            Exit exit = guest.cpu.run();
            assertThat(exit).isInstanceOfSatisfying(Exit.InternalError.class, e -> {
                assertThat(e.kind()).isEqualTo(Exit.InternalError.EMULATION);
                assertThat(e.dataCount()).isBetween(0, 16);
            });
            KvmException error = guest.cpu.dump().error(exit);
            assertThat(error.code()).isEqualTo("kvm-internal-error");
            assertThat(error).hasMessageContainingAll("could not be emulated", "rip", "b000");
        }
    }

    @Test
    void cpuidIsWhatWasSet() {
        try (TinyGuest guest = new TinyGuest(
                0x66, 0xB8, 0x00, 0x00, 0x00, 0x40, // mov eax, 0x40000000
                0x0F, 0xA2, // cpuid
                0x66, 0x89, 0xD8, // mov eax, ebx
                0xBA, 0x10, 0x00, // mov dx, 0x10
                0x66, 0xEF, // out dx, eax
                0xF4)) { // hlt
            CpuidEntry vendor = new CpuidEntry(0x40000000, 0, 0, 0x40000001, 0x1234_5678, 0, 0);
            guest.cpu.setCpuid(java.util.List.of(new CpuidEntry(0, 0, 0, 1, 0, 0, 0), vendor));
            assertThat(guest.cpu.state().cpuid()).contains(vendor);
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, io -> assertThat(io.value()).isEqualTo(0x1234_5678));
        }
    }

    @Test
    void runsAllocateNothing() throws Exception {
        // By name, since the module under test has no need to read jdk.management.
        Method allocated = Class.forName("com.sun.management.ThreadMXBean").getMethod("getCurrentThreadAllocatedBytes");
        Object threads = ManagementFactoryAccess.threads();
        try (TinyGuest guest = new TinyGuest(
                0xEC, // in al, dx
                0xEE, // out dx, al
                0xA2, 0x00, 0x00, // mov [0], al, where DS is 0xa000
                0xEB, 0xF9)) { // jmp to the start
            Sregs sregs = guest.cpu.sregs();
            guest.cpu.setSregs(sregs.ds(sregs.ds().realMode(0xA000)));
            int exits = 3_000;
            long sum = 0;
            long least = Long.MAX_VALUE;
            // Compilation takes its time on a busy machine.
            long deadline = System.nanoTime() + 30_000_000_000L;
            while (least >= exits && System.nanoTime() - deadline < 0) {
                long before = (long) allocated.invoke(threads);
                sum += spin(guest.cpu, exits);
                least = Math.min(least, (long) allocated.invoke(threads) - before);
            }
            assertThat(sum).isPositive();
            // Less than a byte a run: the probe itself makes a few objects.
            assertThat(least).isLessThan(exits);
        }
    }

    private static long spin(Vcpu cpu, int exits) {
        long sum = 0;
        for (int i = 0; i < exits; i++) {
            switch (cpu.run()) {
                case Exit.IoIn in -> in.set(i);
                case Exit.IoOut out -> sum += out.value() + out.port();
                case Exit.MmioWrite write -> sum += write.value() + write.address();
                case Exit exit -> throw new AssertionError(exit);
            }
        }
        return sum;
    }

    private static final class ManagementFactoryAccess {
        static Object threads() throws ReflectiveOperationException {
            return Class.forName("java.lang.management.ManagementFactory")
                    .getMethod("getThreadMXBean")
                    .invoke(null);
        }
    }
}
