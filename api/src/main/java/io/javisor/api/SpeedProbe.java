package io.javisor.api;

import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestRam;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.Vcpu;
import io.javisor.partition.HypervisorException;
import java.time.Duration;
import java.util.Optional;

/** Finds out whether guest code runs on the processor, by giving it a short loop and little time. */
final class SpeedProbe {
    /** A processor does this many turns in half a millisecond, translated code in five, an emulator in a quarter of a second. */
    private static final int TURNS = 500_000;

    private static final Duration PATIENCE = Duration.ofMillis(100);
    /** A busy host may be slow once, or twice. */
    private static final int TRIES = 3;

    private static final int CODE = 0x1000;

    private SpeedProbe() {}

    /** Why guest code is too slow here; empty if it is not. */
    static Optional<String> emulated(Kvm kvm) {
        byte[] loop = {
            0x66,
            (byte) 0xB9,
            (byte) TURNS,
            (byte) (TURNS >> 8),
            (byte) (TURNS >> 16),
            (byte) (TURNS >> 24), // mov ecx, TURNS
            0x66,
            0x49, // 1: dec ecx
            0x75,
            (byte) 0xFC, // jnz 1b
            (byte) 0xE6,
            0x10, // out 0x10, al
        };
        try (KvmVm vm = kvm.createVm();
                GuestRam ram = vm.mapMemory(CODE, 4096);
                Vcpu vcpu = vm.createVcpu(0)) {
            ram.write(CODE, loop);
            Sregs sregs = vcpu.sregs();
            vcpu.setSregs(sregs.cs(sregs.cs().realMode(0)));
            for (int i = 0; i < TRIES; i++) {
                vcpu.setRegs(vcpu.regs().rip(CODE).rflags(2));
                if (vcpu.run(PATIENCE.toNanos()) instanceof Exit.IoOut) {
                    return Optional.empty();
                }
            }
            return Optional.of("a loop of " + TURNS + " turns in a guest takes more than " + PATIENCE.toMillis()
                    + " ms, " + TRIES + " times: its processor is emulated");
        } catch (HypervisorException e) {
            return Optional.of("a guest can't even run a short loop: " + e.getMessage());
        }
    }
}
