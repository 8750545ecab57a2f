package io.javisor.kvm.gdb;

import static io.javisor.kvm.abi.Struct.offset;

import io.javisor.kvm.KvmException;
import io.javisor.kvm.Regs;
import io.javisor.kvm.SegmentRegister;
import io.javisor.kvm.Sregs;
import io.javisor.kvm.StateGroup;
import io.javisor.kvm.Vcpu;
import io.javisor.kvm.abi.VcpuAbi;
import java.util.Arrays;

/** The registers of one held vCPU, read when it is made, by the names of {@link Register}; changes are written at once. */
final class RegisterFile {
    private static final int ST = (int) offset(VcpuAbi.FPU, "fpr");
    private static final int ST_STRIDE = 16;
    private static final int FCTRL = (int) offset(VcpuAbi.FPU, "fcw");
    private static final int FSTAT = (int) offset(VcpuAbi.FPU, "fsw");
    private static final int FTAG = (int) offset(VcpuAbi.FPU, "ftwx");
    private static final int OPCODE = (int) offset(VcpuAbi.FPU, "last_opcode");
    private static final int LAST_IP = (int) offset(VcpuAbi.FPU, "last_ip");
    private static final int LAST_DP = (int) offset(VcpuAbi.FPU, "last_dp");
    private static final int XMM = (int) offset(VcpuAbi.FPU, "xmm");
    private static final int MXCSR = (int) offset(VcpuAbi.FPU, "mxcsr");

    private final Vcpu vcpu;
    private final Regs regs;
    private final Sregs sregs;
    private final byte[] fpu;

    RegisterFile(Vcpu vcpu) {
        this.vcpu = vcpu;
        this.regs = vcpu.regs();
        this.sregs = vcpu.sregs();
        this.fpu = vcpu.state().get(StateGroup.FPU);
    }

    /** All, as the answer to g. */
    String all() {
        var text = new StringBuilder();
        for (Register r : Register.ALL) {
            text.append(read(r));
        }
        return text.toString();
    }

    /** One, as the answer to p. */
    String read(Register r) {
        String name = r.name();
        if (name.startsWith("xmm")) {
            return slice(XMM + 16 * Integer.parseInt(name.substring(3)), 16);
        }
        if (name.startsWith("st")) {
            return slice(ST + ST_STRIDE * Integer.parseInt(name.substring(2)), 10);
        }
        return Hex.little(value(name), r.bytes());
    }

    private String slice(int at, int count) {
        return Hex.of(Arrays.copyOfRange(fpu, at, at + count));
    }

    private long value(String name) {
        return switch (name) {
            case "rax" -> regs.rax();
            case "rbx" -> regs.rbx();
            case "rcx" -> regs.rcx();
            case "rdx" -> regs.rdx();
            case "rsi" -> regs.rsi();
            case "rdi" -> regs.rdi();
            case "rbp" -> regs.rbp();
            case "rsp" -> regs.rsp();
            case "r8" -> regs.r8();
            case "r9" -> regs.r9();
            case "r10" -> regs.r10();
            case "r11" -> regs.r11();
            case "r12" -> regs.r12();
            case "r13" -> regs.r13();
            case "r14" -> regs.r14();
            case "r15" -> regs.r15();
            case "rip" -> regs.rip();
            case "eflags" -> regs.rflags();
            case "cs" -> sregs.cs().selector();
            case "ss" -> sregs.ss().selector();
            case "ds" -> sregs.ds().selector();
            case "es" -> sregs.es().selector();
            case "fs" -> sregs.fs().selector();
            case "gs" -> sregs.gs().selector();
            case "fctrl" -> Hex.fromLittle(fpu, FCTRL, 2);
            case "fstat" -> Hex.fromLittle(fpu, FSTAT, 2);
            case "ftag" -> fullTags(fpu[FTAG] & 0xFF);
            case "fiseg" -> Hex.fromLittle(fpu, LAST_IP + 4, 2);
            case "fioff" -> Hex.fromLittle(fpu, LAST_IP, 4);
            case "foseg" -> Hex.fromLittle(fpu, LAST_DP + 4, 2);
            case "fooff" -> Hex.fromLittle(fpu, LAST_DP, 4);
            case "fop" -> Hex.fromLittle(fpu, OPCODE, 2);
            case "mxcsr" -> Hex.fromLittle(fpu, MXCSR, 4);
            case "fs_base" -> sregs.fs().base();
            case "gs_base" -> sregs.gs().base();
            case "cr0" -> sregs.cr0();
            case "cr2" -> sregs.cr2();
            case "cr3" -> sregs.cr3();
            case "cr4" -> sregs.cr4();
            case "cr8" -> sregs.cr8();
            case "efer" -> sregs.efer();
            default -> throw new AssertionError(name);
        };
    }

    /** FXSAVE has a bit for each register that is in use; the full tag word two: 3 is empty, 0 a number. */
    private static long fullTags(int used) {
        long tags = 0;
        for (int i = 0; i < 8; i++) {
            tags |= (used >>> i & 1) == 1 ? 0 : 3L << 2 * i;
        }
        return tags;
    }

    /**
     * Writes all, as G asks. What gdb leaves as it was is not touched.
     *
     * @throws GdbError if the length is wrong or a register can't be changed
     */
    void writeAll(byte[] values) {
        int at = 0;
        for (Register r : Register.ALL) {
            if (at + r.bytes() > values.length) {
                throw new GdbError(GdbError.INVALID);
            }
            byte[] value = Arrays.copyOfRange(values, at, at + r.bytes());
            if (!Hex.of(value).equals(read(r))) {
                change(r, value);
            }
            at += r.bytes();
        }
        flush();
    }

    /** Writes one, as P asks. */
    void write(Register r, byte... value) {
        if (value.length != r.bytes()) {
            throw new GdbError(GdbError.INVALID);
        }
        change(r, value);
        flush();
    }

    private void flush() {
        try {
            vcpu.setSregs(sregs);
            vcpu.state().set(StateGroup.FPU, fpu);
            vcpu.setRegs(regs);
        } catch (KvmException e) {
            throw new GdbError(GdbError.INVALID); // values that the processor can't have
        }
    }

    private void change(Register r, byte... bytes) {
        String name = r.name();
        if (name.startsWith("xmm")) {
            System.arraycopy(bytes, 0, fpu, XMM + 16 * Integer.parseInt(name.substring(3)), 16);
            return;
        }
        if (name.startsWith("st")) {
            System.arraycopy(bytes, 0, fpu, ST + ST_STRIDE * Integer.parseInt(name.substring(2)), 10);
            return;
        }
        long value = Hex.fromLittle(bytes, 0, bytes.length);
        switch (name) {
            case "rax" -> regs.rax(value);
            case "rbx" -> regs.rbx(value);
            case "rcx" -> regs.rcx(value);
            case "rdx" -> regs.rdx(value);
            case "rsi" -> regs.rsi(value);
            case "rdi" -> regs.rdi(value);
            case "rbp" -> regs.rbp(value);
            case "rsp" -> regs.rsp(value);
            case "r8" -> regs.r8(value);
            case "r9" -> regs.r9(value);
            case "r10" -> regs.r10(value);
            case "r11" -> regs.r11(value);
            case "r12" -> regs.r12(value);
            case "r13" -> regs.r13(value);
            case "r14" -> regs.r14(value);
            case "r15" -> regs.r15(value);
            case "rip" -> regs.rip(value);
            case "eflags" -> regs.rflags(value);
            case "mxcsr" -> System.arraycopy(bytes, 0, fpu, MXCSR, 4);
            case "fctrl" -> System.arraycopy(bytes, 0, fpu, FCTRL, 2);
            case "fs_base" -> sregs.fs(based(sregs.fs(), value));
            case "gs_base" -> sregs.gs(based(sregs.gs(), value));
            case "cr0" -> sregs.cr0(value);
            case "cr2" -> sregs.cr2(value);
            case "cr3" -> sregs.cr3(value);
            case "cr4" -> sregs.cr4(value);
            case "efer" -> sregs.efer(value);
            // Selectors mean nothing without their descriptors; the rest of the x87 state is a matter of the unit's
            // own.
            default -> throw new GdbError(GdbError.INVALID);
        }
    }

    private static SegmentRegister based(SegmentRegister s, long base) {
        return new SegmentRegister(
                base,
                s.limit(),
                s.selector(),
                s.type(),
                s.present(),
                s.dpl(),
                s.db(),
                s.s(),
                s.l(),
                s.g(),
                s.avl(),
                s.unusable());
    }
}
