package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_IOAPIC_NUM_PINS;
import static io.javisor.kvm.abi.Constants.KVM_IRQFD_FLAG_DEASSIGN;
import static io.javisor.kvm.abi.Constants.KVM_IRQFD_FLAG_RESAMPLE;
import static io.javisor.kvm.abi.Constants.KVM_IRQ_ROUTING_HV_SINT;
import static io.javisor.kvm.abi.Constants.KVM_IRQ_ROUTING_IRQCHIP;
import static io.javisor.kvm.abi.Constants.KVM_IRQ_ROUTING_MSI;
import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.IrqAbi;
import io.javisor.linux.CallState;
import io.javisor.linux.Descriptor;
import io.javisor.linux.EventFd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A VM's interrupt controllers, lines, routes and messages; safe from any thread. */
public final class VmInterrupts {
    private static final long IRQ = offset(IrqAbi.LEVEL, "irq");
    private static final long LEVEL = offset(IrqAbi.LEVEL, "level");
    private static final long ENTRY = IrqAbi.ROUTE.byteSize();
    private static final long ENTRIES = IrqAbi.ROUTING.byteSize();

    private final KvmDescriptor fd;

    VmInterrupts(KvmDescriptor fd) {
        this.fd = fd;
    }

    /** Makes two PICs, an IOAPIC and a local APIC per vCPU in the kernel; before vCPUs (KVM_CREATE_IRQCHIP). */
    public void createIrqchip() {
        fd.call(Ioctl.KVM_CREATE_IRQCHIP, 0);
    }

    /**
     * Makes only the local APICs in the kernel; before vCPUs (KVM_CAP_SPLIT_IRQCHIP).
     *
     * @param pins how many GSIs are kept for the IOAPIC outside the kernel: the guest's EOIs of their routes become
     *     {@link Exit.IoapicEoi}
     */
    public void createSplitIrqchip(int pins) {
        KvmVm.enable(fd, Capability.SPLIT_IRQCHIP, pins);
    }

    /** Makes a PIT in the kernel; after the irqchip (KVM_CREATE_PIT2). */
    public void createPit() {
        try (Arena arena = Arena.ofConfined()) {
            fd.call(Ioctl.KVM_CREATE_PIT2, arena.allocate(IrqAbi.PIT_CONFIG));
        }
    }

    /** The PIT's state, opaque: struct kvm_pit_state2. */
    public byte[] pit() {
        return Groups.get(fd, Ioctl.KVM_GET_PIT2, IrqAbi.PIT_STATE2.byteSize());
    }

    /** Restores the PIT's state. */
    public void setPit(byte[] state) {
        Groups.set(fd, Ioctl.KVM_SET_PIT2, state, IrqAbi.PIT_STATE2.byteSize());
    }

    /** A controller's state, opaque: 512 bytes of struct kvm_irqchip. */
    public byte[] chip(Irqchip chip) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(IrqAbi.IRQCHIP);
            struct.set(JAVA_INT, 0, chip.number());
            fd.call(Ioctl.KVM_GET_IRQCHIP, struct, chip.name());
            return struct.asSlice(offset(IrqAbi.IRQCHIP, "chip"), Irqchip.STATE_BYTES)
                    .toArray(JAVA_BYTE);
        }
    }

    /** Restores a controller's state. */
    public void setChip(Irqchip chip, byte[] state) {
        if (state.length != Irqchip.STATE_BYTES) {
            throw new IllegalArgumentException(
                    chip + ": " + state.length + " bytes of state, not " + Irqchip.STATE_BYTES);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(IrqAbi.IRQCHIP);
            struct.set(JAVA_INT, 0, chip.number());
            MemorySegment.copy(state, 0, struct, JAVA_BYTE, offset(IrqAbi.IRQCHIP, "chip"), Irqchip.STATE_BYTES);
            fd.call(Ioctl.KVM_SET_IRQCHIP, struct, chip.name());
        }
    }

    /**
     * Replaces all routes (KVM_SET_GSI_ROUTING). A full irqchip starts with the PICs' and the IOAPIC's pins, which this
     * replaces too: {@link #ioapicRoutes} has them to add to. Routes to synthetic interrupts only work if the vCPU's SynIC was
     * enabled before.
     */
    public void setRoutes(List<GsiRoute> routes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(ENTRIES + routes.size() * ENTRY, 8);
            struct.set(JAVA_INT, 0, routes.size());
            for (int i = 0; i < routes.size(); i++) {
                put(struct.asSlice(ENTRIES + i * ENTRY, ENTRY), routes.get(i));
            }
            fd.call(Ioctl.KVM_SET_GSI_ROUTING, struct, routes.size() + " routes");
        }
    }

    private static void put(MemorySegment entry, GsiRoute route) {
        long u = offset(IrqAbi.ROUTE, "u");
        entry.set(JAVA_INT, offset(IrqAbi.ROUTE, "gsi"), route.gsi());
        long type = offset(IrqAbi.ROUTE, "type");
        switch (route) {
            case GsiRoute.ToChip r -> {
                entry.set(JAVA_INT, type, KVM_IRQ_ROUTING_IRQCHIP);
                entry.set(
                        JAVA_INT,
                        u + offset(IrqAbi.ROUTE_IRQCHIP, "irqchip"),
                        r.chip().number());
                entry.set(JAVA_INT, u + offset(IrqAbi.ROUTE_IRQCHIP, "pin"), r.pin());
            }
            case GsiRoute.ToMsi r -> {
                entry.set(JAVA_INT, type, KVM_IRQ_ROUTING_MSI);
                entry.set(JAVA_INT, u + offset(IrqAbi.ROUTE_MSI, "address_lo"), (int) r.address());
                entry.set(JAVA_INT, u + offset(IrqAbi.ROUTE_MSI, "address_hi"), (int) (r.address() >>> 32));
                entry.set(JAVA_INT, u + offset(IrqAbi.ROUTE_MSI, "data"), r.data());
            }
            case GsiRoute.ToHypervSint r -> {
                entry.set(JAVA_INT, type, KVM_IRQ_ROUTING_HV_SINT);
                entry.set(JAVA_INT, u + offset(IrqAbi.ROUTE_HV_SINT, "vcpu"), r.vcpu());
                entry.set(JAVA_INT, u + offset(IrqAbi.ROUTE_HV_SINT, "sint"), r.sint());
            }
        }
    }

    /** The IOAPIC's 24 pins as GSIs 0 to 23. */
    public static List<GsiRoute> ioapicRoutes() {
        List<GsiRoute> routes = new ArrayList<>();
        for (int pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++) {
            routes.add(new GsiRoute.ToChip(pin, Irqchip.IOAPIC, pin));
        }
        return routes;
    }

    /**
     * Sets the level of a line (KVM_IRQ_LINE). Allocates nothing.
     *
     * @param gsi the line
     * @param high asserted or not; an edge-triggered interrupt is high, then low
     */
    public void setLine(int gsi, boolean high) {
        MemorySegment struct = CallState.current().scratch();
        struct.set(JAVA_INT, IRQ, gsi);
        struct.set(JAVA_INT, LEVEL, high ? 1 : 0);
        fd.call(Ioctl.KVM_IRQ_LINE, struct, "interrupt line");
    }

    /**
     * Sends a message-signalled interrupt (KVM_SIGNAL_MSI). Allocates nothing.
     *
     * @return whether a local APIC took it
     */
    public boolean signalMsi(long address, int data) {
        MemorySegment struct = CallState.current().scratch().asSlice(0, IrqAbi.MSI.byteSize());
        struct.fill((byte) 0);
        struct.set(JAVA_INT, 0, (int) address);
        struct.set(JAVA_INT, 4, (int) (address >>> 32));
        struct.set(JAVA_INT, 8, data);
        return fd.call(Ioctl.KVM_SIGNAL_MSI, struct, "message-signalled interrupt") > 0;
    }

    /** Makes each signal of an event an edge on a line, inside the kernel (KVM_IRQFD). */
    public void attach(EventFd trigger, int gsi) {
        irqfd(trigger.descriptor(), gsi, 0, null);
    }

    /**
     * Makes an event the level of a line: signalling asserts it; when the guest ends the interrupt the kernel deasserts it and
     * signals {@code resample}, so that whoever still needs it can assert again.
     */
    public void attach(EventFd trigger, EventFd resample, int gsi) {
        irqfd(trigger.descriptor(), gsi, KVM_IRQFD_FLAG_RESAMPLE, resample.descriptor());
    }

    /** Undoes {@link #attach}. */
    public void detach(EventFd trigger, int gsi) {
        irqfd(trigger.descriptor(), gsi, KVM_IRQFD_FLAG_DEASSIGN, null);
    }

    private void irqfd(Descriptor trigger, int gsi, int flags, @Nullable Descriptor resample) {
        int event = trigger.acquire();
        try {
            int second = resample == null ? 0 : resample.acquire();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment struct = arena.allocate(IrqAbi.IRQFD);
                struct.set(JAVA_INT, offset(IrqAbi.IRQFD, "fd"), event);
                struct.set(JAVA_INT, offset(IrqAbi.IRQFD, "gsi"), gsi);
                struct.set(JAVA_INT, offset(IrqAbi.IRQFD, "flags"), flags);
                struct.set(JAVA_INT, offset(IrqAbi.IRQFD, "resamplefd"), second);
                fd.call(Ioctl.KVM_IRQFD, struct, "GSI " + gsi + ", flags " + flags);
            } finally {
                if (resample != null) {
                    resample.release();
                }
            }
        } finally {
            trigger.release();
        }
    }
}
