package io.javisor.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/** Writes guests of a few bytes as ELF files: code at 1 MiB, where it begins in 64-bit mode, and data elsewhere. */
final class TinyElf {
    static final long CODE = 0x10_0000;

    private static final int HEADERS = 64 + 2 * 56;

    private TinyElf() {}

    /** Machine code from bytes in hexadecimal with comments that begin with a hash. */
    static byte[] program(String text) {
        return HexFormat.ofDelimiter(" ")
                .parseHex(text.replaceAll("#.*", "").strip().replaceAll("\\s+", " "));
    }

    /** An ELF file with code, and data at an address. */
    static Path write(Path file, byte[] code, long dataAt, byte[] data) {
        ByteBuffer elf = ByteBuffer.allocate(8192 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1}).position(16);
        elf.putShort((short) 2).putShort((short) 62).putInt(1).putLong(CODE); // executable, x86-64, entry
        elf.putLong(64)
                .putLong(0)
                .putInt(0)
                .putShort((short) 64)
                .putShort((short) 56)
                .putShort((short) 2);
        elf.position(64);
        segment(elf, 4096, CODE, code.length);
        segment(elf, 8192, dataAt, data.length);
        if (elf.position() != HEADERS) {
            throw new AssertionError(elf.position());
        }
        elf.put(4096, code).put(8192, data);
        try {
            return Files.write(file, elf.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void segment(ByteBuffer elf, long offset, long gpa, long length) {
        elf.putInt(1)
                .putInt(7)
                .putLong(offset)
                .putLong(gpa)
                .putLong(gpa)
                .putLong(length)
                .putLong(length);
        elf.putLong(4096);
    }
}
