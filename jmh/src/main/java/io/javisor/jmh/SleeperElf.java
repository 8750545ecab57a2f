package io.javisor.jmh;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An ELF file around the guest that sleeps (src/main/guest/sleeper.S), with room behind it for its stack and interrupt table. */
public final class SleeperElf {
    private static final long ENTRY = 0x10_0000;
    private static final long ROOM = 0x4000;
    private static final int CODE_AT = 4096;
    private static final int HEADER = 64;
    private static final int PROGRAM_HEADER = 56;

    private SleeperElf() {}

    /** The file for the guest's machine code, which runs at 1 MiB. */
    public static byte[] of(byte[] code) {
        ByteBuffer elf = ByteBuffer.allocate(CODE_AT + code.length).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(Code.bytes(0x7F, 'E', 'L', 'F', 2, 1, 1)).position(16);
        elf.putShort((short) 2).putShort((short) 62).putInt(1).putLong(ENTRY); // executable, x86-64
        elf.putLong(HEADER).putLong(0).putInt(0).putShort((short) HEADER);
        elf.putShort((short) PROGRAM_HEADER).putShort((short) 1);
        elf.position(HEADER);
        elf.putInt(1).putInt(7).putLong(CODE_AT).putLong(ENTRY).putLong(ENTRY); // to be loaded; read, write, run
        elf.putLong(code.length).putLong(ROOM).putLong(CODE_AT);
        elf.position(CODE_AT).put(code);
        return elf.array();
    }
}
