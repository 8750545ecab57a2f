package io.javisor.kvm;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.util.function.Consumer;

/** A VM with 64 KiB of memory at 0 and one vCPU in real mode that runs bytes of machine code at 0x1000. */
final class TinyGuest implements AutoCloseable {
    static final int CODE = 0x1000;
    static final int STACK = 0x8000;

    final Kvm kvm;
    final KvmVm vm;
    final GuestRam ram;
    final Vcpu cpu;

    TinyGuest(int... code) {
        this(vm -> {}, code);
    }

    /**
     * @param before what is set up before the vCPU is made
     * @param code machine code, a byte each
     */
    TinyGuest(Consumer<KvmVm> before, int... code) {
        assumeKvm();
        kvm = Kvm.open();
        vm = kvm.createVm();
        ram = vm.mapMemory(0, 0x10000, MemoryFlag.LOG_DIRTY);
        // hlt everywhere: a guest that goes astray stops.
        ram.segment().fill((byte) 0xF4);
        before.accept(vm);
        cpu = vm.createVcpu(0);
        Sregs sregs = cpu.sregs();
        sregs.cs(sregs.cs().realMode(0))
                .ds(sregs.ds().realMode(0))
                .ss(sregs.ss().realMode(0));
        cpu.setSregs(sregs);
        load(code);
    }

    static void assumeKvm() {
        assumeTrue(Files.isWritable(Kvm.DEVICE), "needs a /dev/kvm that this user may open");
    }

    /** Replaces the code and starts again at its beginning. */
    void load(int... code) {
        ram.write(CODE, bytes(code));
        cpu.setRegs(new Regs().rip(CODE).rsp(STACK));
    }

    /** Points an interrupt vector of the real-mode table at a handler. */
    void handler(int vector, int address, int... code) {
        ram.write(vector * 4L, (byte) address, (byte) (address >> 8), (byte) 0, (byte) 0);
        ram.write(address, bytes(code));
    }

    static byte[] bytes(int... code) {
        byte[] bytes = new byte[code.length];
        for (int i = 0; i < code.length; i++) {
            bytes[i] = (byte) code[i];
        }
        return bytes;
    }

    @Override
    public void close() {
        cpu.close();
        ram.close();
        vm.close();
        kvm.close();
    }
}
