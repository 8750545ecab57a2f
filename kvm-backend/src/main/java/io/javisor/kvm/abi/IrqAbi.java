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
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.StructLayout;

/** Structures of interrupts, doorbells and the PIT (linux/kvm.h, asm/kvm.h). */
public final class IrqAbi {
    /** KVM_IRQ_LINE. */
    public static final StructLayout LEVEL = struct("kvm_irq_level", union(u32("irq"), u32("status")), u32("level"));

    /** KVM_GET_IRQCHIP and KVM_SET_IRQCHIP; the chip's 512 bytes are opaque here. */
    public static final StructLayout IRQCHIP =
            struct("kvm_irqchip", u32("chip_id"), u32("pad"), array("chip", 512 / 8, JAVA_LONG));

    /** KVM_IRQ_ROUTING_IRQCHIP. */
    public static final StructLayout ROUTE_IRQCHIP = struct("kvm_irq_routing_irqchip", u32("irqchip"), u32("pin"));

    /** KVM_IRQ_ROUTING_MSI. */
    public static final StructLayout ROUTE_MSI = struct(
            "kvm_irq_routing_msi", u32("address_lo"), u32("address_hi"), u32("data"), union(u32("pad"), u32("devid")));

    /** KVM_IRQ_ROUTING_HV_SINT. */
    public static final StructLayout ROUTE_HV_SINT = struct("kvm_irq_routing_hv_sint", u32("vcpu"), u32("sint"));

    /** One route of KVM_SET_GSI_ROUTING. */
    public static final StructLayout ROUTE = struct(
            "kvm_irq_routing_entry",
            u32("gsi"),
            u32("type"),
            u32("flags"),
            u32("pad"),
            nested(
                    "u",
                    union(
                            nested("irqchip", ROUTE_IRQCHIP),
                            nested("msi", ROUTE_MSI),
                            nested("hv_sint", ROUTE_HV_SINT),
                            // struct kvm_irq_routing_s390_adapter aligns the union in C
                            array("pad", 4, JAVA_LONG))));

    /** KVM_SET_GSI_ROUTING; the routes follow. */
    public static final StructLayout ROUTING =
            struct("kvm_irq_routing", u32("nr"), u32("flags"), array("entries", 0, ROUTE));

    /** KVM_SIGNAL_MSI. */
    public static final StructLayout MSI = struct(
            "kvm_msi",
            u32("address_lo"),
            u32("address_hi"),
            u32("data"),
            u32("flags"),
            u32("devid"),
            array("pad", 12, JAVA_BYTE));

    /** KVM_IRQFD. */
    public static final StructLayout IRQFD =
            struct("kvm_irqfd", u32("fd"), u32("gsi"), u32("flags"), u32("resamplefd"), array("pad", 16, JAVA_BYTE));

    /** KVM_IOEVENTFD. */
    public static final StructLayout IOEVENTFD = struct(
            "kvm_ioeventfd",
            u64("datamatch"),
            u64("addr"),
            u32("len"),
            u32("fd"),
            u32("flags"),
            array("pad", 36, JAVA_BYTE));

    /** KVM_REGISTER_COALESCED_MMIO. */
    public static final StructLayout COALESCED_ZONE =
            struct("kvm_coalesced_mmio_zone", u64("addr"), u32("size"), union(u32("pad"), u32("pio")));

    /** One write in the coalesced ring. */
    public static final StructLayout COALESCED = struct(
            "kvm_coalesced_mmio",
            u64("phys_addr"),
            u32("len"),
            union(u32("pad"), u32("pio")),
            array("data", 8, JAVA_BYTE));

    /** The coalesced ring; the writes follow. */
    public static final StructLayout COALESCED_RING =
            struct("kvm_coalesced_mmio_ring", u32("first"), u32("last"), array("coalesced_mmio", 0, COALESCED));

    /** KVM_HYPERV_EVENTFD. */
    public static final StructLayout HYPERV_EVENTFD =
            struct("kvm_hyperv_eventfd", u32("conn_id"), u32("fd"), u32("flags"), array("padding", 3, JAVA_INT));

    /** KVM_CREATE_PIT2. */
    public static final StructLayout PIT_CONFIG = struct("kvm_pit_config", u32("flags"), array("pad", 15, JAVA_INT));

    /** One channel of the PIT. */
    public static final StructLayout PIT_CHANNEL = struct(
            "kvm_pit_channel_state",
            u32("count"),
            u16("latched_count"),
            u8("count_latched"),
            u8("status_latched"),
            u8("status"),
            u8("read_state"),
            u8("write_state"),
            u8("write_latch"),
            u8("rw_mode"),
            u8("mode"),
            u8("bcd"),
            u8("gate"),
            u64("count_load_time"));

    /** KVM_GET_PIT2 and KVM_SET_PIT2. */
    public static final StructLayout PIT_STATE2 =
            struct("kvm_pit_state2", array("channels", 3, PIT_CHANNEL), u32("flags"), array("reserved", 9, JAVA_INT));

    private IrqAbi() {}
}
