package io.javisor.boot;

import io.javisor.boot.acpi.AcpiPlatform;
import io.javisor.boot.acpi.AcpiTables;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.acpi.AcpiNode;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import io.javisor.partition.topology.NumaDescription;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a Linux guest is started with. An immutable value: {@link #load} may be called any number of times, on any
 * thread, each time for the memory of another machine, or of the same one after a reset.
 *
 * <p>The kernel goes to its preferred address (16 MiB) or, if there is no room and it can be moved, to the lowest place that
 * has some; the initramfs goes as high as the kernel allows, ACPI tables and all else to the places of {@link BootAddresses}.
 * What is written is zeroed around first, so that nothing of an earlier run is taken for a table.
 */
public final class LinuxBoot {
    private static final long PAGE = 4096;
    private static final int MAX_SEED = 1024;

    private final KernelImage kernel;
    private final @Nullable Initrd initrd;
    private final byte[] commandLine;
    private final AddressSpacePlan plan;
    private final CpuTopology cpus;
    private final NumaDescription numa;
    private final AcpiPlatform platform;
    private final List<AcpiNode> devices;
    private final MachineIdentity identity;
    private final KnownTables tables;

    private LinuxBoot(Builder b, KernelImage kernel, AddressSpacePlan plan, CpuTopology cpus, AcpiPlatform platform) {
        this.kernel = kernel;
        this.initrd = b.initrd;
        this.commandLine = b.commandLine.getBytes(StandardCharsets.UTF_8);
        this.plan = plan;
        this.cpus = cpus;
        this.numa = b.numa;
        this.platform = platform;
        this.devices = List.copyOf(b.devices);
        this.identity = b.identity;
        this.tables = b.tables;
        if (b.commandLine.indexOf('\0') >= 0) {
            throw BootException.commandLine("command line contains a NUL");
        }
        if (commandLine.length > kernel.maxCommandLine()) {
            throw BootException.commandLine("command line has " + commandLine.length + " bytes, "
                    + kernel.source().name() + " takes " + kernel.maxCommandLine());
        }
    }

    /** A boot to be described. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Writes everything into guest memory.
     *
     * @param memory that of the plan, all of its boot memory present and zero, as it is from the host: pages that are not written
     *     are not touched here, so that they cost nothing
     * @param seed for the guest's random number generator (setup_data type SETUP_RNG_SEED, which kernels from 6.0 on use): fresh
     *     for every start, 32 bytes are enough; none if empty, at most 1 KiB
     * @throws BootException if a file can't be read or has changed, or something does not fit
     */
    public BootLayout load(GuestMemory memory, byte[] seed) {
        if (seed.length > MAX_SEED) {
            throw new IllegalArgumentException("seed of " + seed.length + " bytes: at most " + MAX_SEED);
        }
        var free = new FreeMemory(plan);
        AcpiTables acpi = render(BootAddresses.ACPI_TABLES);
        long acpiAt = BootAddresses.ACPI_TABLES;
        long reserved = 0;
        if (acpi.length() > BootAddresses.BIOS_TABLES - BootAddresses.ACPI_TABLES) {
            long length = (acpi.length() + PAGE - 1) & -PAGE;
            acpiAt = free.highest(length, PAGE, AddressSpacePlan.HOLE_START)
                    .orElseThrow(() -> BootException.memory(
                            "ACPI tables need " + length + " bytes below 3 GiB, and the memory has no such room"));
            free.take(acpiAt, length);
            reserved = length;
            acpi = render(acpiAt);
        }
        KernelPlace place = kernel.place(free);
        free.take(place.gpa(), place.length());
        long initrdAt = initrd == null || initrd.length() == 0 ? 0 : placeInitrd(free, initrd);

        List<E820Entry> map = E820Entry.map(plan, acpiAt, reserved);
        byte[] smbios = Smbios.structures(identity, plan);
        long bios = biosTables(smbios.length);
        long setupDataAt = BootAddresses.COMMAND_LINE + commandLine.length + 1 + 7 & -8;
        var zeroPage = new ZeroPage(kernel.setupHeader(), map, seed, bios + BootAddresses.RSDP, setupDataAt);
        if (initrd != null && initrdAt != 0) {
            initrd.writeTo(memory, initrdAt);
            zeroPage.initrd(initrdAt, initrd.length());
        }
        kernel.load(memory, place);
        memory.write(acpiAt, acpi.bytes());
        memory.write(bios + BootAddresses.RSDP, acpi.rsdp());
        memory.write(bios + BootAddresses.SMBIOS_STRUCTURES, smbios);
        memory.write(
                bios + BootAddresses.SMBIOS, Smbios.entryPoint(smbios.length, bios + BootAddresses.SMBIOS_STRUCTURES));
        memory.write(BootAddresses.RESET_VECTOR, resetCode());
        memory.write(BootAddresses.COMMAND_LINE, commandLine);
        memory.write(setupDataAt, zeroPage.setupData());
        memory.write(BootAddresses.ZERO_PAGE, zeroPage.page());
        PageTables.write(memory);
        return new BootLayout(
                BootEntry.at(place.entryPoint()),
                place.gpa(),
                place.length(),
                initrdAt == 0 ? OptionalLong.empty() : OptionalLong.of(initrdAt),
                acpiAt,
                acpi.length(),
                map);
    }

    private static long biosTables(int smbiosBytes) {
        for (long at : new long[] {BootAddresses.SHORT_BIOS_TABLES, BootAddresses.BIOS_TABLES}) {
            if (smbiosBytes <= BootAddresses.RESET_VECTOR - at - BootAddresses.SMBIOS_STRUCTURES) {
                return at;
            }
        }
        throw BootException.memory("SMBIOS structures of " + smbiosBytes + " bytes do not fit");
    }

    /**
     * What a BIOS would have at the reset vector. Linux with hardware-reduced ACPI and no EFI does not use the FADT's reset
     * register: it goes back to real mode and jumps here (arch/x86/kernel/reboot.c, BOOT_EFI falls to BOOT_BIOS).
     */
    private byte[] resetCode() {
        int port = platform.resetPort();
        return new byte[] {
            (byte) 0xBA,
            (byte) port,
            (byte) (port >> 8), // mov dx, port
            (byte) 0xB0,
            (byte) platform.resetValue(), // mov al, value
            (byte) 0xEE, // out dx, al
            (byte) 0xF4, // hlt
            (byte) 0xEB,
            (byte) 0xFD, // jmp back to the hlt
        };
    }

    private AcpiTables render(long gpa) {
        return tables.render(gpa, platform, cpus, numa, plan, devices);
    }

    private long placeInitrd(FreeMemory free, Initrd archive) {
        long length = archive.length();
        long limit = Math.min(kernel.maxInitrdAddress() + 1, AddressSpacePlan.HOLE_START);
        OptionalLong at = free.highest(length, PAGE, limit);
        if (at.isEmpty() && kernel.initrdAbove4G()) {
            at = free.highest(length, PAGE, Long.MAX_VALUE);
        }
        return at.orElseThrow(() -> BootException.memory(archive.name() + ": the initramfs needs " + length
                + " bytes in one piece"
                + (kernel.initrdAbove4G() ? "" : " below 0x" + Long.toHexString(limit))
                + ", and beside the kernel the memory has no such room"));
    }

    /** Describes a boot. One thread at a time. */
    public static final class Builder {
        private @Nullable KernelImage kernel;
        private @Nullable Initrd initrd;
        private String commandLine = "";
        private @Nullable AddressSpacePlan plan;
        private @Nullable CpuTopology cpus;
        private NumaDescription numa = NumaDescription.uniform(1);
        private @Nullable AcpiPlatform platform;
        private List<? extends AcpiNode> devices = List.of();
        private MachineIdentity identity = new MachineIdentity("javisor", new UUID(0, 0));
        private KnownTables tables = new KnownTables();

        private Builder() {}

        /** The kernel; required. */
        public Builder kernel(KernelImage image) {
            kernel = image;
            return this;
        }

        /** The initramfs; none unless told. */
        public Builder initrd(Initrd archive) {
            initrd = archive;
            return this;
        }

        /** The initramfs, if there is one. */
        public Builder initrd(Optional<Initrd> archive) {
            initrd = archive.orElse(null);
            return this;
        }

        /** The kernel's command line; empty unless told. Its UTF-8 form counts against the kernel's limit. */
        public Builder commandLine(String text) {
            commandLine = text;
            return this;
        }

        /** Where memory lies; required. */
        public Builder memory(AddressSpacePlan addressSpace) {
            plan = addressSpace;
            return this;
        }

        /** The vCPUs; required. */
        public Builder cpus(CpuTopology topology) {
            cpus = topology;
            return this;
        }

        /** How far nodes are apart; one node unless told. Nodes that have neither vCPUs nor memory count too. */
        public Builder numa(NumaDescription description) {
            numa = description;
            return this;
        }

        /** The registers that the ACPI tables name; required. */
        public Builder platform(AcpiPlatform registers) {
            platform = registers;
            return this;
        }

        /** What the ACPI namespace says of devices. */
        public Builder devices(List<? extends AcpiNode> nodes) {
            devices = nodes;
            return this;
        }

        /** Tables of other boots, which serve this one too if they are the same; its own unless told. */
        public Builder tables(KnownTables known) {
            tables = known;
            return this;
        }

        /** Name and UUID for SMBIOS. */
        public Builder identity(MachineIdentity value) {
            identity = value;
            return this;
        }

        /**
         * The value.
         *
         * @throws BootException if the command line is too long for the kernel or contains a NUL
         * @throws IllegalStateException if something required is missing
         */
        public LinuxBoot build() {
            if (kernel == null || plan == null || cpus == null || platform == null) {
                throw new IllegalStateException("kernel, memory, cpus and platform are required");
            }
            return new LinuxBoot(this, kernel, plan, cpus, platform);
        }
    }
}
