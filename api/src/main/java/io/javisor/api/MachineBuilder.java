package io.javisor.api;

import io.javisor.kvm.partition.CpuModel;
import io.javisor.kvm.partition.CpuOption;
import io.javisor.memory.DynamicMemory;
import io.javisor.memory.MemoryPool;
import io.javisor.networking.netvsp.NetworkAdapter;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.NumaTopologyBuilder;
import io.javisor.numa.TopologyException;
import io.javisor.storage.storvsp.FibreChannelAdapter;
import io.javisor.storage.storvsp.ScsiController;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Collects what a machine shall be. Not safe for several threads. */
public final class MachineBuilder {
    private static final long DEFAULT_MEMORY = MemorySize.mib(512);

    private final String name;
    private @Nullable Integer vcpus;
    private @Nullable Long memory;
    private long hugePageSize;
    private @Nullable Consumer<NumaTopologyBuilder> numa;
    private @Nullable NumaTopology topology;
    private @Nullable Consumer<DynamicMemory.Builder> dynamicMemory;
    private @Nullable MemoryPool pool;
    private @Nullable Consumer<LinuxSpec.Builder> linux;
    private CpuSpec cpu = CpuSpec.HOST;
    private ResetAction onReset = ResetAction.RESTART;
    private final List<DriveSpec.Builder> drives = new ArrayList<>();
    private final List<NetworkSpec> networks = new ArrayList<>();
    private final List<FibreChannelSpec.Builder> fibreChannels = new ArrayList<>();

    MachineBuilder(String name) {
        this.name = name;
    }

    /** Sets the number of virtual processors, 1 to {@link NumaTopology#MAX_VCPUS}; 1 unless said otherwise. */
    public MachineBuilder vcpus(int count) {
        vcpus = count;
        return this;
    }

    /**
     * Sets what processors the guest sees; all features of the host's unless said otherwise. A baseline lets a saved machine go
     * on where processors have fewer features, or others.
     */
    public MachineBuilder cpu(CpuModel model, CpuOption... options) {
        return cpu(new CpuSpec(model, Set.of(options)));
    }

    /** Sets what processors the guest sees, as {@link CpuSpec#parse} reads it. */
    public MachineBuilder cpu(CpuSpec processors) {
        cpu = processors;
        return this;
    }

    /** Sets the boot memory in bytes, a multiple of 2 MiB; 512 MiB unless said otherwise. See {@link MemorySize}. */
    public MachineBuilder memory(long bytes) {
        memory = bytes;
        return this;
    }

    /**
     * Backs the memory by hugetlb pages, which the host must have reserved; of NUMA nodes, of those that say nothing of it.
     *
     * @param size bytes of a page: 2 MiB or 1 GiB; 0 (the default) for ordinary memory
     */
    public MachineBuilder hugePages(long size) {
        hugePageSize = size;
        return this;
    }

    /** Describes virtual NUMA nodes, which between them have all processors and memory. */
    public MachineBuilder numa(Consumer<NumaTopologyBuilder> nodes) {
        numa = nodes;
        topology = null;
        return this;
    }

    /** Takes a topology that was made elsewhere, as by mirroring the host's. */
    public MachineBuilder numa(NumaTopology nodes) {
        topology = nodes;
        numa = null;
        return this;
    }

    /**
     * Lets the machine's memory follow its need while it runs: the boot memory is what it starts with. The guest's command line
     * gets what its driver needs for it, unless it says otherwise: {@code memhp_default_state=online} and
     * {@code hv_balloon.pressure_report_delay=0}.
     */
    public MachineBuilder dynamicMemory(Consumer<DynamicMemory.Builder> limits) {
        dynamicMemory = limits;
        return this;
    }

    /** Shares this pool's memory with other machines of dynamic memory, instead of all of the host's. */
    public MachineBuilder memoryPool(MemoryPool shared) {
        pool = shared;
        return this;
    }

    /** Says what Linux guest boots. */
    public MachineBuilder linux(Consumer<LinuxSpec.Builder> spec) {
        linux = spec;
        return this;
    }

    /** Sets what a guest's reset does; the machine restarts unless said otherwise. */
    public MachineBuilder onReset(ResetAction action) {
        onReset = action;
        return this;
    }

    /**
     * Adds a disk: a raw image or block device, or a VHD or VHDX by its name. The first is {@code sda} in Linux, as a rule. A
     * built initial RAM disk loads the drivers for it.
     */
    public MachineBuilder disk(Path image) {
        return disk(image, d -> {});
    }

    /** Adds a disk, and says how it is opened and what the guest may ask of it. */
    public MachineBuilder disk(Path image, Consumer<DriveSpec.Builder> how) {
        var drive = new DriveSpec.Builder(DriveSpec.Kind.DISK, image);
        how.accept(drive);
        drives.add(drive);
        return this;
    }

    /** Adds a DVD drive with an ISO image in it. */
    public MachineBuilder dvd(Path image) {
        drives.add(new DriveSpec.Builder(DriveSpec.Kind.DVD, image));
        return this;
    }

    /** Adds an empty DVD drive. */
    public MachineBuilder dvd() {
        drives.add(new DriveSpec.Builder(DriveSpec.Kind.DVD, null));
        return this;
    }

    /**
     * Adds a network adapter: {@code network(NetworkSpec.user(UserNetworkSpec.DEFAULT))}. A built initial RAM disk configures
     * those on user-mode networks by DHCP.
     */
    public MachineBuilder network(NetworkSpec adapter) {
        networks.add(adapter);
        return this;
    }

    /**
     * Adds a Fibre Channel adapter, up to 4: {@code fibreChannel(f -> f.connect(san))}. What it is not given of names comes from
     * this host's range. A built initial RAM disk loads the drivers for it.
     */
    public MachineBuilder fibreChannel(Consumer<FibreChannelSpec.Builder> adapter) {
        var builder = new FibreChannelSpec.Builder();
        adapter.accept(builder);
        fibreChannels.add(builder);
        return this;
    }

    /**
     * The immutable description.
     *
     * @throws SpecException with all that is wrong
     */
    public MachineSpec spec() {
        var problems = new ProblemList();
        if (name.isBlank() || name.length() > 100) {
            problems.add("name", "must have 1 to 100 characters, and not only blanks");
        }
        NumaTopology nodes = nodes(problems);
        Optional<DynamicMemory> limits = limits(nodes, problems);
        LinuxSpec guest = null;
        if (linux == null) {
            problems.add("linux", "is missing; say what boots: linux(l -> l.kernel(path))");
        } else {
            var builder = new LinuxSpec.Builder();
            linux.accept(builder);
            guest = builder.build(problems);
        }
        List<DriveSpec> attached = drives(problems);
        checkNetworks(problems);
        List<FibreChannelSpec> hbas = fibreChannels(problems);
        problems.throwIfAny(name);
        if (nodes == null || guest == null) {
            throw new IllegalStateException("a description without problems lacks a part");
        }
        guest = guest.withModules(drivers(attached, !hbas.isEmpty()));
        return new MachineSpec(
                name,
                nodes,
                cpu,
                limits,
                limits.isPresent() ? DynamicMemoryGuest.prepared(guest) : guest,
                onReset,
                attached,
                networks,
                hbas);
    }

    private void checkNetworks(ProblemList problems) {
        for (int i = 0; i < networks.size(); i++) {
            networks.get(i).check("networks[" + i + "]", problems);
        }
        if (networks.size() > NetworkAdapter.MOST_ADAPTERS) {
            problems.add("networks", "are " + networks.size() + "; " + NetworkAdapter.MOST_ADAPTERS + " are possible");
        }
    }

    private List<FibreChannelSpec> fibreChannels(ProblemList problems) {
        var made = new ArrayList<FibreChannelSpec>();
        for (int i = 0; i < fibreChannels.size(); i++) {
            made.add(fibreChannels.get(i).build("fibreChannels[" + i + "]", problems));
        }
        FibreChannelSpec.checkTogether(made, problems);
        if (made.size() > FibreChannelAdapter.MOST_ADAPTERS) {
            problems.add(
                    "fibreChannels", "are " + made.size() + "; " + FibreChannelAdapter.MOST_ADAPTERS + " are possible");
        }
        return made;
    }

    /** Linux's drivers for the kinds of drives. */
    private static List<String> drivers(List<DriveSpec> drives, boolean fibreChannel) {
        Stream<String> others = fibreChannel ? Stream.of("sd_mod") : Stream.empty();
        return Stream.concat(
                        others, drives.stream().map(drive -> drive.kind() == DriveSpec.Kind.DVD ? "sr_mod" : "sd_mod"))
                .distinct()
                .sorted()
                .toList();
    }

    private List<DriveSpec> drives(ProblemList problems) {
        var made = new ArrayList<DriveSpec>();
        var taken = new HashMap<DriveAddress, Integer>();
        for (int i = 0; i < drives.size(); i++) {
            String path = "drives[" + i + "]";
            DriveSpec drive = drives.get(i).build(path, problems::add);
            if (drive.options().shared()) {
                problems.add(path + ".shared", "is for disks on a SAN: fibreChannel(f -> f.files(\"san\").lun(...))");
            }
            Integer other = drive.address() == null ? null : taken.putIfAbsent(drive.address(), i);
            if (other != null) {
                problems.add(path + ".at", "is " + drive.address() + ", where drives[" + other + "] is");
            }
            made.add(drive);
        }
        if (made.size() > ScsiController.MOST_CONTROLLERS * ScsiController.MOST_UNITS) {
            problems.add("drives", "are " + made.size() + "; 4 controllers with 64 each are possible");
        }
        return made;
    }

    private Optional<DynamicMemory> limits(@Nullable NumaTopology nodes, ProblemList problems) {
        if (dynamicMemory == null) {
            if (pool != null) {
                problems.add("memoryPool", "is given, but not dynamicMemory; only such machines share memory");
            }
            return Optional.empty();
        }
        if (nodes == null) {
            return Optional.empty();
        }
        DynamicMemory limits = DynamicMemory.of(nodes.memory(), dynamicMemory);
        for (String problem : limits.problems(nodes.memory())) {
            int colon = problem.indexOf(':');
            problems.add("dynamicMemory." + problem.substring(0, colon), problem.substring(colon + 2));
        }
        return Optional.of(limits);
    }

    /** Null only where a problem was found. */
    private @Nullable NumaTopology nodes(ProblemList problems) {
        if (numa == null && topology == null) {
            int count = vcpus == null ? 1 : vcpus;
            if (count < 1 || count > NumaTopology.MAX_VCPUS) {
                problems.add("vcpus", "is " + count + "; 1 to " + NumaTopology.MAX_VCPUS + " are possible");
            }
            long bytes = memory == null ? DEFAULT_MEMORY : memory;
            if (bytes < NumaTopology.MEMORY_GRANULE
                    || bytes > NumaTopology.MAX_NODE_MEMORY
                    || bytes % NumaTopology.MEMORY_GRANULE != 0) {
                problems.add(
                        "memory",
                        "is " + bytes + " bytes; a node has a multiple of 2 MiB, up to "
                                + MemorySize.format(NumaTopology.MAX_NODE_MEMORY) + " (numa(..) makes more nodes)");
            }
            return problems.isEmpty() ? built(b -> b.node(n -> n.vcpus(count).memory(bytes)), problems) : null;
        }
        NumaTopology nodes = topology;
        if (numa != null) {
            nodes = built(numa, problems);
        } else if (hugePageSize != 0) {
            problems.add("hugePages", "are given beside a topology that was made elsewhere; describe them there");
        } else if (vcpus != null && nodes != null && nodes.vcpus() != vcpus) {
            problems.add("vcpus", "is " + vcpus + ", but the NUMA nodes have " + nodes.vcpus());
        }
        if (memory != null && nodes != null && nodes.memory() != memory) {
            problems.add(
                    "memory",
                    "is " + MemorySize.format(memory) + ", but the NUMA nodes have "
                            + MemorySize.format(nodes.memory()));
        }
        return nodes;
    }

    /** Null where problems were found. */
    private @Nullable NumaTopology built(Consumer<NumaTopologyBuilder> description, ProblemList problems) {
        var builder = NumaTopology.builder().hugePages(hugePageSize);
        try {
            description.accept(builder);
            if (vcpus != null) {
                builder.vcpus(vcpus);
            }
            return builder.build();
        } catch (TopologyException e) {
            e.problems().forEach(p -> problems.add(p.path(), p.message()));
            return null;
        }
    }

    /**
     * Creates the machine: its memory is reserved and KVM is asked for it, but nothing runs yet.
     *
     * @throws SpecException with all that is wrong with the description
     * @throws io.javisor.partition.HypervisorException if the host can't; it says why and what to do
     */
    public VirtualMachine build() {
        MachineSpec spec = spec();
        MemoryPool shared = pool;
        return shared == null ? VirtualMachine.create(spec) : VirtualMachine.create(spec, shared);
    }
}
