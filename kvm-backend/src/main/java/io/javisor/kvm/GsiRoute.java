package io.javisor.kvm;

/** Where an interrupt line of the VM (GSI) leads: struct kvm_irq_routing_entry. */
public sealed interface GsiRoute {
    /** The line, below KVM_CAP_IRQ_ROUTING's value. */
    int gsi();

    /**
     * To a pin of an in-kernel interrupt controller.
     *
     * @param gsi the line
     * @param chip which
     * @param pin its pin: 0 to 7 of a PIC, 0 to 23 of the IOAPIC
     */
    record ToChip(int gsi, Irqchip chip, int pin) implements GsiRoute {}

    /**
     * To local APICs, as a message-signalled interrupt.
     *
     * @param gsi the line
     * @param address of the message: 0xFEE00000 with the destination in bits 19–12
     * @param data of the message: the vector in bits 7–0
     */
    record ToMsi(int gsi, long address, int data) implements GsiRoute {}

    /**
     * To a synthetic interrupt of one vCPU (TLFS, synthetic interrupt controller).
     *
     * @param gsi the line
     * @param vcpu the vCPU's VP index
     * @param sint the synthetic interrupt, 0 to 15
     */
    record ToHypervSint(int gsi, int vcpu, int sint) implements GsiRoute {}
}
