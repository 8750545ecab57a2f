package io.javisor.kvm.abi;

import static io.javisor.kvm.abi.Struct.array;
import static io.javisor.kvm.abi.Struct.struct;
import static io.javisor.kvm.abi.Struct.u32;
import static io.javisor.kvm.abi.Struct.u64;
import static io.javisor.kvm.abi.Struct.union;

import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/** Structures of memory slots and dirty logging (linux/kvm.h). */
public final class MemoryAbi {
    /** KVM_SET_USER_MEMORY_REGION. */
    public static final StructLayout REGION = struct(
            "kvm_userspace_memory_region",
            u32("slot"),
            u32("flags"),
            u64("guest_phys_addr"),
            u64("memory_size"),
            u64("userspace_addr"));

    /** KVM_SET_USER_MEMORY_REGION2 (Linux 6.8). */
    public static final StructLayout REGION2 = struct(
            "kvm_userspace_memory_region2",
            u32("slot"),
            u32("flags"),
            u64("guest_phys_addr"),
            u64("memory_size"),
            u64("userspace_addr"),
            u64("guest_memfd_offset"),
            u32("guest_memfd"),
            u32("pad1"),
            array("pad2", 14, ValueLayout.JAVA_LONG));

    /** KVM_SET_MEMORY_ATTRIBUTES (Linux 6.8). */
    public static final StructLayout ATTRIBUTES =
            struct("kvm_memory_attributes", u64("address"), u64("size"), u64("attributes"), u64("flags"));

    /** KVM_CREATE_GUEST_MEMFD (Linux 6.8). */
    public static final StructLayout GUEST_MEMFD =
            struct("kvm_create_guest_memfd", u64("size"), u64("flags"), array("reserved", 6, ValueLayout.JAVA_LONG));

    /** KVM_GET_DIRTY_LOG. */
    public static final StructLayout DIRTY_LOG =
            struct("kvm_dirty_log", u32("slot"), u32("padding1"), union(u64("dirty_bitmap"), u64("padding2")));

    /** KVM_CLEAR_DIRTY_LOG. */
    public static final StructLayout CLEAR_DIRTY_LOG = struct(
            "kvm_clear_dirty_log",
            u32("slot"),
            u32("num_pages"),
            u64("first_page"),
            union(u64("dirty_bitmap"), u64("padding2")));

    /** One entry of a vCPU's dirty ring. */
    public static final StructLayout DIRTY_GFN = struct("kvm_dirty_gfn", u32("flags"), u32("slot"), u64("offset"));

    private MemoryAbi() {}
}
