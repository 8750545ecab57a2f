package io.javisor.api;

import io.javisor.memory.MemoryPool;

/**
 * A description from which many machines are made quickly: the kernel is found, read and checked once, the initial RAM disk found or
 * built once, the host's processors looked at once, and the ACPI tables built once. Each machine has a name, an SMBIOS UUID, a VM
 * generation ID and a seed of its own, boots by itself, and is no other than one of {@link VirtualMachine#create}; machines that go on
 * where another was are clones of a {@link SavedState}. Holds nothing that must be closed. Safe from any thread.
 *
 * {@snippet :
 * MachineTemplate workers = VirtualMachine.template(spec);
 * try (VirtualMachine one = workers.create("worker-1"); VirtualMachine two = workers.create("worker-2")) {
 *     one.start();
 *     two.start();
 * }
 * }
 */
public final class MachineTemplate {
    private final MachineSpec spec;
    private final BootInputs inputs;

    private MachineTemplate(MachineSpec spec, BootInputs inputs) {
        this.spec = spec;
        this.inputs = inputs;
    }

    static MachineTemplate of(MachineSpec spec) {
        return new MachineTemplate(spec, BootInputs.prepare(spec));
    }

    /** What its machines are, but for their names. */
    public MachineSpec spec() {
        return spec;
    }

    /**
     * Creates a machine: reserves memory, asks KVM. The kernel's file must still be the one that was read, which is looked at again
     * when the machine starts.
     *
     * @param name of the machine, 1 to 100 characters
     * @throws io.javisor.partition.HypervisorException if the host can't
     */
    public VirtualMachine create(String name) {
        return create(name, HostPool.shared());
    }

    /**
     * Creates a machine that shares a pool of memory with others, if it has dynamic memory.
     *
     * @param name of the machine, 1 to 100 characters
     * @throws io.javisor.partition.HypervisorException if the host can't
     */
    public VirtualMachine create(String name, MemoryPool pool) {
        if (name.isBlank() || name.length() > 100) {
            throw new IllegalArgumentException("a machine's name has 1 to 100 characters, and not only blanks");
        }
        MachineSpec named = spec.withName(name);
        return VirtualMachine.of(Machine.create(named, inputs.forAnother(named), pool));
    }

    @Override
    public String toString() {
        return "MachineTemplate[" + spec.name() + "]";
    }
}
