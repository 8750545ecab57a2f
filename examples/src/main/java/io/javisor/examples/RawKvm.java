package io.javisor.examples;

import io.javisor.kvm.Exit;
import io.javisor.kvm.GuestRam;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.KvmVm;
import io.javisor.kvm.Regs;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.Vcpu;
import java.nio.charset.StandardCharsets;

/**
 * The typed KVM layer alone: a guest of a few instructions in real mode prints a text to port 0x10, writes to device memory,
 * asks port 0x11 for a number, and halts. Needs {@code javisor-kvm} only, and any {@code /dev/kvm}.
 */
public final class RawKvm {
    private static final int CODE = 0x1000;
    private static final int TEXT = 0x2000;
    private static final int TEXT_PORT = 0x10;
    private static final int NUMBER_PORT = 0x11;

    private static final int[] PROGRAM = {
        0xBE,
        0x00,
        0x20, //       mov si, 0x2000
        0xAC, //             next: lodsb
        0x84,
        0xC0, //             test al, al
        0x74,
        0x04, //             jz done
        0xE6,
        TEXT_PORT, //        out 0x10, al
        0xEB,
        0xF7, //             jmp next
        0xE4,
        NUMBER_PORT, // done: in al, 0x11
        0xA2,
        0x00,
        0x90, //       mov [0x9000], al      where no memory is
        0xF4, //                   hlt
    };

    private RawKvm() {}

    /** Takes no arguments. */
    public static void main(String[] arguments) {
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm();
                GuestRam ram = vm.mapMemory(0, 0x8000);
                Vcpu cpu = vm.createVcpu(0)) {
            for (int i = 0; i < PROGRAM.length; i++) {
                ram.write(CODE + i, (byte) PROGRAM[i]);
            }
            ram.write(TEXT, "hello from a guest\n\0".getBytes(StandardCharsets.US_ASCII));
            Sregs sregs = cpu.sregs();
            cpu.setSregs(sregs.cs(sregs.cs().realMode(0)).ds(sregs.ds().realMode(0)));
            cpu.setRegs(new Regs().rip(CODE).rflags(2));
            run(cpu);
        }
    }

    private static void run(Vcpu cpu) {
        while (true) {
            // The exits are views over the page that the vCPU shares with the kernel: no object is made for them.
            switch (cpu.run()) {
                case Exit.IoOut out when out.port() == TEXT_PORT -> IO.print((char) out.value());
                case Exit.IoIn in when in.port() == NUMBER_PORT -> in.set(42);
                case Exit.MmioWrite write ->
                    IO.println("device memory at 0x" + Long.toHexString(write.address()) + " = " + write.value());
                case Exit.Halt _ -> {
                    IO.println("halted");
                    return;
                }
                case Exit exit -> throw cpu.dump().error(exit);
            }
        }
    }
}
