package io.javisor.kvm.abi;

/** Numbers and flags of linux/kvm.h and asm/kvm.h under their C names, held to the headers by the same test as the layouts. */
public final class Constants {
    // Why KVM_RUN returned.
    public static final int KVM_EXIT_IO = 2;
    public static final int KVM_EXIT_HYPERCALL = 3;
    public static final int KVM_EXIT_DEBUG = 4;
    public static final int KVM_EXIT_HLT = 5;
    public static final int KVM_EXIT_MMIO = 6;
    public static final int KVM_EXIT_IRQ_WINDOW_OPEN = 7;
    public static final int KVM_EXIT_SHUTDOWN = 8;
    public static final int KVM_EXIT_FAIL_ENTRY = 9;
    public static final int KVM_EXIT_INTR = 10;
    public static final int KVM_EXIT_SET_TPR = 11;
    public static final int KVM_EXIT_TPR_ACCESS = 12;
    public static final int KVM_EXIT_INTERNAL_ERROR = 17;
    public static final int KVM_EXIT_SYSTEM_EVENT = 24;
    public static final int KVM_EXIT_IOAPIC_EOI = 26;
    public static final int KVM_EXIT_HYPERV = 27;
    public static final int KVM_EXIT_X86_RDMSR = 29;
    public static final int KVM_EXIT_X86_WRMSR = 30;
    public static final int KVM_EXIT_DIRTY_RING_FULL = 31;
    public static final int KVM_EXIT_X86_BUS_LOCK = 33;
    public static final int KVM_EXIT_NOTIFY = 37;
    public static final int KVM_EXIT_MEMORY_FAULT = 39;
    public static final int KVM_EXIT_IO_IN = 0;
    public static final int KVM_EXIT_IO_OUT = 1;
    public static final int KVM_EXIT_HYPERV_SYNIC = 1;
    public static final int KVM_EXIT_HYPERV_HCALL = 2;
    public static final int KVM_EXIT_HYPERV_SYNDBG = 3;

    // What exits say.
    public static final int KVM_INTERNAL_ERROR_EMULATION = 1;
    public static final int KVM_INTERNAL_ERROR_SIMUL_EX = 2;
    public static final int KVM_INTERNAL_ERROR_DELIVERY_EV = 3;
    public static final int KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON = 4;
    public static final int KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES = 1;
    public static final int KVM_SYSTEM_EVENT_SHUTDOWN = 1;
    public static final int KVM_SYSTEM_EVENT_RESET = 2;
    public static final int KVM_SYSTEM_EVENT_CRASH = 3;
    public static final int KVM_SYSTEM_EVENT_WAKEUP = 4;
    public static final int KVM_SYSTEM_EVENT_SUSPEND = 5;
    public static final int KVM_MSR_EXIT_REASON_INVAL = 1;
    public static final int KVM_MSR_EXIT_REASON_UNKNOWN = 2;
    public static final int KVM_MSR_EXIT_REASON_FILTER = 4;
    public static final int KVM_NOTIFY_CONTEXT_INVALID = 1;

    // Pages of a vCPU's mapping.
    public static final int KVM_PIO_PAGE_OFFSET = 1;
    public static final int KVM_COALESCED_MMIO_PAGE_OFFSET = 2;
    public static final int KVM_DIRTY_LOG_PAGE_OFFSET = 64;

    // Memory and dirty pages.
    public static final int KVM_MEM_LOG_DIRTY_PAGES = 1;
    public static final int KVM_MEM_READONLY = 2;
    public static final int KVM_MEM_GUEST_MEMFD = 4;
    public static final int KVM_DIRTY_GFN_F_DIRTY = 1;
    public static final int KVM_DIRTY_GFN_F_RESET = 2;
    public static final int KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE = 1;
    public static final int KVM_DIRTY_LOG_INITIALLY_SET = 2;
    public static final int KVM_MEMORY_ATTRIBUTE_PRIVATE = 8;
    public static final int KVM_MEMORY_EXIT_FLAG_PRIVATE = 8;

    // Interrupts and doorbells.
    public static final int KVM_IRQCHIP_PIC_MASTER = 0;
    public static final int KVM_IRQCHIP_PIC_SLAVE = 1;
    public static final int KVM_IRQCHIP_IOAPIC = 2;
    public static final int KVM_IOAPIC_NUM_PINS = 24;
    public static final int KVM_IRQ_ROUTING_IRQCHIP = 1;
    public static final int KVM_IRQ_ROUTING_MSI = 2;
    public static final int KVM_IRQ_ROUTING_HV_SINT = 4;
    public static final int KVM_IRQFD_FLAG_DEASSIGN = 1;
    public static final int KVM_IRQFD_FLAG_RESAMPLE = 2;
    public static final int KVM_IOEVENTFD_FLAG_DATAMATCH = 1;
    public static final int KVM_IOEVENTFD_FLAG_PIO = 2;
    public static final int KVM_IOEVENTFD_FLAG_DEASSIGN = 4;
    public static final int KVM_HYPERV_CONN_ID_MASK = 16777215;
    public static final int KVM_HYPERV_EVENTFD_DEASSIGN = 1;
    public static final int KVM_X2APIC_API_USE_32BIT_IDS = 1;
    public static final int KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK = 2;

    // CPUID, MSRs, the clock, debugging, exits that are asked for.
    public static final int KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;
    public static final int KVM_MSR_FILTER_READ = 1;
    public static final int KVM_MSR_FILTER_WRITE = 2;
    public static final int KVM_MSR_FILTER_DEFAULT_DENY = 1;
    public static final int KVM_MSR_FILTER_MAX_RANGES = 16;
    public static final int KVM_MSR_FILTER_MAX_BITMAP_SIZE = 1536;
    public static final int KVM_CLOCK_TSC_STABLE = 2;
    public static final int KVM_CLOCK_REALTIME = 4;
    public static final int KVM_CLOCK_HOST_TSC = 8;
    public static final int KVM_VCPU_TSC_CTRL = 0;
    public static final int KVM_VCPU_TSC_OFFSET = 0;
    public static final int KVM_GUESTDBG_ENABLE = 1;
    public static final int KVM_GUESTDBG_SINGLESTEP = 2;
    public static final int KVM_GUESTDBG_USE_SW_BP = 65536;
    public static final int KVM_GUESTDBG_USE_HW_BP = 131072;
    public static final int KVM_GUESTDBG_INJECT_DB = 262144;
    public static final int KVM_GUESTDBG_INJECT_BP = 524288;
    public static final int KVM_GUESTDBG_BLOCKIRQ = 1048576;
    public static final int KVM_MP_STATE_RUNNABLE = 0;
    public static final int KVM_MP_STATE_UNINITIALIZED = 1;
    public static final int KVM_MP_STATE_INIT_RECEIVED = 2;
    public static final int KVM_MP_STATE_HALTED = 3;
    public static final int KVM_MP_STATE_SIPI_RECEIVED = 4;
    public static final int KVM_BUS_LOCK_DETECTION_EXIT = 2;
    public static final int KVM_X86_NOTIFY_VMEXIT_ENABLED = 1;
    public static final int KVM_X86_NOTIFY_VMEXIT_USER = 2;
    public static final int KVM_API_VERSION = 12;

    private Constants() {}
}
