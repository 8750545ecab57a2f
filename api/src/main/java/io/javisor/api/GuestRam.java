package io.javisor.api;

import io.javisor.api.state.StateFolder;
import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.linux.Errno;
import io.javisor.linux.HostThread;
import io.javisor.linux.MappingRoom;
import io.javisor.linux.PageSize;
import io.javisor.memory.balancer.MachineClaim;
import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaNode;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.host.HostTopology;
import io.javisor.numa.placement.HostLoad;
import io.javisor.numa.placement.MachineNuma;
import io.javisor.numa.placement.PlacementPlan;
import io.javisor.numa.placement.PlacementPlanner;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.state.StateException;
import io.javisor.partition.topology.AddressSpacePlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A machine's memory: one backing for each NUMA node, reserved for the machine's life, the plan of its addresses, and where on
 * the host it goes. A machine of one node of which nothing is asked is left to the host's own placement, which costs nothing
 * to plan.
 */
final class GuestRam implements AutoCloseable {
    private static final long LARGE_BLOCKS = 64L << 30;

    /** A stack with its guard pages, malloc's arena for the thread, and what is shared with KVM. */
    private static final int MAPPINGS_A_VCPU = 6;

    /** Memory, and what its surroundings are cut into. */
    private static final int MAPPINGS_A_MACHINE = 8;

    private final NumaTopology topology;
    private final AddressSpacePlan plan;
    private final List<MemoryBacking> nodes;
    private final Map<Integer, HostThread> threads = new HashMap<>(); // guarded by this
    private final List<MemoryRegion> added = new CopyOnWriteArrayList<>(); // in this run
    private @Nullable MachineNuma numa; // guarded by this; made when it is first needed

    private GuestRam(NumaTopology topology, AddressSpacePlan plan, List<MemoryBacking> nodes) {
        this.topology = topology;
        this.plan = plan;
        this.nodes = nodes;
    }

    /** Memory for a machine whose guest-physical addresses have so many bits. */
    static GuestRam reserve(MachineSpec spec, int addressBits) {
        return make(
                spec,
                addressBits,
                false,
                (node, bytes) -> MemfdBacking.reserve(
                        nameOf(spec, node), bytes, pages(spec.numa().nodes().get(node))));
    }

    /** Memory with the content that a machine was saved with; where on the host it goes is decided anew. */
    static GuestRam restore(MachineSpec spec, int addressBits, StateFolder saved) {
        return make(spec, addressBits, true, (node, bytes) -> {
            if (saved.memoryBytes(node) != bytes) {
                throw new StateException("node " + node + " has " + bytes + " bytes of memory, and "
                        + saved.memoryBytes(node) + " were saved");
            }
            return saved.openMemory(nameOf(spec, node), node);
        });
    }

    private static String nameOf(MachineSpec spec, int node) {
        return "javisor-" + spec.name() + "-node" + node;
    }

    /** Makes a node's backing of so many bytes. */
    private interface Source {
        MemoryBacking backing(int node, long bytes);
    }

    private static GuestRam make(MachineSpec spec, int addressBits, boolean filled, Source source) {
        NumaTopology topology = spec.numa();
        AddressSpacePlan plan = plan(spec, addressBits);
        requireMappings(spec);
        var made = new AtomicReference<@Nullable GuestRam>();
        MachineNuma placed =
                isPlaced(topology) ? HostPlacement.shared().place(topology, () -> regionsOf(made.get())) : null;
        var nodes = new ArrayList<MemoryBacking>();
        try {
            for (int i = 0; i < topology.nodes().size(); i++) {
                // A node without memory keeps its place in the list with the least that there is.
                nodes.add(source.backing(i, Math.max(plan.backingBytes(i), AddressSpacePlan.GRANULE)));
            }
            var ram = new GuestRam(topology, plan, List.copyOf(nodes));
            if (placed != null) {
                made.set(ram);
                ram.numa = placed;
                if (filled) {
                    placed.bindFilledMemory();
                } else {
                    placed.bindMemory();
                }
            }
            return ram;
        } catch (RuntimeException | Error e) {
            forget(placed);
            nodes.forEach(MemoryBacking::close);
            throw e;
        }
    }

    private static void requireMappings(MachineSpec spec) {
        int needed = spec.vcpus() * MAPPINGS_A_VCPU + MAPPINGS_A_MACHINE;
        if (!MappingRoom.ofProcess().take(needed)) {
            throw new HypervisorException(
                    "host-mappings",
                    "machine \"" + spec.name() + "\" takes some " + needed
                            + " mappings, and this process has no room for so many and " + MappingRoom.FOR_THE_JVM
                            + " more, without which the JVM may die",
                    "mmap",
                    Errno.ENOMEM,
                    "raise the limit: sysctl vm.max_map_count=1000000, or run fewer machines in a process",
                    null);
        }
    }

    private static List<MemoryRegion> regionsOf(@Nullable GuestRam ram) {
        return ram == null ? List.of() : ram.regions();
    }

    private static void forget(@Nullable MachineNuma machine) {
        if (machine != null) {
            HostPlacement.shared().remove(machine);
        }
    }

    /** Each node may grow by its part of what the machine may; windows are aligned to the guest's memory blocks. */
    private static AddressSpacePlan plan(MachineSpec spec, int addressBits) {
        NumaTopology topology = spec.numa();
        long memory = topology.memory();
        long growth = spec.dynamicMemory().map(d -> d.reach() - memory).orElse(0L);
        // Linux's memory blocks are 128 MiB, and up to 2 GiB where memory ends beyond 64 GiB (probe_memory_block_size).
        long block = memory + growth < LARGE_BLOCKS ? 128L << 20 : 2L << 30;
        return topology.addressSpace(node -> {
                    long boot = topology.nodes().get(node).memory();
                    long part = (long) Math.ceil((double) growth * boot / memory);
                    return (part + block - 1) / block * block;
                })
                .growthAlignment(block)
                .addressBits(addressBits)
                .build();
    }

    /** Whether the spec says anything of the host's nodes. */
    private static boolean isPlaced(NumaTopology topology) {
        return topology.nodes().size() > 1
                || !topology.spanning()
                || topology.pinned()
                || !topology.nodes().getFirst().hostNodes().isEmpty();
    }

    private static PageSize pages(NumaNode node) {
        for (PageSize size : PageSize.values()) {
            if (size.bytes() == node.hugePageSize()) {
                return size;
            }
        }
        return PageSize.KIB_4;
    }

    /** Where memory and threads lie on the host. */
    synchronized MachineNuma numa() {
        MachineNuma here = numa;
        if (here == null) {
            PlacementPlan nominal = PlacementPlanner.plan(HostLoad.of(HostTopology.read()), topology);
            var made = new MachineNuma(topology, nominal, this::regions, HostTopology::read);
            threads.forEach((vcpu, thread) -> made.started(vcpu, thread, CpuSet.EMPTY));
            here = made;
            numa = here;
        }
        return here;
    }

    /** A vCPU's thread begins; on that thread. */
    synchronized void vcpuStarted(int vcpu, HostThread thread) {
        threads.put(vcpu, thread);
        if (numa != null) {
            numa.started(vcpu, thread);
        }
    }

    /** A vCPU's thread ends; on that thread. */
    synchronized void vcpuStopped(int vcpu) {
        threads.remove(vcpu);
        if (numa != null) {
            numa.stopped(vcpu);
        }
    }

    /** The nodes' memory, each with its hot-add window. */
    List<MemoryBacking> nodes() {
        return nodes;
    }

    AddressSpacePlan plan() {
        return plan;
    }

    /** The boot memory, region by region. */
    List<MemoryRegion> bootRegions() {
        return plan.bootMemory().stream()
                .map(r -> new MemoryRegion(r.gpa(), r.length(), r.node(), nodes.get(r.node()), r.backingOffset()))
                .toList();
    }

    /** All memory that the guest has now, region by region. */
    private List<MemoryRegion> regions() {
        var all = new ArrayList<>(bootRegions());
        all.addAll(added);
        return List.copyOf(all);
    }

    /** The guest gets more memory; before it does. */
    void added(MemoryRegion region) {
        MachineNuma here;
        synchronized (this) {
            here = numa;
        }
        if (here != null && isPlaced(topology)) {
            here.bind(region);
        }
        added.add(region);
    }

    /** The backing of one node. */
    MemoryBacking backing(int node) {
        return nodes.get(node);
    }

    /** The host node that each guest node is kept on; {@link MachineClaim#ANY} where there is none, or several. */
    synchronized List<Integer> hostNodes() {
        MachineNuma here = numa;
        var all = new ArrayList<Integer>();
        for (int node = 0; node < nodes.size(); node++) {
            var on = here == null || !isPlaced(topology)
                    ? Set.<Integer>of()
                    : here.plan().nodes().get(node).bytes().keySet();
            all.add(on.size() == 1 ? on.iterator().next() : MachineClaim.ANY);
        }
        return all;
    }

    /** Gives everything back to the host; the guest would read zeroes. */
    void clear() {
        added.clear();
        for (MemoryBacking node : nodes) {
            node.discard(0, node.segment().byteSize());
        }
    }

    /** Bytes of the host's memory that the guest has. */
    long residentBytes() {
        return nodes.stream().mapToLong(MemoryBacking::residentBytes).sum();
    }

    /** The host nodes that its vCPUs run on; empty where the host's kernel chooses. */
    synchronized Set<Integer> vcpuHostNodes() {
        MachineNuma here = numa;
        return here == null || !isPlaced(topology)
                ? Set.of()
                : here.plan().nodes().stream()
                        .filter(n -> n.cpuNode() >= 0)
                        .map(PlacementPlan.Node::cpuNode)
                        .collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public void close() {
        synchronized (this) {
            forget(numa);
        }
        nodes.forEach(MemoryBacking::close);
    }
}
