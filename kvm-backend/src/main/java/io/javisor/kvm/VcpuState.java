package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_GUESTDBG_INJECT_BP;
import static io.javisor.kvm.abi.Constants.KVM_GUESTDBG_INJECT_DB;
import static io.javisor.kvm.abi.Constants.KVM_VCPU_TSC_CTRL;
import static io.javisor.kvm.abi.Constants.KVM_VCPU_TSC_OFFSET;
import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.SystemAbi;
import io.javisor.kvm.abi.VcpuAbi;
import io.javisor.linux.Errno;
import io.javisor.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A vCPU's state, group by group, and requests about it; safe from any thread, each request waiting while the guest runs. When
 * a whole vCPU is restored the order matters: CPUID, special registers, extended control registers, XSAVE, registers, MSRs,
 * local APIC, MP state, events, debug registers.
 */
public final class VcpuState {
    private static final int LEGACY_XSAVE = Math.toIntExact(VcpuAbi.XSAVE.byteSize());
    private static final long XCR0_VALUE = offset(VcpuAbi.XCRS, "xcrs") + offset(VcpuAbi.XCR, "value");
    private static final long NESTED_SIZE = offset(VcpuAbi.NESTED_STATE, "size");

    private final KvmVm vm;
    private final KvmDescriptor fd;

    VcpuState(KvmVm vm, KvmDescriptor fd) {
        this.vm = vm;
        this.fd = fd;
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

    /** A group of state, as the kernel's structure. */
    public byte[] get(StateGroup group) {
        return Groups.get(fd, group.getter(), group.size());
    }

    /** Restores a group of state. */
    public void set(StateGroup group, byte[] bytes) {
        Groups.set(fd, group.setter(), bytes, group.size());
    }

    /** XSAVE state: x87, SSE, AVX and what the processor has beyond; as long as this host's structure. */
    public byte[] xsave() {
        int size = xsaveSize();
        return Groups.get(fd, size > LEGACY_XSAVE ? Ioctl.KVM_GET_XSAVE2 : Ioctl.KVM_GET_XSAVE, size);
    }

    /** Restores XSAVE state; shorter state, of a host with fewer features, is filled up with zeroes. */
    public void setXsave(byte[] bytes) {
        int size = xsaveSize();
        if (bytes.length > size) {
            throw new KvmException(
                    "kvm-refused",
                    bytes.length + " bytes of XSAVE state, this host has " + size,
                    "KVM_SET_XSAVE",
                    0,
                    "restore on a host with the same processor features",
                    null);
        }
        Groups.set(fd, Ioctl.KVM_SET_XSAVE, java.util.Arrays.copyOf(bytes, size), size);
    }

    private int xsaveSize() {
        return Math.max(LEGACY_XSAVE, vm.check(Capability.XSAVE2));
    }

    /** XCR0: which XSAVE features the guest has turned on. */
    public long xcr0() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.XCRS);
            fd.call(Ioctl.KVM_GET_XCRS, struct);
            return struct.get(JAVA_LONG, XCR0_VALUE);
        }
    }

    /** Sets XCR0; the guest's CPUID must allow its features. */
    public void setXcr0(long value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.XCRS);
            struct.set(JAVA_INT, 0, 1);
            struct.set(JAVA_LONG, XCR0_VALUE, value);
            fd.call(Ioctl.KVM_SET_XCRS, struct, "XCR0 = 0x" + Long.toHexString(value));
        }
    }

    /** Whether it runs. */
    public MpState mpState() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.MP_STATE);
            fd.call(Ioctl.KVM_GET_MP_STATE, struct);
            return MpState.of(struct.get(JAVA_INT, 0));
        }
    }

    /** Makes it run or wait; other than RUNNABLE only with in-kernel local APICs. */
    public void setMpState(MpState state) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.MP_STATE);
            struct.set(JAVA_INT, 0, state.number());
            fd.call(Ioctl.KVM_SET_MP_STATE, struct, state.name());
        }
    }

    /** The guest's TSC frequency in kHz. */
    public int tscKhz() {
        return fd.call(Ioctl.KVM_GET_TSC_KHZ, 0);
    }

    /** Sets the guest's TSC frequency (KVM_CAP_TSC_CONTROL, unless it is the host's). */
    public void setTscKhz(int khz) {
        fd.call(Ioctl.KVM_SET_TSC_KHZ, khz);
    }

    /** Whether the kernel lets the TSC offset be read and set (KVM_VCPU_TSC_OFFSET, Linux 5.16). */
    public boolean hasTscOffset() {
        try (Arena arena = Arena.ofConfined()) {
            return fd.tryCall(Ioctl.KVM_HAS_DEVICE_ATTR, tscOffsetAttribute(arena, arena.allocate(JAVA_LONG))) == 0;
        }
    }

    /** The guest's TSC less the host's. */
    public long tscOffset() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_LONG);
            fd.call(Ioctl.KVM_GET_DEVICE_ATTR, tscOffsetAttribute(arena, value), "KVM_VCPU_TSC_OFFSET");
            return value.get(JAVA_LONG, 0);
        }
    }

    /** Sets the guest's TSC less the host's. */
    public void setTscOffset(long offset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocateFrom(JAVA_LONG, offset);
            fd.call(Ioctl.KVM_SET_DEVICE_ATTR, tscOffsetAttribute(arena, value), "KVM_VCPU_TSC_OFFSET = " + offset);
        }
    }

    private static MemorySegment tscOffsetAttribute(Arena arena, MemorySegment value) {
        MemorySegment struct = arena.allocate(SystemAbi.DEVICE_ATTR);
        struct.set(JAVA_INT, offset(SystemAbi.DEVICE_ATTR, "group"), KVM_VCPU_TSC_CTRL);
        struct.set(JAVA_LONG, offset(SystemAbi.DEVICE_ATTR, "attr"), KVM_VCPU_TSC_OFFSET);
        struct.set(JAVA_LONG, offset(SystemAbi.DEVICE_ATTR, "addr"), value.address());
        return struct;
    }

    /** State of nested virtualization, opaque; empty if the host has none. */
    public byte[] nested() {
        int size = vm.check(Capability.NESTED_STATE);
        if (size == 0) {
            return new byte[0];
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(size, 8);
            struct.set(JAVA_INT, NESTED_SIZE, size);
            fd.call(Ioctl.KVM_GET_NESTED_STATE, struct);
            return struct.asSlice(0, struct.get(JAVA_INT, NESTED_SIZE)).toArray(JAVA_BYTE);
        }
    }

    /** Restores state of nested virtualization; empty does nothing. */
    public void setNested(byte[] bytes) {
        if (bytes.length == 0) {
            return;
        }
        vm.require(Capability.NESTED_STATE, "state of nested virtualization");
        // The kernel reads as many bytes as the structure says that it has.
        if (bytes.length < VcpuAbi.NESTED_STATE.byteSize()
                || MemorySegment.ofArray(bytes).get(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED, NESTED_SIZE)
                        != bytes.length) {
            throw new IllegalArgumentException(bytes.length + " bytes are not a nested state");
        }
        Groups.set(fd, Ioctl.KVM_SET_NESTED_STATE, bytes, bytes.length);
    }

    /** Sends a non-maskable interrupt. */
    public void nmi() {
        fd.call(Ioctl.KVM_NMI, 0);
    }

    /** Sends a system management interrupt (KVM_CAP_X86_SMM). */
    public void smi() {
        fd.call(Ioctl.KVM_SMI, 0);
    }

    /**
     * Puts an interrupt into the vCPU; only without in-kernel local APICs, and when it is ready for one.
     *
     * @param vector 0 to 255
     * @return false if another is waiting
     */
    public boolean inject(int vector) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocateFrom(JAVA_INT, vector);
            int result = fd.tryCall(Ioctl.KVM_INTERRUPT, struct);
            if (result < 0 && result != -Errno.EEXIST) {
                throw KvmException.of(new LinuxException("KVM_INTERRUPT", "vector " + vector, -result));
            }
            return result == 0;
        }
    }

    /** Where a linear address leads by the present page tables. */
    public Translation translate(long linearAddress) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.TRANSLATION);
            struct.set(JAVA_LONG, 0, linearAddress);
            fd.call(Ioctl.KVM_TRANSLATE, struct, "0x" + Long.toHexString(linearAddress));
            return new Translation(
                    struct.get(JAVA_BYTE, offset(VcpuAbi.TRANSLATION, "valid")) != 0,
                    struct.get(JAVA_LONG, offset(VcpuAbi.TRANSLATION, "physical_address")),
                    struct.get(JAVA_BYTE, offset(VcpuAbi.TRANSLATION, "writeable")) != 0,
                    struct.get(JAVA_BYTE, offset(VcpuAbi.TRANSLATION, "usermode")) != 0);
        }
    }

    /** Sets what stops the guest with {@link Exit.Debug}. */
    public void setGuestDebug(GuestDebug debug) {
        setGuestDebug(debug, 0);
    }

    /**
     * Gives the guest an exception that stopped it with {@link Exit.Debug} and is its own, not the debugger's; what stops it
     * stays as given.
     *
     * @param vector 1 (#DB) or 3 (#BP)
     */
    public void returnDebugException(GuestDebug debug, int vector) {
        int flag = switch (vector) {
            case 1 -> KVM_GUESTDBG_INJECT_DB;
            case 3 -> KVM_GUESTDBG_INJECT_BP;
            default -> throw new IllegalArgumentException("exception " + vector + " is none of a debugger's");
        };
        setGuestDebug(debug, flag);
    }

    private void setGuestDebug(GuestDebug debug, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VcpuAbi.GUEST_DEBUG);
            struct.set(JAVA_INT, 0, debug.control() | flags);
            long registers = offset(VcpuAbi.GUEST_DEBUG, "arch", "debugreg");
            for (int i = 0; i < debug.hardware().size(); i++) {
                struct.set(
                        JAVA_LONG, registers + 8L * i, debug.hardware().get(i).address());
            }
            struct.set(JAVA_LONG, registers + 8 * 7, debug.dr7());
            fd.call(Ioctl.KVM_SET_GUEST_DEBUG, struct, debug.toString());
        }
    }

    /** Tells a kvmclock guest that the host had stopped it, so that its watchdogs bear it; false if it has no kvmclock. */
    public boolean clockStopped() {
        int result = fd.tryCall(Ioctl.KVM_KVMCLOCK_CTRL, 0);
        if (result < 0 && result != -Errno.EINVAL) {
            throw KvmException.of(new LinuxException("KVM_KVMCLOCK_CTRL", "", -result));
        }
        return result == 0;
    }
}
