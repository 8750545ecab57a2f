package io.javisor.api;

import io.javisor.boot.BootEntry;
import io.javisor.boot.Initrd;
import io.javisor.boot.KernelImage;
import io.javisor.boot.KnownTables;
import io.javisor.boot.LinuxBoot;
import io.javisor.boot.MachineIdentity;
import io.javisor.boot.acpi.AcpiPlatform;
import io.javisor.devices.LegacyPorts;
import io.javisor.kvm.partition.KvmPartition;
import io.javisor.kvm.partition.LongModeEntry;
import io.javisor.kvm.partition.PartitionConfig;
import io.javisor.partition.acpi.AcpiNode;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The files that a machine boots from, read and checked once, for any number of power-ons. Safe from any thread. */
final class BootInputs {
    private static final int SEED_BYTES = 32;

    private final MachineSpec spec;
    private final ProcessorModel processors;
    private final MachineIdentity identity;
    private final KnownTables tables; // of all machines that share these inputs
    private @Nullable Files files; // guarded by this; of a restored machine, only if it is reset

    private record Files(KernelImage kernel, Optional<Initrd> initrd) {}

    private BootInputs(MachineSpec spec, ProcessorModel processors, UUID uuid, KnownTables tables) {
        this.spec = spec;
        this.processors = processors;
        this.tables = tables;
        this.identity = new MachineIdentity(printable(spec.name()), uuid);
    }

    static BootInputs prepare(MachineSpec spec) {
        var inputs = new BootInputs(
                spec, ProcessorModel.onThisHost(spec.numa(), spec.cpu()), UUID.randomUUID(), new KnownTables());
        inputs.files();
        return inputs;
    }

    /** Those of a machine that was saved when it had booted already: its files are looked for when it boots again. */
    static BootInputs restored(MachineSpec spec, ProcessorModel processors, UUID uuid) {
        return new BootInputs(spec, processors, uuid, new KnownTables());
    }

    /** Those of another machine that differs in its name only: what has been read and built is shared. */
    BootInputs forAnother(MachineSpec named) {
        var inputs = new BootInputs(named, processors, UUID.randomUUID(), tables);
        synchronized (inputs) {
            inputs.files = files();
        }
        return inputs;
    }

    private synchronized Files files() {
        Files known = files;
        if (known == null) {
            GuestFiles found = GuestFiles.of(spec.linux());
            known = new Files(found.kernel(), found.initrd().map(Initrd::file));
            files = known;
        }
        return known;
    }

    /** Who the machine is. */
    UUID uuid() {
        return identity.uuid();
    }

    /** Where its processors sit. */
    CpuTopology topology() {
        return processors.topology();
    }

    /** Width of its guest-physical addresses. */
    int addressBits() {
        return processors.addressBits();
    }

    /** What the partition is made of. */
    PartitionConfig partition() {
        return processors.partition(spec.name());
    }

    /** Writes the guest into memory and sets the boot vCPU to its entry point. */
    void load(AddressSpacePlan plan, KvmPartition partition, List<AcpiNode> devices) {
        Files from = files();
        byte[] seed = new byte[SEED_BYTES];
        new SecureRandom().nextBytes(seed);
        BootEntry entry = LinuxBoot.builder()
                .kernel(from.kernel())
                .initrd(from.initrd())
                .commandLine(spec.bootCommandLine())
                .memory(plan)
                .cpus(processors.topology())
                .numa(spec.numa().description())
                .platform(new AcpiPlatform(
                        LegacyPorts.ACPI_SLEEP_CONTROL,
                        LegacyPorts.ACPI_SLEEP_STATUS,
                        LegacyPorts.ACPI_RESET,
                        LegacyPorts.ACPI_RESET_VALUE,
                        LegacyPorts.ACPI_SLEEP_TYPE_S5,
                        LegacyPorts.CMOS_CENTURY))
                .devices(devices)
                .identity(identity)
                .tables(tables)
                .build()
                .load(partition.memory(), seed)
                .entry();
        partition.setEntry(new LongModeEntry(
                entry.rip(),
                entry.rsi(),
                entry.rsp(),
                entry.cr3(),
                entry.gdtBase(),
                entry.gdtLimit(),
                entry.codeSelector(),
                entry.dataSelector()));
    }

    /** What SMBIOS can hold of a name. */
    private static String printable(String name) {
        String text = name.replaceAll("[^\\x20-\\x7E]", "?");
        return text.length() > 64 ? text.substring(0, 64) : text;
    }
}
