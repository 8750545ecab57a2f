package io.javisor.kvm.partition;

/** Why a vCPU's run came back to this process. */
public enum ExitReason {
    /** A read of an I/O port. */
    IO_IN,
    /** A write to an I/O port. */
    IO_OUT,
    /** A read where there is no memory. */
    MMIO_READ,
    /** A write where there is no memory. */
    MMIO_WRITE,
    /** A kick. */
    INTERRUPTED,
    /** A read of an MSR that the guest does not have. */
    MSR_READ,
    /** A write to an MSR that the guest does not have. */
    MSR_WRITE,
    /** A write to a SynIC register. */
    HYPERV_SYNIC,
    /** A hypercall that the kernel does not do. */
    HYPERV_HYPERCALL,
    /** A crash report. */
    SYSTEM_EVENT,
    /** A breakpoint or a step of a debugger, or an exception of these kinds that is the guest's own. */
    DEBUG,
    /** A triple fault. */
    SHUTDOWN,
    /** Any other: the vCPU can't go on. */
    OTHER;

    static final int COUNT = values().length;
}
