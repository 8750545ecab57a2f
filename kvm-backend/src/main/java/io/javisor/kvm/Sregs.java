package io.javisor.kvm;

import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.javisor.kvm.abi.VcpuAbi;
import java.lang.foreign.MemorySegment;

/**
 * Segment, descriptor-table and control registers of a vCPU, a copy to read and change: struct kvm_sregs. Setters return this.
 * Start from {@link Vcpu#sregs()}, so that what is not changed stays. Not safe for several threads.
 */
public final class Sregs {
    /** CR0.PE: protected mode. */
    public static final long CR0_PE = 1;
    /** CR0.PG: paging. */
    public static final long CR0_PG = 1L << 31;
    /** CR4.PAE: physical address extension. */
    public static final long CR4_PAE = 1 << 5;
    /** EFER.LME: long mode enabled. */
    public static final long EFER_LME = 1 << 8;
    /** EFER.LMA: long mode active. */
    public static final long EFER_LMA = 1 << 10;

    private static final long CS = offset(VcpuAbi.SREGS, "cs");
    private static final long DS = offset(VcpuAbi.SREGS, "ds");
    private static final long ES = offset(VcpuAbi.SREGS, "es");
    private static final long FS = offset(VcpuAbi.SREGS, "fs");
    private static final long GS = offset(VcpuAbi.SREGS, "gs");
    private static final long SS = offset(VcpuAbi.SREGS, "ss");
    private static final long TR = offset(VcpuAbi.SREGS, "tr");
    private static final long LDT = offset(VcpuAbi.SREGS, "ldt");
    private static final long GDT = offset(VcpuAbi.SREGS, "gdt");
    private static final long IDT = offset(VcpuAbi.SREGS, "idt");
    private static final long CR0 = offset(VcpuAbi.SREGS, "cr0");
    private static final long CR2 = offset(VcpuAbi.SREGS, "cr2");
    private static final long CR3 = offset(VcpuAbi.SREGS, "cr3");
    private static final long CR4 = offset(VcpuAbi.SREGS, "cr4");
    private static final long CR8 = offset(VcpuAbi.SREGS, "cr8");
    private static final long EFER = offset(VcpuAbi.SREGS, "efer");
    private static final long APIC_BASE = offset(VcpuAbi.SREGS, "apic_base");
    private static final long SELECTOR = offset(VcpuAbi.SEGMENT, "selector");
    private static final long LIMIT = offset(VcpuAbi.SEGMENT, "limit");
    private static final long FLAGS = offset(VcpuAbi.SEGMENT, "type");
    private static final long TABLE_LIMIT = offset(VcpuAbi.DTABLE, "limit");

    private final MemorySegment struct;

    private Sregs(MemorySegment struct) {
        this.struct = struct;
    }

    static Sregs of(MemorySegment struct) {
        long size = VcpuAbi.SREGS.byteSize();
        MemorySegment copy = MemorySegment.ofArray(new long[(int) (size / Long.BYTES)]);
        MemorySegment.copy(struct, 0, copy, 0, size);
        return new Sregs(copy);
    }

    void copyTo(MemorySegment target) {
        MemorySegment.copy(struct, 0, target, 0, VcpuAbi.SREGS.byteSize());
    }

    private SegmentRegister segment(long at) {
        return new SegmentRegister(
                struct.get(JAVA_LONG, at),
                struct.get(JAVA_INT, at + LIMIT),
                Short.toUnsignedInt(struct.get(JAVA_SHORT, at + SELECTOR)),
                struct.get(JAVA_BYTE, at + FLAGS),
                bit(at, 1),
                struct.get(JAVA_BYTE, at + FLAGS + 2),
                bit(at, 3),
                bit(at, 4),
                bit(at, 5),
                bit(at, 6),
                bit(at, 7),
                bit(at, 8));
    }

    private boolean bit(long at, int field) {
        return struct.get(JAVA_BYTE, at + FLAGS + field) != 0;
    }

    private Sregs segment(long at, SegmentRegister s) {
        struct.set(JAVA_LONG, at, s.base());
        struct.set(JAVA_INT, at + LIMIT, s.limit());
        struct.set(JAVA_SHORT, at + SELECTOR, (short) s.selector());
        // type, present, dpl, db, s, l, g, avl, unusable: a byte each
        byte[] flags = {
            (byte) s.type(),
            flag(s.present()),
            (byte) s.dpl(),
            flag(s.db()),
            flag(s.s()),
            flag(s.l()),
            flag(s.g()),
            flag(s.avl()),
            flag(s.unusable())
        };
        MemorySegment.copy(flags, 0, struct, JAVA_BYTE, at + FLAGS, flags.length);
        return this;
    }

    private static byte flag(boolean set) {
        return (byte) (set ? 1 : 0);
    }

    private DescriptorTable table(long at) {
        return new DescriptorTable(
                struct.get(JAVA_LONG, at), Short.toUnsignedInt(struct.get(JAVA_SHORT, at + TABLE_LIMIT)));
    }

    private Sregs table(long at, DescriptorTable table) {
        struct.set(JAVA_LONG, at, table.base());
        struct.set(JAVA_SHORT, at + TABLE_LIMIT, (short) table.limit());
        return this;
    }

    private Sregs set(long at, long value) {
        struct.set(JAVA_LONG, at, value);
        return this;
    }

    /** CS. */
    public SegmentRegister cs() {
        return segment(CS);
    }

    /** Sets CS. */
    public Sregs cs(SegmentRegister value) {
        return segment(CS, value);
    }

    /** DS. */
    public SegmentRegister ds() {
        return segment(DS);
    }

    /** Sets DS. */
    public Sregs ds(SegmentRegister value) {
        return segment(DS, value);
    }

    /** ES. */
    public SegmentRegister es() {
        return segment(ES);
    }

    /** Sets ES. */
    public Sregs es(SegmentRegister value) {
        return segment(ES, value);
    }

    /** FS. */
    public SegmentRegister fs() {
        return segment(FS);
    }

    /** Sets FS. */
    public Sregs fs(SegmentRegister value) {
        return segment(FS, value);
    }

    /** GS. */
    public SegmentRegister gs() {
        return segment(GS);
    }

    /** Sets GS. */
    public Sregs gs(SegmentRegister value) {
        return segment(GS, value);
    }

    /** SS. */
    public SegmentRegister ss() {
        return segment(SS);
    }

    /** Sets SS. */
    public Sregs ss(SegmentRegister value) {
        return segment(SS, value);
    }

    /** TR. */
    public SegmentRegister tr() {
        return segment(TR);
    }

    /** Sets TR. */
    public Sregs tr(SegmentRegister value) {
        return segment(TR, value);
    }

    /** LDT. */
    public SegmentRegister ldt() {
        return segment(LDT);
    }

    /** Sets LDT. */
    public Sregs ldt(SegmentRegister value) {
        return segment(LDT, value);
    }

    /** GDT register. */
    public DescriptorTable gdt() {
        return table(GDT);
    }

    /** Sets the GDT register. */
    public Sregs gdt(DescriptorTable value) {
        return table(GDT, value);
    }

    /** IDT register. */
    public DescriptorTable idt() {
        return table(IDT);
    }

    /** Sets the IDT register. */
    public Sregs idt(DescriptorTable value) {
        return table(IDT, value);
    }

    /** CR0. */
    public long cr0() {
        return struct.get(JAVA_LONG, CR0);
    }

    /** Sets CR0. */
    public Sregs cr0(long value) {
        return set(CR0, value);
    }

    /** CR2. */
    public long cr2() {
        return struct.get(JAVA_LONG, CR2);
    }

    /** Sets CR2. */
    public Sregs cr2(long value) {
        return set(CR2, value);
    }

    /** CR3. */
    public long cr3() {
        return struct.get(JAVA_LONG, CR3);
    }

    /** Sets CR3. */
    public Sregs cr3(long value) {
        return set(CR3, value);
    }

    /** CR4. */
    public long cr4() {
        return struct.get(JAVA_LONG, CR4);
    }

    /** Sets CR4. */
    public Sregs cr4(long value) {
        return set(CR4, value);
    }

    /** CR8. */
    public long cr8() {
        return struct.get(JAVA_LONG, CR8);
    }

    /** Sets CR8. */
    public Sregs cr8(long value) {
        return set(CR8, value);
    }

    /** EFER. */
    public long efer() {
        return struct.get(JAVA_LONG, EFER);
    }

    /** Sets EFER. */
    public Sregs efer(long value) {
        return set(EFER, value);
    }

    /** The APIC base MSR. */
    public long apicBase() {
        return struct.get(JAVA_LONG, APIC_BASE);
    }

    /** Sets the APIC base MSR. */
    public Sregs apicBase(long value) {
        return set(APIC_BASE, value);
    }

    /** The registers in hexadecimal. */
    @Override
    public String toString() {
        return String.format(
                "cr0 %08x cr2 %016x cr3 %016x cr4 %08x cr8 %x efer %04x apic base %x%n"
                        + "cs %s%nss %s%nds %s%nes %s%nfs %s%ngs %s%ntr %s%ngdt %s idt %s",
                cr0(),
                cr2(),
                cr3(),
                cr4(),
                cr8(),
                efer(),
                apicBase(),
                cs(),
                ss(),
                ds(),
                es(),
                fs(),
                gs(),
                tr(),
                gdt(),
                idt());
    }
}
