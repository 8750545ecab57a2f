package io.javisor.kvm;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.VcpuAbi;
import java.lang.foreign.MemoryLayout;
import org.jspecify.annotations.Nullable;

/**
 * A group of a vCPU's state that is saved and restored as bytes: the kernel's structure of that name (asm/kvm.h). CPUID, MSRs,
 * XSAVE, nested state and the TSC have methods of their own in {@link VcpuState}.
 */
public enum StateGroup {
    /** General registers. */
    REGS(Ioctl.KVM_GET_REGS, Ioctl.KVM_SET_REGS, VcpuAbi.REGS, null),
    /** Segment and control registers, and a pending interrupt. */
    SREGS(Ioctl.KVM_GET_SREGS, Ioctl.KVM_SET_SREGS, VcpuAbi.SREGS, null),
    /** Segment and control registers with PAE's page directory pointers. */
    SREGS2(Ioctl.KVM_GET_SREGS2, Ioctl.KVM_SET_SREGS2, VcpuAbi.SREGS2, Capability.SREGS2),
    /** x87 and SSE registers; XSAVE has them too. */
    FPU(Ioctl.KVM_GET_FPU, Ioctl.KVM_SET_FPU, VcpuAbi.FPU, null),
    /** Extended control registers: XCR0. */
    XCRS(Ioctl.KVM_GET_XCRS, Ioctl.KVM_SET_XCRS, VcpuAbi.XCRS, Capability.XCRS),
    /** Local APIC registers; only with in-kernel local APICs. */
    LAPIC(Ioctl.KVM_GET_LAPIC, Ioctl.KVM_SET_LAPIC, VcpuAbi.LAPIC, Capability.IRQCHIP),
    /** Exceptions, interrupts and NMIs on their way. */
    EVENTS(Ioctl.KVM_GET_VCPU_EVENTS, Ioctl.KVM_SET_VCPU_EVENTS, VcpuAbi.EVENTS, Capability.VCPU_EVENTS),
    /** Debug registers. */
    DEBUGREGS(Ioctl.KVM_GET_DEBUGREGS, Ioctl.KVM_SET_DEBUGREGS, VcpuAbi.DEBUGREGS, Capability.DEBUGREGS),
    /** Running, halted, waiting for start-up: {@link MpState}. */
    MP_STATE(Ioctl.KVM_GET_MP_STATE, Ioctl.KVM_SET_MP_STATE, VcpuAbi.MP_STATE, Capability.MP_STATE);

    private final Ioctl get;
    private final Ioctl set;
    private final long size;
    private final @Nullable Capability capability;

    StateGroup(Ioctl get, Ioctl set, MemoryLayout struct, @Nullable Capability capability) {
        this.get = get;
        this.set = set;
        this.size = struct.byteSize();
        this.capability = capability;
    }

    Ioctl getter() {
        return get;
    }

    Ioctl setter() {
        return set;
    }

    /** Bytes of the structure. */
    public int size() {
        return Math.toIntExact(size);
    }

    /** What the host must have for it, or null if all have it. */
    public @Nullable Capability capability() {
        return capability;
    }
}
