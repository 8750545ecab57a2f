package io.javisor.kvm;

/** The in-kernel interrupt controllers that are not part of a vCPU (asm/kvm.h, KVM_IRQCHIP_…). */
public enum Irqchip {
    /** The first 8259. */
    PIC_MASTER(0),
    /** The second 8259. */
    PIC_SLAVE(1),
    /** The IOAPIC. */
    IOAPIC(2);

    private final int number;

    Irqchip(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }
}
