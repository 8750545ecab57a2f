package io.javisor.examples;

import io.javisor.api.CpuSpec;
import io.javisor.api.DriveSpec;
import io.javisor.api.FibreChannelSpec;
import io.javisor.api.LinuxSpec;
import io.javisor.api.MachineBuilder;
import io.javisor.api.MachineSpec;
import io.javisor.api.MemorySize;
import io.javisor.api.NetworkSpec;
import io.javisor.api.SavedState;
import io.javisor.api.VirtualMachine;
import io.javisor.memory.DynamicMemory;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.storage.disk.DiskException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The options that describe a machine. */
final class MachineOptions {
    /** What boots when no kernel is given: small, quick, with all Hyper-V drivers. */
    static final String DEFAULT_KERNEL = "6.12-cloud";

    @Option(
            names = "--kernel",
            paramLabel = "FILE",
            description = "A bzImage or ELF vmlinux. Default: a stock Debian kernel (" + DEFAULT_KERNEL
                    + "), fetched into a cache folder at first use.")
    private @Nullable Path kernel;

    @Option(
            names = "--debian",
            paramLabel = "RELEASE",
            description = "Another stock Debian kernel: 6.1, 6.1-cloud, 6.12, 6.12-cloud, or a package's name.")
    private @Nullable String debian;

    @Option(
            names = "--initrd",
            paramLabel = "FILE",
            description = "The initial RAM disk. Default: busybox and the kernel's Hyper-V modules.")
    private @Nullable Path initrd;

    @Option(
            names = "--modules",
            paramLabel = "NAME[,NAME...]",
            split = ",",
            description = "More kernel modules for the built initial RAM disk to load, as ext4.")
    private List<String> modules = List.of();

    @Option(
            names = "--append",
            paramLabel = "TEXT",
            description = "Added to the kernel's command line, which begins with: " + LinuxSpec.DEFAULT_COMMAND_LINE)
    private @Nullable String append;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Memory, as 512M or 2G (default: 512M).")
    private @Nullable Long memory;

    @Option(
            names = "--memory-min",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Dynamic memory: what is left to the machine in any case (default: --memory).")
    private @Nullable Long memoryMinimum;

    @Option(
            names = "--memory-max",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Dynamic memory: what the machine may grow to (default: --memory).")
    private @Nullable Long memoryMaximum;

    @Option(
            names = "--memory-buffer",
            paramLabel = "PERCENT",
            description = "Dynamic memory: what the machine has besides its demand, 5 to 2000 (default: 20).")
    private @Nullable Integer memoryBuffer;

    @Option(
            names = "--memory-weight",
            paramLabel = "N",
            description = "Dynamic memory: what it gets when the host is short, 0 to 10000 (default: 5000).")
    private @Nullable Integer memoryWeight;

    @Option(names = "--vcpus", paramLabel = "N", description = "Virtual processors (default: 1).")
    private @Nullable Integer vcpus;

    @Option(
            names = "--cpu",
            paramLabel = "MODEL[,nested][,pmu][,cold-pages]",
            converter = CpuConverter.class,
            description = {
                "What processors the guest sees: host (all that this one has), x86-64-v2, x86-64-v3, x86-64-v4.",
                "nested: with virtualization; pmu: with performance counters; cold-pages: hands free memory back without a balloon,"
                        + " if it has dynamic memory (default: host, without these)."
            })
    private @Nullable CpuSpec cpu;

    @Option(
            names = "--numa",
            paramLabel = "vcpus=N,memory=SIZE[,host-node=N][,policy=bind|preferred|interleave][,hugepages=SIZE]",
            description =
                    "A virtual NUMA node; repeat it for more. Between them the nodes have all processors and memory.")
    private List<String> numa = List.of();

    @Option(
            names = "--numa-distance",
            paramLabel = "FROM:TO=N",
            description =
                    "How far two nodes are apart, 11 to 254 (default: 20); the way back is the same unless given.")
    private List<String> distances = List.of();

    @CommandLine.Mixin
    private final NumaOptions shape = new NumaOptions();

    @Option(
            names = "--disk",
            paramLabel = DriveArgument.SYNTAX,
            description = {
                "A disk: a raw image, a block device, or a VHD or VHDX by its name; repeat it for more.",
                "overlay: what the guest writes is gone when the machine ends. iops counts in 8 KiB.",
                "iops-min: warns when the host does less."
            })
    private List<String> disks = List.of();

    @Option(names = "--dvd", paramLabel = "FILE", description = "A DVD drive with an ISO image in it.")
    private List<Path> dvds = List.of();

    @Option(
            names = "--net",
            paramLabel = NetArgument.SYNTAX,
            description = {
                "A network adapter; repeat it for more. user: a network of its own behind this process's sockets, with DHCP;",
                "host: its gateway's address, 10.0.2.2, stands for the host's loopback.",
                "tap: a TAP interface of the host. macvtap: one on the network of another interface, made there with link",
                "(modes: bridge, private, vepa, passthru). packet: the network of an interface, without the host itself.",
                "switch: a switch in this process."
            })
    private List<String> nets = List.of();

    @Option(
            names = "--fc",
            paramLabel = FcArgument.SYNTAX,
            description = {
                "A Fibre Channel adapter at a SAN of the machine's own, up to 4; repeat it for more. What is not given of names",
                "comes from this host's range. Adapters that name one SAN share its disks; paths: target ports to find there.",
                "npiv: a virtual port at an adapter of this host's own, as host3 (javisor san list); a host without it runs this",
                "in the lab, whose adapter is host0, at a fabric with a disk of 64 MiB."
            })
    private List<String> fibreChannels = List.of();

    @Option(names = "--name", paramLabel = "NAME", defaultValue = "javisor", description = "The machine's name.")
    private String name = "javisor";

    private @Nullable SavedState saved;
    private @Nullable Path savesTo;
    private Map<String, VirtualSwitch> switches = new HashMap<>();

    /** Reads sizes as the API does. */
    static final class SizeConverter implements CommandLine.ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            try {
                return MemorySize.parse(text);
            } catch (IllegalArgumentException e) {
                throw new CommandLine.TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }

    /** Reads processors as the API does. */
    static final class CpuConverter implements CommandLine.ITypeConverter<CpuSpec> {
        @Override
        public CpuSpec convert(String text) {
            try {
                return CpuSpec.parse(text);
            } catch (IllegalArgumentException e) {
                throw new CommandLine.TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }

    /** Looks at what can be seen before anything is started. */
    void check(CommandLine line) {
        if (kernel != null && debian != null) {
            throw new CommandLine.ParameterException(line, "--kernel and --debian exclude each other");
        }
        shape.check(line, !numa.isEmpty() || !distances.isEmpty());
        for (Path file : new Path[] {kernel, initrd}) {
            requireReadable(line, file, true);
        }
        dvds.forEach(file -> requireReadable(line, file, false));
        try {
            disks.forEach(
                    disk -> requireReadable(line, DriveArgument.parse(disk).file(), false));
            nets.forEach(NetArgument::parse);
            for (String adapter : fibreChannels) {
                FcArgument.parse(adapter).spec().images().forEach(drive -> requireReadable(line, drive.path(), false));
            }
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(line, String.valueOf(e.getMessage()), e);
        }
    }

    private static void requireReadable(CommandLine line, @Nullable Path file, boolean regular) {
        if (file == null) {
            return;
        }
        boolean fits = regular ? Files.isRegularFile(file) : !Files.isDirectory(file);
        if (!Files.isReadable(file) || !fits) {
            String reason = !Files.exists(file) ? "no such file" : fits ? "permission denied" : "not a file";
            throw new CommandLine.ParameterException(line, "can't read " + file + ": " + reason);
        }
    }

    MachineBuilder builder() {
        MachineBuilder builder = VirtualMachine.builder(name);
        if (memory != null) {
            builder.memory(memory);
        }
        if (vcpus != null) {
            builder.vcpus(vcpus);
        }
        if (cpu != null) {
            builder.cpu(cpu);
        }
        shape.apply(builder, numa, distances, vcpus, memory);
        disks.forEach(disk -> DriveArgument.parse(disk).addTo(builder));
        dvds.forEach(builder::dvd);
        nets.forEach(net -> builder.network(
                NetArgument.parse(net).spec(name -> switches.computeIfAbsent(name, VirtualSwitch::new))));
        fibreChannels.forEach(adapter -> FcArgument.parse(adapter).addTo(builder));
        if (isDynamic()) {
            builder.dynamicMemory(this::limits);
        }
        return builder.linux(l -> {
            if (kernel != null) {
                l.kernel(kernel);
            } else {
                l.debian(debian == null ? DEFAULT_KERNEL : debian);
            }
            if (initrd != null) {
                l.initrd(initrd);
            } else {
                l.busybox();
            }
            l.modules(modules.toArray(String[]::new));
            if (append != null) {
                l.append(append);
            }
        });
    }

    /** Takes the machine from a saved state, whatever the options say. */
    void restore(SavedState state) {
        saved = state;
    }

    /** The saved state that the machine is taken from. */
    SavedState saved() {
        return Objects.requireNonNull(saved);
    }

    /** The same, on switches of the names that its own had. */
    SavedState savedOnSwitches() {
        SavedState state = saved();
        for (NetworkSpec network : state.spec().networks()) {
            if (network.attachment() instanceof NetworkSpec.Attachment.SavedSwitch(var on)) {
                switches.computeIfAbsent(on, VirtualSwitch::new);
            }
        }
        return state.on(switches.values().toArray(VirtualSwitch[]::new));
    }

    /** Says where the machine will be saved. */
    void saveTo(Path folder) {
        savesTo = folder;
    }

    /** What the machine is. */
    MachineSpec spec() {
        return saved == null ? builder().spec() : saved.spec();
    }

    /** The machine's name, as given or by default. */
    String name() {
        return name;
    }

    /** The same with dynamic memory, also where nothing was said of it. */
    MachineBuilder growing() {
        MachineBuilder builder = builder();
        long boot = builder.spec().memory();
        return isDynamic()
                ? builder
                : builder.dynamicMemory(limits ->
                        limits.minimum((boot / 2) & -DynamicMemory.GRANULE).maximum(2 * boot));
    }

    private boolean isDynamic() {
        return memoryMinimum != null || memoryMaximum != null || memoryBuffer != null || memoryWeight != null;
    }

    private void limits(DynamicMemory.Builder limits) {
        if (memoryMinimum != null) {
            limits.minimum(memoryMinimum);
        }
        if (memoryMaximum != null) {
            limits.maximum(memoryMaximum);
        }
        if (memoryBuffer != null) {
            limits.buffer(memoryBuffer);
        }
        if (memoryWeight != null) {
            limits.weight(memoryWeight);
        }
    }

    /** Memory that the machine may come to use, in bytes. */
    long memory() {
        MachineSpec described = spec();
        return described.dynamicMemory().map(DynamicMemory::maximum).orElse(described.memory());
    }

    /** The host's own Fibre Channel adapters that it has virtual ports at. */
    Set<String> fibreChannelHosts() {
        var hosts = new TreeSet<String>();
        for (FibreChannelSpec adapter : spec().fibreChannels()) {
            if (adapter.attachment() instanceof FibreChannelSpec.Attachment.Npiv(var host)) {
                hosts.add(host);
            }
        }
        return hosts;
    }

    /** Whether it needs KVM's Hyper-V enlightenments. */
    boolean needsHyperV() {
        return spec().needsHyperV();
    }

    /**
     * The folders of the files that the guest writes, for the lab, to which they have to be given.
     *
     * @throws DiskException if a disk can't be reached from the lab
     */
    Set<Path> writtenFolders() {
        var folders = new TreeSet<Path>();
        if (savesTo != null) {
            folders.add(Objects.requireNonNullElse(
                    savesTo.toAbsolutePath().normalize().getParent(), savesTo));
        }
        for (DriveSpec drive : spec().images()) {
            Path file = drive.path();
            if (file != null) {
                Path folder = folderOf(file);
                if (drive.writesFile()) {
                    folders.add(folder);
                }
            }
        }
        return folders;
    }

    /** Takes the locks of the files, which the lab can't. */
    HeldDisks holdDisks() {
        return new HeldDisks(spec().images());
    }

    /** Uses these switches, by their names, instead of its own. */
    void switches(Map<String, VirtualSwitch> shared) {
        switches = shared;
    }

    /** Names it, whatever the options say. */
    void name(String own) {
        name = own;
    }

    private static Path folderOf(Path file) {
        try {
            Path real = file.toRealPath();
            Path folder = real.getParent();
            if (folder == null || folder.equals(folder.getRoot()) || !Files.isRegularFile(real)) {
                throw new DiskException(
                        DiskException.Kind.UNSUPPORTED,
                        file + " can't be reached from the lab, which sees files in folders and no devices",
                        "name a file that is not in / itself, or run on a host that needs no lab");
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where memory and vCPUs are to lie on the host, as far as it was asked for. */
    NumaOptions shape() {
        return shape;
    }

    int vcpus() {
        return spec().vcpus();
    }

    /** Which kernel, for people. */
    String kernelText() {
        return kernel != null ? kernel.toString() : "Debian's " + (debian == null ? DEFAULT_KERNEL : debian);
    }
}
