package io.javisor.api;

import io.javisor.boot.BootEntry;
import io.javisor.boot.Initrd;
import io.javisor.boot.KernelImage;
import io.javisor.boot.LinuxBoot;
import io.javisor.boot.MachineIdentity;
import io.javisor.boot.acpi.AcpiPlatform;
import io.javisor.devices.LegacyPorts;
import io.javisor.kvm.partition.KvmPartition;
import io.javisor.kvm.partition.LongModeEntry;
import io.javisor.kvm.partition.PartitionConfig;
import io.javisor.partition.acpi.AcpiNode;
import io.javisor.partition.topology.AddressSpacePlan;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The files that a machine boots from, read and checked once, for any number of power-ons. */
final class BootInputs {
    private static final int SEED_BYTES = 32;

    private final MachineSpec spec;
    private final ProcessorModel processors;
    private final KernelImage kernel;
    private final Optional<Initrd> initrd;
    private final MachineIdentity identity;

    private BootInputs(MachineSpec spec, ProcessorModel processors, KernelImage kernel, Optional<Initrd> initrd) {
        this.spec = spec;
        this.processors = processors;
        this.kernel = kernel;
        this.initrd = initrd;
        this.identity = new MachineIdentity(printable(spec.name()), UUID.randomUUID());
    }

    static BootInputs prepare(MachineSpec spec) {
        GuestFiles files = GuestFiles.of(spec.linux());
        return new BootInputs(
                spec,
                ProcessorModel.onThisHost(spec.numa()),
                files.kernel(),
                files.initrd().map(Initrd::file));
    }

    /** What the partition is made of. */
    PartitionConfig partition() {
        return processors.partition(spec.name());
    }

    /** Writes the guest into memory and sets the boot vCPU to its entry point. */
    void load(AddressSpacePlan plan, KvmPartition partition, List<AcpiNode> devices) {
        byte[] seed = new byte[SEED_BYTES];
        new SecureRandom().nextBytes(seed);
        BootEntry entry = LinuxBoot.builder()
                .kernel(kernel)
                .initrd(initrd)
                .commandLine(spec.linux().commandLine())
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
