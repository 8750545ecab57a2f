package io.javisor.kvm.abi;

import static io.javisor.kvm.abi.Struct.array;
import static io.javisor.kvm.abi.Struct.nested;
import static io.javisor.kvm.abi.Struct.struct;
import static io.javisor.kvm.abi.Struct.u16;
import static io.javisor.kvm.abi.Struct.u32;
import static io.javisor.kvm.abi.Struct.u64;
import static io.javisor.kvm.abi.Struct.u8;
import static io.javisor.kvm.abi.Struct.union;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/**
 * The page that a vCPU shares with the kernel: struct kvm_run (linux/kvm.h), with the union of exits.
 *
 * <pre>
 *   0  request_interrupt_window  1  immediate_exit
 *   8  exit_reason               12 ready_for_interrupt_injection  13 if_flag  14 flags
 *   16 cr8                       24 apic_base
 *   32 the exit, 256 bytes
 *   288 kvm_valid_regs           296 kvm_dirty_regs                304 synchronized registers
 * </pre>
 */
public final class RunAbi {
    private static final StructLayout HYPERV = struct(
            "kvm_hyperv_exit",
            u32("type"),
            u32("pad1"),
            nested(
                    "u",
                    union(
                            nested(
                                    "synic",
                                    struct(
                                            "",
                                            u32("msr"),
                                            u32("pad2"),
                                            u64("control"),
                                            u64("evt_page"),
                                            u64("msg_page"))),
                            nested("hcall", struct("", u64("input"), u64("result"), array("params", 2, JAVA_LONG))),
                            nested(
                                    "syndbg",
                                    struct(
                                            "",
                                            u32("msr"),
                                            u32("pad2"),
                                            u64("control"),
                                            u64("status"),
                                            u64("send_page"),
                                            u64("recv_page"),
                                            u64("pending_page"))))));

    /** struct kvm_run; the synchronized registers are opaque. */
    public static final StructLayout RUN = struct(
            "kvm_run",
            u8("request_interrupt_window"),
            u8("immediate_exit"),
            array("padding1", 6, JAVA_BYTE),
            u32("exit_reason"),
            u8("ready_for_interrupt_injection"),
            u8("if_flag"),
            u16("flags"),
            u64("cr8"),
            u64("apic_base"),
            union(
                    nested("hw", struct("", u64("hardware_exit_reason"))),
                    nested("fail_entry", struct("", u64("hardware_entry_failure_reason"), u32("cpu"))),
                    nested("ex", struct("", u32("exception"), u32("error_code"))),
                    nested(
                            "io",
                            struct("", u8("direction"), u8("size"), u16("port"), u32("count"), u64("data_offset"))),
                    nested(
                            "debug",
                            struct(
                                    "",
                                    nested(
                                            "arch",
                                            struct(
                                                    "kvm_debug_exit_arch",
                                                    u32("exception"),
                                                    u32("pad"),
                                                    u64("pc"),
                                                    u64("dr6"),
                                                    u64("dr7"))))),
                    nested(
                            "mmio",
                            struct("", u64("phys_addr"), array("data", 8, JAVA_BYTE), u32("len"), u8("is_write"))),
                    nested(
                            "hypercall",
                            struct("", u64("nr"), array("args", 6, JAVA_LONG), u64("ret"), u32("longmode"))),
                    nested("tpr_access", struct("", u64("rip"), u32("is_write"), u32("pad"))),
                    nested("internal", struct("", u32("suberror"), u32("ndata"), array("data", 16, JAVA_LONG))),
                    nested(
                            "emulation_failure",
                            struct(
                                    "",
                                    u32("suberror"),
                                    u32("ndata"),
                                    u64("flags"),
                                    u8("insn_size"),
                                    array("insn_bytes", 15, JAVA_BYTE))),
                    nested("system_event", struct("", u32("type"), u32("ndata"), array("data", 16, JAVA_LONG))),
                    nested("eoi", struct("", u8("vector"))),
                    nested("hyperv", HYPERV),
                    nested(
                            "msr",
                            struct(
                                    "",
                                    u8("error"),
                                    array("pad", 7, JAVA_BYTE),
                                    u32("reason"),
                                    u32("index"),
                                    u64("data"))),
                    nested("notify", struct("", u32("flags"))),
                    nested("memory_fault", struct("", u64("flags"), u64("gpa"), u64("size"))),
                    array("padding", 256 / 8, JAVA_LONG)),
            u64("kvm_valid_regs"),
            u64("kvm_dirty_regs"),
            nested("s", union(array("padding", 2048 / 8, JAVA_LONG))));

    private RunAbi() {}

    /** Where a field of struct kvm_run is, anonymous unions left out of the path. */
    public static long at(String... path) {
        return Struct.offset(RUN, path);
    }
}
