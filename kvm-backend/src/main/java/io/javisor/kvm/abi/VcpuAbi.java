package io.javisor.kvm.abi;

import static io.javisor.kvm.abi.Struct.array;
import static io.javisor.kvm.abi.Struct.nested;
import static io.javisor.kvm.abi.Struct.struct;
import static io.javisor.kvm.abi.Struct.u16;
import static io.javisor.kvm.abi.Struct.u32;
import static io.javisor.kvm.abi.Struct.u64;
import static io.javisor.kvm.abi.Struct.u8;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/** Structures of a vCPU's state (asm/kvm.h). */
public final class VcpuAbi {
    /** KVM_GET_REGS and KVM_SET_REGS. */
    public static final StructLayout REGS = struct(
            "kvm_regs",
            u64("rax"),
            u64("rbx"),
            u64("rcx"),
            u64("rdx"),
            u64("rsi"),
            u64("rdi"),
            u64("rsp"),
            u64("rbp"),
            u64("r8"),
            u64("r9"),
            u64("r10"),
            u64("r11"),
            u64("r12"),
            u64("r13"),
            u64("r14"),
            u64("r15"),
            u64("rip"),
            u64("rflags"));

    /** A segment register. */
    public static final StructLayout SEGMENT = struct(
            "kvm_segment",
            u64("base"),
            u32("limit"),
            u16("selector"),
            u8("type"),
            u8("present"),
            u8("dpl"),
            u8("db"),
            u8("s"),
            u8("l"),
            u8("g"),
            u8("avl"),
            u8("unusable"),
            u8("padding"));

    /** A descriptor table register. */
    public static final StructLayout DTABLE =
            struct("kvm_dtable", u64("base"), u16("limit"), array("padding", 3, JAVA_SHORT));

    /** KVM_GET_SREGS and KVM_SET_SREGS. */
    public static final StructLayout SREGS =
            struct("kvm_sregs", specialRegisters(array("interrupt_bitmap", 4, JAVA_LONG)));

    /** KVM_GET_SREGS2 and KVM_SET_SREGS2. */
    public static final StructLayout SREGS2 =
            struct("kvm_sregs2", specialRegisters(u64("flags"), array("pdptrs", 4, JAVA_LONG)));

    /** KVM_GET_FPU and KVM_SET_FPU. */
    public static final StructLayout FPU = struct(
            "kvm_fpu",
            array("fpr", 8 * 16, JAVA_BYTE),
            u16("fcw"),
            u16("fsw"),
            u8("ftwx"),
            u8("pad1"),
            u16("last_opcode"),
            u64("last_ip"),
            u64("last_dp"),
            array("xmm", 16 * 16, JAVA_BYTE),
            u32("mxcsr"),
            u32("pad2"));

    /** KVM_GET_LAPIC and KVM_SET_LAPIC. */
    public static final StructLayout LAPIC = struct("kvm_lapic_state", array("regs", 0x400, JAVA_BYTE));

    /** KVM_GET_VCPU_EVENTS and KVM_SET_VCPU_EVENTS. */
    public static final StructLayout EVENTS = struct(
            "kvm_vcpu_events",
            nested(
                    "exception",
                    struct("", u8("injected"), u8("nr"), u8("has_error_code"), u8("pending"), u32("error_code"))),
            nested("interrupt", struct("", u8("injected"), u8("nr"), u8("soft"), u8("shadow"))),
            nested("nmi", struct("", u8("injected"), u8("pending"), u8("masked"), u8("pad"))),
            u32("sipi_vector"),
            u32("flags"),
            nested("smi", struct("", u8("smm"), u8("pending"), u8("smm_inside_nmi"), u8("latched_init"))),
            nested("triple_fault", struct("", u8("pending"))),
            array("reserved", 26, JAVA_BYTE),
            u8("exception_has_payload"),
            u64("exception_payload"));

    /** KVM_GET_DEBUGREGS and KVM_SET_DEBUGREGS. */
    public static final StructLayout DEBUGREGS = struct(
            "kvm_debugregs",
            array("db", 4, JAVA_LONG),
            u64("dr6"),
            u64("dr7"),
            u64("flags"),
            array("reserved", 9, JAVA_LONG));

    /** KVM_GET_XSAVE and KVM_SET_XSAVE; with XSAVE2 more may follow. */
    public static final StructLayout XSAVE =
            struct("kvm_xsave", array("region", 1024, JAVA_INT), array("extra", 0, JAVA_INT));

    /** One extended control register. */
    public static final StructLayout XCR = struct("kvm_xcr", u32("xcr"), u32("reserved"), u64("value"));

    /** KVM_GET_XCRS and KVM_SET_XCRS. */
    public static final StructLayout XCRS =
            struct("kvm_xcrs", u32("nr_xcrs"), u32("flags"), array("xcrs", 16, XCR), array("padding", 16, JAVA_LONG));

    /** KVM_GET_MP_STATE and KVM_SET_MP_STATE. */
    public static final StructLayout MP_STATE = struct("kvm_mp_state", u32("mp_state"));

    /** KVM_TRANSLATE. */
    public static final StructLayout TRANSLATION = struct(
            "kvm_translation",
            u64("linear_address"),
            u64("physical_address"),
            u8("valid"),
            u8("writeable"),
            u8("usermode"),
            array("pad", 5, JAVA_BYTE));

    /** KVM_INTERRUPT. */
    public static final StructLayout INTERRUPT = struct("kvm_interrupt", u32("irq"));

    /** KVM_SET_SIGNAL_MASK; the set follows. */
    public static final StructLayout SIGNAL_MASK = struct("kvm_signal_mask", u32("len"), array("sigset", 0, JAVA_BYTE));

    /** KVM_SET_GUEST_DEBUG. */
    public static final StructLayout GUEST_DEBUG = struct(
            "kvm_guest_debug",
            u32("control"),
            u32("pad"),
            nested("arch", struct("kvm_guest_debug_arch", array("debugreg", 8, JAVA_LONG))));

    /** KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE; the state follows. */
    public static final StructLayout NESTED_STATE =
            struct("kvm_nested_state", u16("flags"), u16("format"), u32("size"), array("hdr", 120 / 8, JAVA_LONG));

    private VcpuAbi() {}

    private static MemoryLayout[] specialRegisters(MemoryLayout... rest) {
        MemoryLayout[] first = {
            nested("cs", SEGMENT),
            nested("ds", SEGMENT),
            nested("es", SEGMENT),
            nested("fs", SEGMENT),
            nested("gs", SEGMENT),
            nested("ss", SEGMENT),
            nested("tr", SEGMENT),
            nested("ldt", SEGMENT),
            nested("gdt", DTABLE),
            nested("idt", DTABLE),
            u64("cr0"),
            u64("cr2"),
            u64("cr3"),
            u64("cr4"),
            u64("cr8"),
            u64("efer"),
            u64("apic_base")
        };
        MemoryLayout[] all = java.util.Arrays.copyOf(first, first.length + rest.length);
        System.arraycopy(rest, 0, all, first.length, rest.length);
        return all;
    }
}
