package io.javisor.kvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.VcpuAbi;
import java.lang.foreign.MemorySegment;

/**
 * General registers of a vCPU, a copy to read and change: struct kvm_regs. Setters return this. Not safe for several threads.
 */
public final class Regs {
    private final long[] values;

    /** All registers zero but bit 1 of RFLAGS, which is always set. */
    public Regs() {
        values = new long[(int) (VcpuAbi.REGS.byteSize() / Long.BYTES)];
        rflags(2);
    }

    private Regs(MemorySegment struct) {
        values = struct.toArray(JAVA_LONG);
    }

    static Regs of(MemorySegment struct) {
        return new Regs(struct.asSlice(0, VcpuAbi.REGS.byteSize()));
    }

    void copyTo(MemorySegment struct) {
        MemorySegment.copy(values, 0, struct, JAVA_LONG, 0, values.length);
    }

    /** RAX. */
    public long rax() {
        return values[0];
    }

    /** Sets RAX. */
    public Regs rax(long value) {
        values[0] = value;
        return this;
    }

    /** RBX. */
    public long rbx() {
        return values[1];
    }

    /** Sets RBX. */
    public Regs rbx(long value) {
        values[1] = value;
        return this;
    }

    /** RCX. */
    public long rcx() {
        return values[2];
    }

    /** Sets RCX. */
    public Regs rcx(long value) {
        values[2] = value;
        return this;
    }

    /** RDX. */
    public long rdx() {
        return values[3];
    }

    /** Sets RDX. */
    public Regs rdx(long value) {
        values[3] = value;
        return this;
    }

    /** RSI. */
    public long rsi() {
        return values[4];
    }

    /** Sets RSI. */
    public Regs rsi(long value) {
        values[4] = value;
        return this;
    }

    /** RDI. */
    public long rdi() {
        return values[5];
    }

    /** Sets RDI. */
    public Regs rdi(long value) {
        values[5] = value;
        return this;
    }

    /** RSP. */
    public long rsp() {
        return values[6];
    }

    /** Sets RSP. */
    public Regs rsp(long value) {
        values[6] = value;
        return this;
    }

    /** RBP. */
    public long rbp() {
        return values[7];
    }

    /** Sets RBP. */
    public Regs rbp(long value) {
        values[7] = value;
        return this;
    }

    /** R8. */
    public long r8() {
        return values[8];
    }

    /** Sets R8. */
    public Regs r8(long value) {
        values[8] = value;
        return this;
    }

    /** R9. */
    public long r9() {
        return values[9];
    }

    /** Sets R9. */
    public Regs r9(long value) {
        values[9] = value;
        return this;
    }

    /** R10. */
    public long r10() {
        return values[10];
    }

    /** Sets R10. */
    public Regs r10(long value) {
        values[10] = value;
        return this;
    }

    /** R11. */
    public long r11() {
        return values[11];
    }

    /** Sets R11. */
    public Regs r11(long value) {
        values[11] = value;
        return this;
    }

    /** R12. */
    public long r12() {
        return values[12];
    }

    /** Sets R12. */
    public Regs r12(long value) {
        values[12] = value;
        return this;
    }

    /** R13. */
    public long r13() {
        return values[13];
    }

    /** Sets R13. */
    public Regs r13(long value) {
        values[13] = value;
        return this;
    }

    /** R14. */
    public long r14() {
        return values[14];
    }

    /** Sets R14. */
    public Regs r14(long value) {
        values[14] = value;
        return this;
    }

    /** R15. */
    public long r15() {
        return values[15];
    }

    /** Sets R15. */
    public Regs r15(long value) {
        values[15] = value;
        return this;
    }

    /** RIP. */
    public long rip() {
        return values[16];
    }

    /** Sets RIP. */
    public Regs rip(long value) {
        values[16] = value;
        return this;
    }

    /** RFLAGS. */
    public long rflags() {
        return values[17];
    }

    /** Sets RFLAGS. */
    public Regs rflags(long value) {
        values[17] = value;
        return this;
    }

    /** The registers in hexadecimal, four lines. */
    @Override
    public String toString() {
        return String.format(
                "rip %016x rflags %08x rsp %016x rbp %016x%n"
                        + "rax %016x rbx %016x rcx %016x rdx %016x rsi %016x rdi %016x%n"
                        + "r8  %016x r9  %016x r10 %016x r11 %016x%n"
                        + "r12 %016x r13 %016x r14 %016x r15 %016x",
                rip(), rflags(), rsp(), rbp(), rax(), rbx(), rcx(), rdx(), rsi(), rdi(), r8(), r9(), r10(), r11(),
                r12(), r13(), r14(), r15());
    }
}
