package io.javisor.kvm;

/**
 * What a host's KVM can do, by the numbers of linux/kvm.h (KVM_CAP_…). {@link Kvm#check} and {@link KvmVm#check} ask for the
 * value: 0 is no, 1 is yes, and more is a size, a limit or a set of flags.
 */
public enum Capability {
    /** In-kernel interrupt controllers. */
    IRQCHIP(0),
    /** Halt exits. */
    HLT(1),
    /** KVM_CAP_MMU_SHADOW_CACHE_CONTROL. */
    MMU_SHADOW_CACHE_CONTROL(2),
    /** Memory slots over memory of this process. */
    USER_MEMORY(3),
    /** KVM_SET_TSS_ADDR. */
    SET_TSS_ADDR(4),
    /** KVM_CAP_VAPIC. */
    VAPIC(6),
    /** KVM_CAP_EXT_CPUID. */
    EXT_CPUID(7),
    /** KVM_CAP_CLOCKSOURCE. */
    CLOCKSOURCE(8),
    /** Recommended vCPUs of a VM; the value is the number. */
    NR_VCPUS(9),
    /** Memory slots of a VM; the value is the number. */
    NR_MEMSLOTS(10),
    /** KVM_CAP_PIT. */
    PIT(11),
    /** KVM_CAP_NOP_IO_DELAY. */
    NOP_IO_DELAY(12),
    /** KVM_CAP_PV_MMU. */
    PV_MMU(13),
    /** KVM_CAP_MP_STATE. */
    MP_STATE(14),
    /** Coalesced MMIO; the value is the page offset of the ring. */
    COALESCED_MMIO(15),
    /** KVM_CAP_SYNC_MMU. */
    SYNC_MMU(16),
    /** KVM_CAP_DESTROY_MEMORY_REGION_WORKS. */
    DESTROY_MEMORY_REGION_WORKS(21),
    /** KVM_CAP_USER_NMI. */
    USER_NMI(22),
    /** KVM_CAP_SET_GUEST_DEBUG. */
    SET_GUEST_DEBUG(23),
    /** KVM_CAP_REINJECT_CONTROL. */
    REINJECT_CONTROL(24),
    /** KVM_CAP_IRQ_ROUTING. */
    IRQ_ROUTING(25),
    /** KVM_CAP_IRQ_INJECT_STATUS. */
    IRQ_INJECT_STATUS(26),
    /** KVM_CAP_JOIN_MEMORY_REGIONS_WORKS. */
    JOIN_MEMORY_REGIONS_WORKS(30),
    /** KVM_CAP_MCE. */
    MCE(31),
    /** KVM_CAP_IRQFD. */
    IRQFD(32),
    /** KVM_CAP_PIT2. */
    PIT2(33),
    /** KVM_CAP_SET_BOOT_CPU_ID. */
    SET_BOOT_CPU_ID(34),
    /** KVM_CAP_PIT_STATE2. */
    PIT_STATE2(35),
    /** KVM_CAP_IOEVENTFD. */
    IOEVENTFD(36),
    /** KVM_CAP_SET_IDENTITY_MAP_ADDR. */
    SET_IDENTITY_MAP_ADDR(37),
    /** KVM_GET_CLOCK; the value is the set of its flags. */
    ADJUST_CLOCK(39),
    /** KVM_CAP_INTERNAL_ERROR_DATA. */
    INTERNAL_ERROR_DATA(40),
    /** KVM_CAP_VCPU_EVENTS. */
    VCPU_EVENTS(41),
    /** KVM_CAP_HYPERV. */
    HYPERV(44),
    /** KVM_CAP_HYPERV_VAPIC. */
    HYPERV_VAPIC(45),
    /** KVM_CAP_HYPERV_SPIN. */
    HYPERV_SPIN(46),
    /** KVM_CAP_PCI_SEGMENT. */
    PCI_SEGMENT(47),
    /** KVM_CAP_INTR_SHADOW. */
    INTR_SHADOW(49),
    /** KVM_CAP_DEBUGREGS. */
    DEBUGREGS(50),
    /** KVM_CAP_X86_ROBUST_SINGLESTEP. */
    X86_ROBUST_SINGLESTEP(51),
    /** KVM_CAP_ENABLE_CAP. */
    ENABLE_CAP(54),
    /** KVM_CAP_XSAVE. */
    XSAVE(55),
    /** KVM_CAP_XCRS. */
    XCRS(56),
    /** KVM_CAP_ASYNC_PF. */
    ASYNC_PF(59),
    /** KVM_CAP_TSC_CONTROL. */
    TSC_CONTROL(60),
    /** KVM_CAP_GET_TSC_KHZ. */
    GET_TSC_KHZ(61),
    /** vCPUs of a VM at most; the value is the number. */
    MAX_VCPUS(66),
    /** KVM_CAP_TSC_DEADLINE_TIMER. */
    TSC_DEADLINE_TIMER(72),
    /** KVM_CAP_SYNC_REGS. */
    SYNC_REGS(74),
    /** KVM_CAP_KVMCLOCK_CTRL. */
    KVMCLOCK_CTRL(76),
    /** KVM_CAP_SIGNAL_MSI. */
    SIGNAL_MSI(77),
    /** KVM_CAP_READONLY_MEM. */
    READONLY_MEM(81),
    /** KVM_CAP_IRQFD_RESAMPLE. */
    IRQFD_RESAMPLE(82),
    /** KVM_CAP_DEVICE_CTRL. */
    DEVICE_CTRL(89),
    /** KVM_CAP_EXT_EMUL_CPUID. */
    EXT_EMUL_CPUID(95),
    /** KVM_CAP_HYPERV_TIME. */
    HYPERV_TIME(96),
    /** KVM_CAP_IOAPIC_POLARITY_IGNORED. */
    IOAPIC_POLARITY_IGNORED(97),
    /** KVM_CAP_ENABLE_CAP_VM. */
    ENABLE_CAP_VM(98),
    /** KVM_CAP_IOEVENTFD_NO_LENGTH. */
    IOEVENTFD_NO_LENGTH(100),
    /** KVM_CAP_VM_ATTRIBUTES. */
    VM_ATTRIBUTES(101),
    /** KVM_CAP_CHECK_EXTENSION_VM. */
    CHECK_EXTENSION_VM(105),
    /** KVM_CAP_DISABLE_QUIRKS. */
    DISABLE_QUIRKS(116),
    /** KVM_CAP_X86_SMM. */
    X86_SMM(117),
    /** KVM_CAP_MULTI_ADDRESS_SPACE. */
    MULTI_ADDRESS_SPACE(118),
    /** KVM_CAP_GUEST_DEBUG_HW_BPS. */
    GUEST_DEBUG_HW_BPS(119),
    /** KVM_CAP_GUEST_DEBUG_HW_WPS. */
    GUEST_DEBUG_HW_WPS(120),
    /** Local APICs in the kernel, IOAPIC and PIC outside. */
    SPLIT_IRQCHIP(121),
    /** KVM_CAP_IOEVENTFD_ANY_LENGTH. */
    IOEVENTFD_ANY_LENGTH(122),
    /** KVM_CAP_HYPERV_SYNIC. */
    HYPERV_SYNIC(123),
    /** KVM_CAP_VCPU_ATTRIBUTES. */
    VCPU_ATTRIBUTES(127),
    /** Highest vCPU ID plus one; the value is the number. */
    MAX_VCPU_ID(128),
    /** 32-bit APIC IDs in routes and MSIs. */
    X2APIC_API(129),
    /** kvm_run.immediate_exit. */
    IMMEDIATE_EXIT(136),
    /** KVM_CAP_X86_DISABLE_EXITS. */
    X86_DISABLE_EXITS(143),
    /** The synthetic interrupt controller without auto-EOI and with its pages untouched by KVM. */
    HYPERV_SYNIC2(148),
    /** KVM_CAP_HYPERV_VP_INDEX. */
    HYPERV_VP_INDEX(149),
    /** KVM_CAP_GET_MSR_FEATURES. */
    GET_MSR_FEATURES(153),
    /** KVM_CAP_HYPERV_EVENTFD. */
    HYPERV_EVENTFD(154),
    /** KVM_CAP_HYPERV_TLBFLUSH. */
    HYPERV_TLBFLUSH(155),
    /** KVM_CAP_NESTED_STATE. */
    NESTED_STATE(157),
    /** KVM_CAP_MSR_PLATFORM_INFO. */
    MSR_PLATFORM_INFO(159),
    /** KVM_CAP_HYPERV_SEND_IPI. */
    HYPERV_SEND_IPI(161),
    /** KVM_CAP_COALESCED_PIO. */
    COALESCED_PIO(162),
    /** KVM_CAP_HYPERV_ENLIGHTENED_VMCS. */
    HYPERV_ENLIGHTENED_VMCS(163),
    /** KVM_CAP_EXCEPTION_PAYLOAD. */
    EXCEPTION_PAYLOAD(164),
    /** KVM_CAP_MANUAL_DIRTY_LOG_PROTECT. */
    MANUAL_DIRTY_LOG_PROTECT(166),
    /** KVM_CAP_HYPERV_CPUID. */
    HYPERV_CPUID(167),
    /** KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2. */
    MANUAL_DIRTY_LOG_PROTECT2(168),
    /** KVM_CAP_PMU_EVENT_FILTER. */
    PMU_EVENT_FILTER(173),
    /** KVM_CAP_HYPERV_DIRECT_TLBFLUSH. */
    HYPERV_DIRECT_TLBFLUSH(175),
    /** KVM_CAP_HALT_POLL. */
    HALT_POLL(182),
    /** KVM_CAP_ASYNC_PF_INT. */
    ASYNC_PF_INT(183),
    /** KVM_CAP_LAST_CPU. */
    LAST_CPU(184),
    /** KVM_CAP_SMALLER_MAXPHYADDR. */
    SMALLER_MAXPHYADDR(185),
    /** KVM_CAP_STEAL_TIME. */
    STEAL_TIME(187),
    /** KVM_CAP_X86_USER_SPACE_MSR. */
    X86_USER_SPACE_MSR(188),
    /** KVM_CAP_X86_MSR_FILTER. */
    X86_MSR_FILTER(189),
    /** KVM_CAP_ENFORCE_PV_FEATURE_CPUID. */
    ENFORCE_PV_FEATURE_CPUID(190),
    /** KVM_CAP_SYS_HYPERV_CPUID. */
    SYS_HYPERV_CPUID(191),
    /** Dirty rings; the value is the largest ring in bytes. */
    DIRTY_LOG_RING(192),
    /** KVM_CAP_X86_BUS_LOCK_EXIT. */
    X86_BUS_LOCK_EXIT(193),
    /** KVM_CAP_SET_GUEST_DEBUG2. */
    SET_GUEST_DEBUG2(195),
    /** KVM_CAP_VM_COPY_ENC_CONTEXT_FROM. */
    VM_COPY_ENC_CONTEXT_FROM(197),
    /** KVM_CAP_HYPERV_ENFORCE_CPUID. */
    HYPERV_ENFORCE_CPUID(199),
    /** KVM_CAP_SREGS2. */
    SREGS2(200),
    /** KVM_CAP_EXIT_HYPERCALL. */
    EXIT_HYPERCALL(201),
    /** KVM_CAP_BINARY_STATS_FD. */
    BINARY_STATS_FD(203),
    /** KVM_CAP_EXIT_ON_EMULATION_FAILURE. */
    EXIT_ON_EMULATION_FAILURE(204),
    /** KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM. */
    VM_MOVE_ENC_CONTEXT_FROM(206),
    /** Physical address bits. */
    VM_GPA_BITS(207),
    /** Size of KVM_GET_XSAVE2 in bytes. */
    XSAVE2(208),
    /** KVM_CAP_SYS_ATTRIBUTES. */
    SYS_ATTRIBUTES(209),
    /** KVM_CAP_PMU_CAPABILITY. */
    PMU_CAPABILITY(212),
    /** KVM_CAP_DISABLE_QUIRKS2. */
    DISABLE_QUIRKS2(213),
    /** KVM_CAP_VM_TSC_CONTROL. */
    VM_TSC_CONTROL(214),
    /** KVM_CAP_SYSTEM_EVENT_DATA. */
    SYSTEM_EVENT_DATA(215),
    /** KVM_CAP_X86_TRIPLE_FAULT_EVENT. */
    X86_TRIPLE_FAULT_EVENT(218),
    /** KVM_CAP_X86_NOTIFY_VMEXIT. */
    X86_NOTIFY_VMEXIT(219),
    /** KVM_CAP_VM_DISABLE_NX_HUGE_PAGES. */
    VM_DISABLE_NX_HUGE_PAGES(220),
    /** KVM_CAP_DIRTY_LOG_RING_ACQ_REL. */
    DIRTY_LOG_RING_ACQ_REL(223),
    /** KVM_CAP_USER_MEMORY2. */
    USER_MEMORY2(231),
    /** KVM_CAP_MEMORY_FAULT_INFO. */
    MEMORY_FAULT_INFO(232),
    /** KVM_CAP_MEMORY_ATTRIBUTES. */
    MEMORY_ATTRIBUTES(233),
    /** KVM_CAP_GUEST_MEMFD. */
    GUEST_MEMFD(234),
    /** KVM_CAP_VM_TYPES. */
    VM_TYPES(235),
    /** KVM_CAP_PRE_FAULT_MEMORY. */
    PRE_FAULT_MEMORY(236),
    /** KVM_CAP_X86_APIC_BUS_CYCLES_NS. */
    X86_APIC_BUS_CYCLES_NS(237);

    private final int number;

    Capability(int number) {
        this.number = number;
    }

    /** The number in linux/kvm.h. */
    public int number() {
        return number;
    }

    /** The name in linux/kvm.h, {@code "KVM_CAP_IRQCHIP"}. */
    public String kernelName() {
        return "KVM_CAP_" + name();
    }
}
