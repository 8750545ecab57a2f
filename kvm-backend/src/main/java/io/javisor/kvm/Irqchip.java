package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_IRQCHIP_IOAPIC;
import static io.javisor.kvm.abi.Constants.KVM_IRQCHIP_PIC_MASTER;
import static io.javisor.kvm.abi.Constants.KVM_IRQCHIP_PIC_SLAVE;

/** The in-kernel interrupt controllers that are not part of a vCPU (asm/kvm.h, KVM_IRQCHIP_…). */
public enum Irqchip {
    /** The first 8259. */
    PIC_MASTER(KVM_IRQCHIP_PIC_MASTER),
    /** The second 8259. */
    PIC_SLAVE(KVM_IRQCHIP_PIC_SLAVE),
    /** The IOAPIC. */
    IOAPIC(KVM_IRQCHIP_IOAPIC);

    /** Bytes of a controller's state: the union in struct kvm_irqchip. */
    public static final int STATE_BYTES = 512;

    private final int number;

    Irqchip(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }
}
