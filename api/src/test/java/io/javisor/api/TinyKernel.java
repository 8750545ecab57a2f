package io.javisor.api;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.kvm.Kvm;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * A guest of a hundred bytes that computes a checksum for some seconds, prints a dot on the first serial port every 4,096
 * steps, and at the end the sum and a newline; then it powers off. Each step reads one of the 4,096 pages of 16 MiB of
 * random data, and writes one of 4,096 words of a table. Between two dots it waits for the time-stamp counter, so that it
 * is in the middle of its work for long enough on a fast processor too.
 */
final class TinyKernel {
    static final int DOTS = 16;

    /** How often it reads its data. */
    static final int STEPS = 0x1_0000;

    private static final long PRIME = 0x100000001B3L; // FNV-1a, 64 bits
    private static final long BASIS = 0xCBF29CE484222325L;
    private static final int PAGES = 0x1000;
    private static final long DATA = 0x40_0000;

    private static final byte[] PROGRAM = TinyElf.program("""
        48 bb 25 23 22 84 e4 9c f2 cb # mov rbx, 0xcbf29ce484222325
        48 31 c9                      # xor rcx, rcx
        49 b8 b3 01 00 00 00 01 00 00 # mov r8, 0x100000001b3
        49 c7 c1 00 00 20 00          # mov r9, 0x200000          the table
        49 c7 c3 00 00 40 00          # mov r11, 0x400000         the data
        48 31 cb                      # step: xor rbx, rcx
        48 89 ca                      # mov rdx, rcx
        48 81 e2 ff 0f 00 00          # and rdx, 0xfff
        48 89 d0                      # mov rax, rdx
        48 c1 e0 0c                   # shl rax, 12
        49 33 1c 03                   # xor rbx, [r11 + rax]
        49 0f af d8                   # imul rbx, r8
        49 89 1c d1                   # mov [r9 + rdx * 8], rbx
        48 ff c1                      # inc rcx
        48 f7 c1 ff 0f 00 00          # test rcx, 0xfff
        75 1c                         # jne on
        b0 2e                         # mov al, '.'
        66 ba f8 03                   # mov dx, 0x3f8
        ee                            # out dx, al
        0f 31                         # wait: rdtsc
        48 c1 e2 20                   # shl rdx, 32
        48 09 c2                      # or rdx, rax
        4c 39 e2                      # cmp rdx, r12              zero at first
        72 f2                         # jb wait
        4c 8d a2 00 00 00 10          # lea r12, [rdx + 0x10000000]
        48 81 f9 00 00 01 00          # on: cmp rcx, 0x10000
        75 af                         # jne step
        48 31 ff                      # xor rdi, rdi
        48 31 d2                      # xor rdx, rdx
        49 0f af f8                   # fold: imul rdi, r8
        49 03 3c d1                   # add rdi, [r9 + rdx * 8]
        48 ff c2                      # inc rdx
        48 81 fa 00 10 00 00          # cmp rdx, 0x1000
        75 ec                         # jne fold
        66 ba f8 03                   # mov dx, 0x3f8
        b0 3d                         # mov al, '='
        ee                            # out dx, al
        48 c7 c1 10 00 00 00          # mov rcx, 16
        48 c1 c7 04                   # digit: rol rdi, 4
        40 88 f8                      # mov al, dil
        24 0f                         # and al, 15
        04 61                         # add al, 'a'
        ee                            # out dx, al
        48 ff c9                      # dec rcx
        75 ef                         # jne digit
        b0 0a                         # mov al, 10
        ee                            # out dx, al
        66 ba 00 06                   # mov dx, 0x600             ACPI sleep control
        b0 34                         # mov al, 0x34              S5, now
        ee                            # out dx, al
        f4                            # stop: hlt
        eb fd                         # jmp stop
        """);

    private TinyKernel() {}

    static void assumeKvm() {
        assumeTrue(Files.isWritable(Kvm.DEVICE), "needs a /dev/kvm that this user may open");
    }

    private static byte[] data() {
        byte[] data = new byte[PAGES * 4096];
        new Random(42).nextBytes(data);
        return data;
    }

    /** An ELF file of it. */
    static Path writeTo(Path folder) {
        return TinyElf.write(folder.resolve("tiny-kernel"), PROGRAM, DATA, data());
    }

    /** What it prints at the end. */
    static String sum() {
        ByteBuffer data = ByteBuffer.wrap(data()).order(ByteOrder.LITTLE_ENDIAN);
        long[] table = new long[PAGES];
        long hash = BASIS;
        for (long i = 0; i < STEPS; i++) {
            int page = (int) (i % PAGES);
            hash = ((hash ^ i) ^ data.getLong(page * 4096)) * PRIME;
            table[page] = hash;
        }
        long fold = 0;
        for (long word : table) {
            fold = fold * PRIME + word;
        }
        StringBuilder digits = new StringBuilder("=");
        for (int i = 0; i < 16; i++) {
            fold = Long.rotateLeft(fold, 4);
            digits.append((char) ('a' + (fold & 15)));
        }
        return digits.toString();
    }

    /** A machine that runs it. */
    static MachineBuilder machine(Path folder) {
        return VirtualMachine.builder("tiny")
                .memory(MemorySize.mib(32))
                .linux(l -> l.kernel(folder.resolve("tiny-kernel")));
    }
}
