package io.javisor.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Kernels that were never compiled: right in every field, and easy to spoil. */
final class Kernels {
    static final int SETUP = 5 * 512;

    private Kernels() {}

    /** A bzImage of protocol 2.15 with four setup sectors and the given bytes of 64-bit code, a multiple of 16. */
    static byte[] bzImage(int code) {
        byte[] file = new byte[SETUP + code];
        Arrays.fill(file, SETUP, file.length, (byte) 0x5A);
        ByteBuffer b = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        b.put(0x1F1, (byte) 4);
        b.putInt(0x1F4, code / 16);
        b.putShort(0x1FE, (short) 0xAA55);
        b.put(0x200, (byte) 0xEB).put(0x201, (byte) (0x26C - 0x202));
        b.putInt(0x202, 0x53726448);
        b.putShort(0x206, (short) 0x20F);
        b.put(0x211, (byte) 1);
        b.putInt(0x22C, 0x7FFF_FFFF);
        b.putInt(0x230, 0x20_0000);
        b.put(0x234, (byte) 1);
        b.putShort(0x236, (short) 0x3);
        b.putInt(0x238, 2047);
        b.putInt(0x248, 0x100).putInt(0x24C, code - 0x100);
        b.putLong(0x258, 0x100_0000);
        b.putInt(0x260, 3 * code);
        return file;
    }

    /** A vmlinux of two segments: 8 KiB at 16 MiB, and 4 KiB with as much zeroed memory behind it at 18 MiB. */
    static byte[] elf() {
        ByteBuffer b = ByteBuffer.allocate(0x4000).order(ByteOrder.LITTLE_ENDIAN);
        b.put(ElfImage.MAGIC).put((byte) 2).put((byte) 1).put((byte) 1);
        b.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
        b.putLong(24, 0x100_0040).putLong(32, 64);
        b.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) 3);
        segment(b, 0, 4, 0, 0, 0, 0);
        segment(b, 1, 1, 0x1000, 0x100_0000, 0x2000, 0x2000);
        segment(b, 2, 1, 0x3000, 0x120_0000, 0x1000, 0x2000);
        byte[] file = b.array();
        Arrays.fill(file, 0x1000, 0x4000, (byte) 0xA5);
        return file;
    }

    static void segment(ByteBuffer b, int index, int type, long offset, long gpa, long inFile, long inMemory) {
        int at = 64 + 56 * index;
        b.putInt(at, type).putInt(at + 4, 7);
        b.putLong(at + 8, offset).putLong(at + 16, 0xFFFF_FFFF_8000_0000L + gpa).putLong(at + 24, gpa);
        b.putLong(at + 32, inFile).putLong(at + 40, inMemory).putLong(at + 48, 4096);
    }

    static KernelImage read(byte[] file) {
        return KernelImage.read(ByteSource.of("kernel", file));
    }

    static ByteBuffer fields(byte[] file) {
        return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }
}
