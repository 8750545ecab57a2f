package io.javisor.kvm.abi;

import static io.javisor.kvm.abi.Struct.array;
import static io.javisor.kvm.abi.Struct.struct;
import static io.javisor.kvm.abi.Struct.u16;
import static io.javisor.kvm.abi.Struct.u32;
import static io.javisor.kvm.abi.Struct.u64;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/** Structures of capabilities, CPUID, MSR lists, the clock and statistics (linux/kvm.h, asm/kvm.h). */
public final class SystemAbi {
    /** KVM_ENABLE_CAP. */
    public static final StructLayout ENABLE_CAP = struct(
            "kvm_enable_cap", u32("cap"), u32("flags"), array("args", 4, JAVA_LONG), array("pad", 64, JAVA_BYTE));

    /** One CPUID leaf. */
    public static final StructLayout CPUID_ENTRY = struct(
            "kvm_cpuid_entry2",
            u32("function"),
            u32("index"),
            u32("flags"),
            u32("eax"),
            u32("ebx"),
            u32("ecx"),
            u32("edx"),
            array("padding", 3, JAVA_INT));

    /** A list of CPUID leaves; the leaves follow. */
    public static final StructLayout CPUID =
            struct("kvm_cpuid2", u32("nent"), u32("padding"), array("entries", 0, CPUID_ENTRY));

    /** KVM_GET_MSR_INDEX_LIST; the numbers follow. */
    public static final StructLayout MSR_LIST = struct("kvm_msr_list", u32("nmsrs"), array("indices", 0, JAVA_INT));

    /** One MSR. */
    public static final StructLayout MSR_ENTRY = struct("kvm_msr_entry", u32("index"), u32("reserved"), u64("data"));

    /** KVM_GET_MSRS and KVM_SET_MSRS; the MSRs follow. */
    public static final StructLayout MSRS =
            struct("kvm_msrs", u32("nmsrs"), u32("pad"), array("entries", 0, MSR_ENTRY));

    /** One range of an MSR filter. */
    public static final StructLayout MSR_FILTER_RANGE =
            struct("kvm_msr_filter_range", u32("flags"), u32("nmsrs"), u32("base"), u64("bitmap"));

    /** KVM_X86_SET_MSR_FILTER. */
    public static final StructLayout MSR_FILTER =
            struct("kvm_msr_filter", u32("flags"), array("ranges", 16, MSR_FILTER_RANGE));

    /** KVM_GET_CLOCK and KVM_SET_CLOCK. */
    public static final StructLayout CLOCK = struct(
            "kvm_clock_data",
            u64("clock"),
            u32("flags"),
            u32("pad0"),
            u64("realtime"),
            u64("host_tsc"),
            array("pad", 4, JAVA_INT));

    /** KVM_SET_DEVICE_ATTR and its kin. */
    public static final StructLayout DEVICE_ATTR =
            struct("kvm_device_attr", u32("flags"), u32("group"), u64("attr"), u64("addr"));

    /** The head of a statistics file. */
    public static final StructLayout STATS_HEADER = struct(
            "kvm_stats_header",
            u32("flags"),
            u32("name_size"),
            u32("num_desc"),
            u32("id_offset"),
            u32("desc_offset"),
            u32("data_offset"));

    /** One statistic's description; its name follows. */
    public static final StructLayout STATS_DESCRIPTION = struct(
            "kvm_stats_desc",
            u32("flags"),
            u16("exponent"),
            u16("size"),
            u32("offset"),
            u32("bucket_size"),
            array("name", 0, JAVA_BYTE));

    private SystemAbi() {}
}
