package io.javisor.kvm;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.VcpuAbi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A vCPU's state, group by group, and requests about it; safe from any thread, each request waiting while the guest runs. When
 * a whole vCPU is restored the order matters: CPUID, special registers, extended control registers, XSAVE, registers, MSRs,
 * local APIC, MP state, events, debug registers.
 */
public final class VcpuState {
    private final KvmVm vm;
    private final KvmDescriptor fd;

    VcpuState(KvmVm vm, KvmDescriptor fd) {
        this.vm = vm;
        this.fd = fd;
    }

    KvmVm vm() {
        return vm;
    }

    /** General registers. */
    public Regs regs() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.REGS);
            fd.call(Ioctl.KVM_GET_REGS, struct);
            return Regs.of(struct);
        }
    }

    /** Sets the general registers. */
    public void setRegs(Regs regs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.REGS);
            regs.copyTo(struct);
            fd.call(Ioctl.KVM_SET_REGS, struct);
        }
    }

    /** Segment and control registers. */
    public Sregs sregs() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.SREGS);
            fd.call(Ioctl.KVM_GET_SREGS, struct);
            return Sregs.of(struct);
        }
    }

    /** Sets the segment and control registers. */
    public void setSregs(Sregs sregs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.SREGS);
            sregs.copyTo(struct);
            fd.call(Ioctl.KVM_SET_SREGS, struct);
        }
    }

    /** The CPUID leaves that the guest sees. */
    public List<CpuidEntry> cpuid() {
        return CpuidList.get(fd, Ioctl.KVM_GET_CPUID2);
    }

    /** Sets the CPUID leaves that the guest sees; before its first run. */
    public void setCpuid(List<CpuidEntry> entries) {
        CpuidList.set(fd, entries);
    }

    /** Reads MSRs; refuses the first that KVM does not read. */
    public List<Msr> msrs(int... indices) {
        return MsrList.get(fd, indices);
    }

    /** Reads those of the MSRs that KVM reads, and skips the rest. */
    public List<Msr> readableMsrs(int... indices) {
        return MsrList.getReadable(fd, indices);
    }

    /** Writes MSRs, in order; refuses the first that KVM refuses. */
    public void setMsrs(List<Msr> msrs) {
        MsrList.set(fd, msrs);
    }

    /** Writes MSRs, in order, until KVM refuses one; returns how many it took. */
    public int trySetMsrs(List<Msr> msrs) {
        return MsrList.trySet(fd, msrs);
    }
}
