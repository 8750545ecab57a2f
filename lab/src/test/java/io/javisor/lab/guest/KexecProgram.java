package io.javisor.lab.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/** {@code kexec KERNEL INITRD COMMAND-LINE} as a program without libraries: what kexec-tools do with {@code -s -l} and then {@code -e}. */
final class KexecProgram {
    private static final String CODE = """
            488b7c2410        mov  rdi, [rsp+16]          the kernel
            31f6              xor  esi, esi               O_RDONLY
            b802000000        mov  eax, 2                 open
            0f05              syscall
            89c3              mov  ebx, eax
            488b7c2418        mov  rdi, [rsp+24]          the initial RAM disk
            b802000000        mov  eax, 2                 open
            0f05              syscall
            89c6              mov  esi, eax
            89df              mov  edi, ebx
            4c8b542420        mov  r10, [rsp+32]          the command line
            31d2              xor  edx, edx
            ffc2      length: inc  edx                    with its NUL
            41807c12ff00      cmp  byte [r10+rdx-1], 0
            75f6              jne  length
            4531c0            xor  r8d, r8d               no flags
            b840010000        mov  eax, 320               kexec_file_load
            0f05              syscall
            85c0              test eax, eax
            7816              js   fail
            bfaddee1fe        mov  edi, 0xFEE1DEAD        LINUX_REBOOT_MAGIC1
            be69191228        mov  esi, 0x28121969        LINUX_REBOOT_MAGIC2
            ba43455845        mov  edx, 0x45584543        LINUX_REBOOT_CMD_KEXEC
            b8a9000000        mov  eax, 169               reboot
            0f05              syscall
            f7d8        fail: neg  eax
            89c7              mov  edi, eax               the errno
            b83c000000        mov  eax, 60                exit
            0f05              syscall
            """;

    private KexecProgram() {}

    static byte[] elf() {
        StringBuilder hex = new StringBuilder();
        CODE.lines().forEach(line -> hex.append(line, 0, line.indexOf(' ')));
        byte[] code = HexFormat.of().parseHex(hex);
        int size = 120 + code.length; // an ELF header and a program header before it
        return ByteBuffer.allocate(size)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1, 0})
                .putLong(0)
                .putShort((short) 2) // ET_EXEC
                .putShort((short) 62) // EM_X86_64
                .putInt(1)
                .putLong(0x40_0000 + 120)
                .putLong(64)
                .putLong(0)
                .putInt(0)
                .putShort((short) 64)
                .putShort((short) 56)
                .putShort((short) 1)
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort((short) 0)
                .putInt(1) // PT_LOAD
                .putInt(5) // readable and executable
                .putLong(0)
                .putLong(0x40_0000)
                .putLong(0x40_0000)
                .putLong(size)
                .putLong(size)
                .putLong(0x1000)
                .put(code)
                .array();
    }
}
