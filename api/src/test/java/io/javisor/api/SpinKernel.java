package io.javisor.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** A guest of eight bytes that prints a dot and then computes for ever, so that only its owner ends it. */
final class SpinKernel {
    private static final long CODE = 0x10_0000;

    private static final byte[] PROGRAM = {
        0x66,
        (byte) 0xBA,
        (byte) 0xF8,
        0x03, // mov dx, 0x3f8
        (byte) 0xB0,
        0x2E, //                    mov al, '.'
        (byte) 0xEE, //                          out dx, al
        (byte) 0xEB,
        (byte) 0xFE, //             jmp .
    };

    private SpinKernel() {}

    /** An ELF file of it. */
    static Path writeTo(Path folder) {
        ByteBuffer elf = ByteBuffer.allocate(4096 + PROGRAM.length).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1}).position(16);
        elf.putShort((short) 2).putShort((short) 62).putInt(1).putLong(CODE);
        elf.putLong(64).putLong(0).putInt(0);
        elf.putShort((short) 64).putShort((short) 56).putShort((short) 1);
        elf.position(64);
        elf.putInt(1).putInt(5).putLong(4096).putLong(CODE).putLong(CODE);
        elf.putLong(PROGRAM.length).putLong(PROGRAM.length).putLong(4096);
        elf.put(4096, PROGRAM);
        try {
            return Files.write(folder.resolve("spin-kernel"), elf.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A machine that runs it. */
    static MachineBuilder machine(Path folder) {
        return VirtualMachine.builder("spin")
                .memory(MemorySize.mib(32))
                .linux(l -> l.kernel(folder.resolve("spin-kernel")));
    }
}
