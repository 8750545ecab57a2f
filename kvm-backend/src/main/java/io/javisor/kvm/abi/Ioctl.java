package io.javisor.kvm.abi;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;

/**
 * The ioctls of linux/kvm.h, numbered as asm-generic/ioctl.h does: direction &lt;&lt; 30 | size &lt;&lt; 16 | 0xAE &lt;&lt; 8 |
 * number.
 */
public enum Ioctl {
    // /dev/kvm
    KVM_GET_API_VERSION(0x00),
    KVM_CREATE_VM(0x01),
    KVM_GET_MSR_INDEX_LIST(Direction.READ_WRITE, 0x02, SystemAbi.MSR_LIST),
    KVM_CHECK_EXTENSION(0x03),
    KVM_GET_VCPU_MMAP_SIZE(0x04),
    KVM_GET_SUPPORTED_CPUID(Direction.READ_WRITE, 0x05, SystemAbi.CPUID),
    KVM_GET_EMULATED_CPUID(Direction.READ_WRITE, 0x09, SystemAbi.CPUID),
    KVM_GET_MSR_FEATURE_INDEX_LIST(Direction.READ_WRITE, 0x0A, SystemAbi.MSR_LIST),
    KVM_GET_SUPPORTED_HV_CPUID(Direction.READ_WRITE, 0xC1, SystemAbi.CPUID),

    // VMs
    KVM_CREATE_VCPU(0x41),
    KVM_GET_DIRTY_LOG(Direction.WRITE, 0x42, MemoryAbi.DIRTY_LOG),
    KVM_SET_USER_MEMORY_REGION(Direction.WRITE, 0x46, MemoryAbi.REGION),
    KVM_SET_TSS_ADDR(0x47),
    KVM_SET_IDENTITY_MAP_ADDR(Direction.WRITE, 0x48, ValueLayout.JAVA_LONG),
    KVM_SET_USER_MEMORY_REGION2(Direction.WRITE, 0x49, MemoryAbi.REGION2),
    KVM_CREATE_IRQCHIP(0x60),
    KVM_IRQ_LINE(Direction.WRITE, 0x61, IrqAbi.LEVEL),
    KVM_GET_IRQCHIP(Direction.READ_WRITE, 0x62, IrqAbi.IRQCHIP),
    KVM_SET_IRQCHIP(Direction.READ, 0x63, IrqAbi.IRQCHIP),
    KVM_IRQ_LINE_STATUS(Direction.READ_WRITE, 0x67, IrqAbi.LEVEL),
    KVM_REGISTER_COALESCED_MMIO(Direction.WRITE, 0x67, IrqAbi.COALESCED_ZONE),
    KVM_UNREGISTER_COALESCED_MMIO(Direction.WRITE, 0x68, IrqAbi.COALESCED_ZONE),
    KVM_SET_GSI_ROUTING(Direction.WRITE, 0x6A, IrqAbi.ROUTING),
    KVM_IRQFD(Direction.WRITE, 0x76, IrqAbi.IRQFD),
    KVM_CREATE_PIT2(Direction.WRITE, 0x77, IrqAbi.PIT_CONFIG),
    KVM_SET_BOOT_CPU_ID(0x78),
    KVM_IOEVENTFD(Direction.WRITE, 0x79, IrqAbi.IOEVENTFD),
    KVM_SET_CLOCK(Direction.WRITE, 0x7B, SystemAbi.CLOCK),
    KVM_GET_CLOCK(Direction.READ, 0x7C, SystemAbi.CLOCK),
    KVM_GET_PIT2(Direction.READ, 0x9F, IrqAbi.PIT_STATE2),
    KVM_SET_PIT2(Direction.WRITE, 0xA0, IrqAbi.PIT_STATE2),
    KVM_SIGNAL_MSI(Direction.WRITE, 0xA5, IrqAbi.MSI),
    KVM_HYPERV_EVENTFD(Direction.WRITE, 0xBD, IrqAbi.HYPERV_EVENTFD),
    KVM_CLEAR_DIRTY_LOG(Direction.READ_WRITE, 0xC0, MemoryAbi.CLEAR_DIRTY_LOG),
    KVM_X86_SET_MSR_FILTER(Direction.WRITE, 0xC6, SystemAbi.MSR_FILTER),
    KVM_RESET_DIRTY_RINGS(0xC7),
    KVM_SET_MEMORY_ATTRIBUTES(Direction.WRITE, 0xD2, MemoryAbi.ATTRIBUTES),
    KVM_CREATE_GUEST_MEMFD(Direction.READ_WRITE, 0xD4, MemoryAbi.GUEST_MEMFD),

    // vCPUs
    KVM_RUN(0x80),
    KVM_GET_REGS(Direction.READ, 0x81, VcpuAbi.REGS),
    KVM_SET_REGS(Direction.WRITE, 0x82, VcpuAbi.REGS),
    KVM_GET_SREGS(Direction.READ, 0x83, VcpuAbi.SREGS),
    KVM_SET_SREGS(Direction.WRITE, 0x84, VcpuAbi.SREGS),
    KVM_TRANSLATE(Direction.READ_WRITE, 0x85, VcpuAbi.TRANSLATION),
    KVM_INTERRUPT(Direction.WRITE, 0x86, VcpuAbi.INTERRUPT),
    KVM_GET_MSRS(Direction.READ_WRITE, 0x88, SystemAbi.MSRS),
    KVM_SET_MSRS(Direction.WRITE, 0x89, SystemAbi.MSRS),
    KVM_SET_SIGNAL_MASK(Direction.WRITE, 0x8B, VcpuAbi.SIGNAL_MASK),
    KVM_GET_FPU(Direction.READ, 0x8C, VcpuAbi.FPU),
    KVM_SET_FPU(Direction.WRITE, 0x8D, VcpuAbi.FPU),
    KVM_GET_LAPIC(Direction.READ, 0x8E, VcpuAbi.LAPIC),
    KVM_SET_LAPIC(Direction.WRITE, 0x8F, VcpuAbi.LAPIC),
    KVM_SET_CPUID2(Direction.WRITE, 0x90, SystemAbi.CPUID),
    KVM_GET_CPUID2(Direction.READ_WRITE, 0x91, SystemAbi.CPUID),
    KVM_GET_MP_STATE(Direction.READ, 0x98, VcpuAbi.MP_STATE),
    KVM_SET_MP_STATE(Direction.WRITE, 0x99, VcpuAbi.MP_STATE),
    KVM_NMI(0x9A),
    KVM_SET_GUEST_DEBUG(Direction.WRITE, 0x9B, VcpuAbi.GUEST_DEBUG),
    KVM_GET_VCPU_EVENTS(Direction.READ, 0x9F, VcpuAbi.EVENTS),
    KVM_SET_VCPU_EVENTS(Direction.WRITE, 0xA0, VcpuAbi.EVENTS),
    KVM_GET_DEBUGREGS(Direction.READ, 0xA1, VcpuAbi.DEBUGREGS),
    KVM_SET_DEBUGREGS(Direction.WRITE, 0xA2, VcpuAbi.DEBUGREGS),
    KVM_SET_TSC_KHZ(0xA2),
    KVM_GET_TSC_KHZ(0xA3),
    KVM_ENABLE_CAP(Direction.WRITE, 0xA3, SystemAbi.ENABLE_CAP),
    KVM_GET_XSAVE(Direction.READ, 0xA4, VcpuAbi.XSAVE),
    KVM_SET_XSAVE(Direction.WRITE, 0xA5, VcpuAbi.XSAVE),
    KVM_GET_XCRS(Direction.READ, 0xA6, VcpuAbi.XCRS),
    KVM_SET_XCRS(Direction.WRITE, 0xA7, VcpuAbi.XCRS),
    KVM_KVMCLOCK_CTRL(0xAD),
    KVM_SMI(0xB7),
    KVM_GET_NESTED_STATE(Direction.READ_WRITE, 0xBE, VcpuAbi.NESTED_STATE),
    KVM_SET_NESTED_STATE(Direction.WRITE, 0xBF, VcpuAbi.NESTED_STATE),
    KVM_GET_SREGS2(Direction.READ, 0xCC, VcpuAbi.SREGS2),
    KVM_SET_SREGS2(Direction.WRITE, 0xCD, VcpuAbi.SREGS2),
    KVM_GET_STATS_FD(0xCE),
    KVM_GET_XSAVE2(Direction.READ, 0xCF, VcpuAbi.XSAVE),
    KVM_SET_DEVICE_ATTR(Direction.WRITE, 0xE1, SystemAbi.DEVICE_ATTR),
    KVM_GET_DEVICE_ATTR(Direction.WRITE, 0xE2, SystemAbi.DEVICE_ATTR),
    KVM_HAS_DEVICE_ATTR(Direction.WRITE, 0xE3, SystemAbi.DEVICE_ATTR);

    private static final long KVMIO = 0xAE;

    private final long number;

    Ioctl(int number) {
        this.number = KVMIO << 8 | number;
    }

    Ioctl(Direction direction, int number, MemoryLayout structure) {
        this.number = (long) direction.bits << 30 | structure.byteSize() << 16 | KVMIO << 8 | number;
    }

    /** The request number. */
    public long number() {
        return number;
    }

    /** Who writes the structure, as the kernel sees it: WRITE goes to the kernel. */
    private enum Direction {
        WRITE(1),
        READ(2),
        READ_WRITE(3);

        private final int bits;

        Direction(int bits) {
            this.bits = bits;
        }
    }
}
