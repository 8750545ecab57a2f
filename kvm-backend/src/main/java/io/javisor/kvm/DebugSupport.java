package io.javisor.kvm;

import io.javisor.kvm.GuestDebug.Breakpoint;
import io.javisor.kvm.GuestDebug.Kind;
import java.util.List;

/**
 * Which of a debugger's means stop a guest on this host. KVM accepts {@link GuestDebug} wherever it runs; whether a guest really
 * stops is up to what is below it: {@code kvm_pvm} emulates INT3, and QEMU's emulation of SVM neither reports INT3 nor loads
 * the debug registers for a guest. A breakpoint that is not reported would reach the guest, which knows nothing of it.
 *
 * @param software INT3 is reported
 * @param hardware the debug registers stop a guest
 */
public record DebugSupport(boolean software, boolean hardware) {
    private static final long PROBE_NANOS = 1_000_000_000;
    private static final int MEMORY = 0x10000;
    private static final int CODE = 0x1000;
    private static final int HANDLER = 0x2000;
    private static final int STACK = 0x8000;
    private static final int BREAKPOINT_VECTOR = 3;
    private static final byte NOP = (byte) 0x90;
    private static final byte INT3 = (byte) 0xCC;
    private static final byte OUT_AL_IMMEDIATE = (byte) 0xE6;
    private static final byte PORT = 0x10;

    /**
     * Tries them with a guest of a few bytes, in some milliseconds. Not for virtual threads.
     *
     * @throws KvmException if no VM can be made
     */
    public static DebugSupport probe(Kvm kvm) {
        return new DebugSupport(
                stops(kvm, INT3, new GuestDebug(false, true, false, List.of())),
                stops(kvm, NOP, new GuestDebug(false, false, false, List.of(new Breakpoint(CODE, Kind.EXECUTE, 1)))));
    }

    /** Whether a guest stops at an instruction rather than writes to a port after it, or in its handler. */
    private static boolean stops(Kvm kvm, byte instruction, GuestDebug debug) {
        try (KvmVm vm = kvm.createVm();
                GuestRam ram = vm.mapMemory(0, MEMORY);
                Vcpu cpu = vm.createVcpu(0)) {
            ram.write(CODE, instruction, OUT_AL_IMMEDIATE, PORT);
            ram.write(HANDLER, OUT_AL_IMMEDIATE, PORT);
            ram.write(4 * BREAKPOINT_VECTOR, (byte) HANDLER, (byte) (HANDLER >> 8), (byte) 0, (byte) 0);
            Sregs sregs = cpu.sregs();
            cpu.setSregs(sregs.cs(sregs.cs().realMode(0))
                    .ds(sregs.ds().realMode(0))
                    .ss(sregs.ss().realMode(0)));
            cpu.setRegs(new Regs().rip(CODE).rsp(STACK).rflags(2));
            cpu.state().setGuestDebug(debug);
            return cpu.run(PROBE_NANOS) instanceof Exit.Debug;
        }
    }
}
