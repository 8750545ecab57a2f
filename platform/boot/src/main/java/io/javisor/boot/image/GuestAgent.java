package io.javisor.boot.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * A program for guests of a few hundred bytes, which needs no library: it ties another program to an AF_VSOCK socket, which is
 * then that program's standard input and output.
 *
 * <pre>
 * javisor-agent connect PORT PROGRAM [ARGUMENT]…    connects to the host (CID 2) and becomes the program
 * javisor-agent listen  PORT PROGRAM [ARGUMENT]…    for each connection to this port of the guest, starts the program
 * </pre>
 *
 * <p>PORT is decimal, PROGRAM a path. The exit code is 1 if there are no such sockets (no hv_sock) or nobody listens, 127 if the
 * program can't be executed. Images of {@link BusyboxInit} have it as {@value #PATH}.
 */
public final class GuestAgent {
    /** Where it lies in images that have it. */
    public static final String PATH = "sbin/javisor-agent";

    /** Where the kernel maps it: the first address of executables that are not position-independent. */
    private static final long BASE = 0x40_0000;

    private static final int ELF_HEADER = 64;
    private static final int PROGRAM_HEADER = 56;

    /**
     * The instructions. System calls: rax number, rdi, rsi, rdx, r10 arguments, rax result (arch/x86/entry/syscalls/syscall_64.tbl).
     * Kept throughout: rbp argv, r12 the connected socket, r13 envp, r14 the program's argv, r15 the listening socket.
     */
    private static final String CODE = """
            8b1c24                     mov  ebx, [rsp]             argc
            488d6c2408                 lea  rbp, [rsp+8]           argv
            83fb04                     cmp  ebx, 4
            0f82e2000000               jb   fail
            4c8d6cdd08                 lea  r13, [rbp+rbx*8+8]     envp
            4c8d7518                   lea  r14, [rbp+24]          &argv[3]
            488b7510                   mov  rsi, [rbp+16]          argv[2]: the port
            31d2                       xor  edx, edx
            0fb606              digit: movzx eax, byte [rsi]
            48ffc6                     inc  rsi
            83e830                     sub  eax, '0'
            83f809                     cmp  eax, 9
            7707                       ja   parsed
            6bd20a                     imul edx, edx, 10
            01c2                       add  edx, eax
            ebeb                       jmp  digit
            4883ec10           parsed: sub  rsp, 16                struct sockaddr_vm
            c7042428000000             mov  dword [rsp], 40        AF_VSOCK
            89542404                   mov  [rsp+4], edx           svm_port
            c744240802000000           mov  dword [rsp+8], 2       svm_cid: VMADDR_CID_HOST
            c744240c00000000           mov  dword [rsp+12], 0
            bf28000000                 mov  edi, 40                AF_VSOCK
            be01000800                 mov  esi, 0x80001           SOCK_STREAM | SOCK_CLOEXEC
            31d2                       xor  edx, edx
            b829000000                 mov  eax, 41                socket
            0f05                       syscall
            85c0                       test eax, eax
            0f8884000000               js   fail
            4189c4                     mov  r12d, eax
            89c7                       mov  edi, eax
            4889e6                     mov  rsi, rsp
            ba10000000                 mov  edx, 16
            488b4508                   mov  rax, [rbp+8]           argv[1]
            80386c                     cmp  byte [rax], 'l'
            747a                       je   listen
            b82a000000                 mov  eax, 42                connect
            0f05                       syscall
            85c0                       test eax, eax
            7863                       js   fail
            4489e7                run: mov  edi, r12d
            31f6                       xor  esi, esi
            b821000000                 mov  eax, 33                dup2 to standard input
            0f05                       syscall
            4489e7                     mov  edi, r12d
            be01000000                 mov  esi, 1
            b821000000                 mov  eax, 33                dup2 to standard output
            0f05                       syscall
            bb02000000                 mov  ebx, 2                SIGINT, then SIGQUIT: a shell's background jobs ignore them
            4883ec20          default: sub rsp, 32     struct sigaction: SIG_DFL, no flags
            31c0                       xor  eax, eax
            4889e7                     mov  rdi, rsp
            b904000000                 mov  ecx, 4
            f348ab                     rep  stosq
            89df                       mov  edi, ebx
            4889e6                     mov  rsi, rsp
            31d2                       xor  edx, edx
            41ba08000000               mov  r10d, 8
            b80d000000                 mov  eax, 13                rt_sigaction
            0f05                       syscall
            ffc3                       inc  ebx
            83fb03                     cmp  ebx, 3
            76d4                       jbe  default
            498b3e                     mov  rdi, [r14]
            4c89f6                     mov  rsi, r14
            4c89ea                     mov  rdx, r13
            b83b000000                 mov  eax, 59                execve
            0f05                       syscall
            bf7f000000                 mov  edi, 127
            eb05                       jmp  exit
            bf01000000           fail: mov  edi, 1
            b83c000000           exit: mov  eax, 60                exit
            0f05                       syscall
            c7442408ffffffff   listen: mov dword [rsp+8], -1  VMADDR_CID_ANY
            b831000000                 mov  eax, 49                bind
            0f05                       syscall
            85c0                       test eax, eax
            78e1                       js   fail
            4489e7                     mov  edi, r12d
            be80000000                 mov  esi, 128
            b832000000                 mov  eax, 50                listen
            0f05                       syscall
            85c0                       test eax, eax
            78ce                       js   fail
            4589e7                     mov  r15d, r12d
            4489ff               next: mov  edi, r15d
            31f6                       xor  esi, esi
            31d2                       xor  edx, edx
            41ba00000800               mov  r10d, 0x80000          SOCK_CLOEXEC
            b820010000                 mov  eax, 288               accept4
            0f05                       syscall
            85c0                       test eax, eax
            78b3                       js   fail
            4189c4                     mov  r12d, eax
            b839000000                 mov  eax, 57                fork
            0f05                       syscall
            85c0                       test eax, eax
            0f843effffff               je   run
            4489e7                     mov  edi, r12d
            b803000000                 mov  eax, 3                 close
            0f05                       syscall
            bfffffffff           reap: mov  edi, -1
            31f6                       xor  esi, esi
            ba01000000                 mov  edx, 1                 WNOHANG
            4531d2                     xor  r10d, r10d
            b83d000000                 mov  eax, 61                wait4
            0f05                       syscall
            85c0                       test eax, eax
            7fe6                       jg   reap
            ebb0                       jmp  next
            """;

    private GuestAgent() {}

    /** The program: an ELF executable for x86-64 with one segment, all of the file. */
    public static byte[] elf() {
        StringBuilder hex = new StringBuilder();
        CODE.lines().forEach(line -> hex.append(line, 0, line.indexOf(' ')));
        byte[] code = HexFormat.of().parseHex(hex);
        int size = ELF_HEADER + PROGRAM_HEADER + code.length;
        ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        out.put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1, 0}).putLong(0); // 64 bits, little-endian, version 1
        out.putShort((short) 2).putShort((short) 62).putInt(1); // ET_EXEC, EM_X86_64
        out.putLong(BASE + ELF_HEADER + PROGRAM_HEADER); // entry
        out.putLong(ELF_HEADER).putLong(0).putInt(0); // program headers, no sections, flags
        out.putShort((short) ELF_HEADER).putShort((short) PROGRAM_HEADER).putShort((short) 1);
        out.putShort((short) 0).putShort((short) 0).putShort((short) 0);
        out.putInt(1).putInt(5).putLong(0).putLong(BASE).putLong(BASE); // PT_LOAD, readable and executable
        out.putLong(size).putLong(size).putLong(0x1000);
        return out.put(code).array();
    }
}
