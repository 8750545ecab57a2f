package io.javisor.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * A guest that prints a dot, sleeps until a byte comes to the first serial port, which interrupts it, sends the byte back, and
 * sleeps again. Any number of them cost nothing while they sleep.
 */
final class EchoKernel {
    private static final long STACK = 0x10_3000;

    private static final byte[] PROGRAM = TinyElf.program("""
        fa                            # cli
        bc 00 30 10 00                # mov esp, 0x103000
        0f 01 14 25 b0 00 10 00       # lgdt [0x1000b0]
        b8 82 00 10 00                # mov eax, 0x100082         interrupt
        bf 40 12 10 00                # mov edi, 0x101240         vector 0x24 of the table at 0x101000
        66 89 07                      # mov [rdi], ax
        66 c7 47 02 10 00             # mov word [rdi + 2], 0x10
        66 c7 47 04 00 8e             # mov word [rdi + 4], 0x8e00
        c1 e8 10                      # shr eax, 16
        66 89 47 06                   # mov [rdi + 6], ax
        48 c7 47 08 00 00 00 00       # mov qword [rdi + 8], 0
        0f 01 1c 25 ba 00 10 00       # lidt [0x1000ba]
        b0 11 e6 20                   # both 8259A: edges, four words follow
        b0 20 e6 21                   # the first's vectors begin at 0x20
        b0 04 e6 21
        b0 01 e6 21
        b0 ef e6 21                   # all but interrupt 4 masked
        b0 11 e6 a0
        b0 28 e6 a1
        b0 02 e6 a1
        b0 01 e6 a1
        b0 ff e6 a1
        ba f9 03 00 00 b0 01 ee       # interrupt when data has come
        ba fc 03 00 00 b0 0b ee       # DTR, RTS, OUT2, which lets interrupts out
        ba f8 03 00 00 b0 2e ee       # '.'
        fb                            # sleep: sti
        f4                            # hlt
        eb fc                         # jmp sleep
        ba f8 03 00 00                # interrupt: mov edx, 0x3f8
        ec                            # in al, dx
        ee                            # out dx, al
        b0 20 e6 20                   # end of interrupt
        48 cf                         # iretq
        90 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 # at 0x90: four segments, two of them empty
        ff ff 00 00 00 9b af 00       # 64-bit code
        ff ff 00 00 00 93 cf 00       # data
        1f 00 90 00 10 00 00 00 00 00 # their size, and where they begin
        4f 02 00 10 10 00 00 00 00 00 # the same of the table of interrupts
        """);

    private EchoKernel() {}

    /** An ELF file of it. */
    static Path writeTo(Path folder) {
        return TinyElf.write(folder.resolve("echo-kernel"), PROGRAM, STACK, new byte[8]);
    }

    /** Types a byte and waits until the guest has sent it back. */
    static void awaitAnswer(VirtualMachine vm, Duration limit) {
        long wanted = vm.console().written() + 1;
        try {
            vm.console().type("x");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        long end = System.nanoTime() + limit.toNanos();
        while (vm.console().written() < wanted) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError(
                        vm + " does not answer; its console: " + vm.console().tail(3));
            }
            LockSupport.parkNanos(50_000);
        }
    }

    /** A machine that runs it. */
    static MachineBuilder machine(Path folder) {
        return VirtualMachine.builder("echo")
                .memory(MemorySize.mib(16))
                .linux(l -> l.kernel(folder.resolve("echo-kernel")));
    }
}
