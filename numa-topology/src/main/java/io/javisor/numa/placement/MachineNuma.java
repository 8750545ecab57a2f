package io.javisor.numa.placement;

import io.javisor.linux.Errno;
import io.javisor.linux.HostThread;
import io.javisor.linux.LinuxException;
import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.TopologyProblem;
import io.javisor.numa.host.HostCpu;
import io.javisor.numa.host.HostNode;
import io.javisor.numa.host.HostTopology;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryBacking.Policy;
import io.javisor.partition.MemoryRegion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One machine's memory and threads on their host nodes: binds them as planned, moves them while the guest runs, and reports
 * where they are. Safe from any thread; one change at a time.
 */
public final class MachineNuma {
    /** Memory is moved in steps, between which an interrupted thread stops: 256 MiB, a tenth of a second or so. */
    static final long STEP = 256L << 20;

    private static final long SMALL_PAGE = 4096;
    private static final int MOVE_ATTEMPTS = 50;
    private static final long MOVE_PAUSE_NANOS = 20_000_000;

    private final NumaTopology guest;
    private final Supplier<HostTopology> host;
    private final Supplier<List<MemoryRegion>> regions;
    private final ProcFiles proc;
    private final @Nullable HostThread[] threads;
    private final @Nullable PlacedMachines others;
    private volatile PlacementPlan plan; // changed under the lock, read by other machines' plans without
    private volatile List<CpuSet> affinity; // the same

    /**
     * A machine that is not started yet.
     *
     * @param guest its topology
     * @param plan where it goes
     * @param regions its memory, as it is at the moment of the call ({@code GuestMemory::regions})
     * @param host reads the host's topology
     */
    public MachineNuma(
            NumaTopology guest, PlacementPlan plan, Supplier<List<MemoryRegion>> regions, Supplier<HostTopology> host) {
        this(guest, plan, VcpuAffinity.floating(guest, plan), regions, host, null, Path.of("/"));
    }

    /** One of several machines, whose pinned vCPUs keep off each other's CPUs. */
    MachineNuma(
            NumaTopology guest,
            PlacementPlan plan,
            List<CpuSet> affinity,
            Supplier<List<MemoryRegion>> regions,
            Supplier<HostTopology> host,
            PlacedMachines others) {
        this(guest, plan, affinity, regions, host, others, Path.of("/"));
    }

    MachineNuma(
            NumaTopology guest,
            PlacementPlan plan,
            Supplier<List<MemoryRegion>> regions,
            Supplier<HostTopology> host,
            Path root) {
        this(guest, plan, VcpuAffinity.floating(guest, plan), regions, host, null, root);
    }

    private MachineNuma(
            NumaTopology guest,
            PlacementPlan plan,
            List<CpuSet> affinity,
            Supplier<List<MemoryRegion>> regions,
            Supplier<HostTopology> host,
            @Nullable PlacedMachines others,
            Path root) {
        this.guest = guest;
        this.plan = plan;
        this.affinity = List.copyOf(affinity);
        this.others = others;
        this.regions = regions;
        this.host = host;
        this.proc = new ProcFiles(root);
        this.threads = new HostThread[guest.vcpus()];
    }

    /** The plan that is carried out now; it changes with {@link #move}. */
    public PlacementPlan plan() {
        return plan;
    }

    /** The host CPUs that each vCPU may run on, by its index; they change with {@link #move}. */
    public List<CpuSet> affinity() {
        return affinity;
    }

    /** The CPUs that vCPUs are pinned to; none if they float. */
    CpuSet pins() {
        CpuSet all = CpuSet.EMPTY;
        if (guest.pinned()) {
            for (CpuSet one : affinity) {
                all = all.or(one);
            }
        }
        return all;
    }

    /** By guest node, how many bytes of its memory nobody has touched yet. */
    List<Long> untouched() {
        var left = new ArrayList<Long>();
        for (PlacementPlan.Node n : plan.nodes()) {
            left.add(n.bytes().values().stream().mapToLong(Long::longValue).sum());
        }
        backings().forEach((backing, node) -> left.set(node, Math.max(0, left.get(node) - backing.residentBytes())));
        return left;
    }

    /** By backing, not by region: one mapping may hold several regions of its node. */
    private Map<MemoryBacking, Integer> backings() {
        var backings = new IdentityHashMap<MemoryBacking, Integer>();
        regions.get().forEach(r -> backings.put(r.backing(), r.node()));
        return backings;
    }

    /**
     * Binds all memory as planned. Call it before anything touches the memory. hugetlb pages are taken from their nodes at once:
     * the kernel promises them for the whole host only, and a node that runs out of them later would end the guest.
     *
     * @throws io.javisor.partition.HypervisorException if the pages are not there after all
     */
    public synchronized void bindMemory() {
        for (MemoryRegion r : regions.get()) {
            bind(r);
            if (r.backing().pageSize() > SMALL_PAGE) {
                r.backing().populate(r.backingOffset(), r.length());
            }
        }
    }

    /**
     * Binds memory that has content already, that of a restored machine: what lies elsewhere is moved.
     *
     * @throws HypervisorException if the kernel refuses to move it
     */
    public synchronized void bindFilledMemory() {
        for (MemoryRegion r : regions.get()) {
            PlacementPlan.Node node = plan.nodes().get(r.node());
            if (node.policy() != Policy.DEFAULT && !node.bytes().isEmpty()) {
                moveRegion(r, node.policy(), node.hostNodeMask());
            }
        }
    }

    /** Binds memory that is being hot-added as its node is planned. Call it before anything touches it. */
    public synchronized void bind(MemoryRegion added) {
        PlacementPlan.Node node = plan.nodes().get(added.node());
        if (node.policy() != Policy.DEFAULT && !node.bytes().isEmpty()) {
            added.backing().bind(added.backingOffset(), added.length(), node.policy(), node.hostNodeMask(), false);
        }
    }

    /**
     * Tells which thread runs a vCPU, and keeps that thread on its CPUs. The vCPU's thread calls it before it first runs the
     * guest.
     *
     * @param cpus the CPUs that it may run on: one of {@link VcpuAffinity}'s sets; empty for any
     */
    public synchronized void started(int vcpu, HostThread thread, CpuSet cpus) {
        threads[vcpu] = thread;
        if (!cpus.isEmpty()) {
            thread.setAffinity(cpus.toBitSet());
        }
    }

    /** The same, on the CPUs that it is planned to run on. */
    public synchronized void started(int vcpu, HostThread thread) {
        started(vcpu, thread, affinity.get(vcpu));
    }

    /** Tells that a vCPU's thread is about to end, after which its number may be another's. */
    public synchronized void stopped(int vcpu) {
        threads[vcpu] = null;
    }

    /**
     * Moves a guest node to a host node: its vCPUs run on that node's CPUs from now on, its memory follows page by page
     * while the guest runs. If the calling thread is interrupted, what has moved stays moved and the rest where it was;
     * {@link #placement} tells, and calling again goes on.
     *
     * @param guestNode which
     * @param hostNode whereto, by the kernel's number
     * @throws TopologyException code {@code numa-move}, if there is no such host node, or it has not enough memory free or
     *     no processors; nothing is changed then
     * @throws io.javisor.partition.HypervisorException if the kernel refuses to move memory
     */
    public synchronized void move(int guestNode, int hostNode) {
        HostTopology now = host.get();
        PlacementPlan.Node old = plan.nodes().get(guestNode);
        HostNode target = check(now, old, hostNode);
        CpuSet cpus = old.vcpus() == 0 ? CpuSet.EMPTY : now.usableCpus(target);
        affinity = affinityAt(now, guestNode, hostNode, cpus);
        for (int vcpu : guest.nodes().get(guestNode).vcpus().toList()) {
            HostThread thread = threads[vcpu];
            if (thread != null) {
                thread.setAffinity(affinity.get(vcpu).toBitSet());
            }
        }
        Policy policy = guest.spanning() ? Policy.PREFERRED : Policy.BIND;
        long memory = old.bytes().values().stream().mapToLong(Long::longValue).sum();
        var nodes = new ArrayList<>(plan.nodes());
        nodes.set(
                guestNode,
                new PlacementPlan.Node(
                        guestNode,
                        memory == 0 ? Map.of() : Map.of(hostNode, memory),
                        memory == 0 ? Policy.DEFAULT : policy,
                        old.hugePageSize(),
                        old.vcpus(),
                        old.vcpus() == 0 ? -1 : hostNode,
                        cpus));
        plan = new PlacementPlan(nodes);
        for (MemoryRegion r : regions.get()) {
            if (r.node() == guestNode && !moveRegion(r, policy, 1L << hostNode)) {
                break;
            }
        }
    }

    /** Where the vCPUs run once one node has moved; the others stay. */
    private List<CpuSet> affinityAt(HostTopology now, int guestNode, int hostNode, CpuSet cpus) {
        var next = new ArrayList<>(affinity);
        List<Integer> vcpus = guest.nodes().get(guestNode).vcpus().toList();
        if (!guest.pinned()) {
            vcpus.forEach(v -> next.set(v, cpus));
            return List.copyOf(next);
        }
        CpuSet taken = others == null ? CpuSet.EMPTY : others.pinnedExcept(this);
        for (int v = 0; v < next.size(); v++) {
            taken = vcpus.contains(v) ? taken : taken.or(next.get(v));
        }
        List<Integer> order = VcpuAffinity.order(now, guest, cpus, Set.copyOf(taken.toList()));
        if (order.size() < vcpus.size()) {
            throw new TopologyException(
                    "numa-move",
                    "the node can't be moved",
                    List.of(VcpuAffinity.tooFew(guestNode, vcpus.size(), hostNode, cpus, order.size())));
        }
        for (int i = 0; i < vcpus.size(); i++) {
            next.set(vcpus.get(i), CpuSet.of(order.get(i)));
        }
        return List.copyOf(next);
    }

    private static boolean moveRegion(MemoryRegion r, Policy policy, long mask) {
        long step = Math.max(STEP, r.backing().pageSize());
        for (long done = 0; done < r.length(); done += step) {
            if (Thread.currentThread().isInterrupted()) {
                return false;
            }
            long some = Math.min(step, r.length() - done);
            bindMoving(r, r.backingOffset() + done, some, policy, mask);
        }
        return true;
    }

    /** Pages that a device or a fault holds at the moment can't be moved, and can soon after. */
    private static void bindMoving(MemoryRegion r, long offset, long length, Policy policy, long mask) {
        for (int attempt = 1; ; attempt++) {
            try {
                r.backing().bind(offset, length, policy, mask, true);
                return;
            } catch (LinuxException e) {
                if (e.errno() != Errno.EIO || attempt == MOVE_ATTEMPTS) {
                    throw new HypervisorException(
                            "numa-move",
                            "can't move memory of guest node " + r.node() + ": " + e.getMessage(),
                            e.call(),
                            e.errno(),
                            "free memory on the host node, and move again: what has moved stays",
                            e);
                }
                LockSupport.parkNanos(MOVE_PAUSE_NANOS);
            }
        }
    }

    private HostNode check(HostTopology now, PlacementPlan.Node old, int hostNode) {
        String path = "numa.nodes[" + old.guestNode() + "]";
        var problems = new ArrayList<TopologyProblem>();
        HostNode target = now.node(hostNode).orElse(null);
        if (target == null || hostNode > 63) {
            problems.add(new TopologyProblem(path, "there is no host node " + hostNode));
            throw new TopologyException("numa-move", "the node can't be moved", problems);
        }
        if (old.vcpus() > 0 && now.usableCpus(target).isEmpty()) {
            problems.add(new TopologyProblem(
                    path + ".vcpus", "host node " + hostNode + " has no processors that this process may use"));
        }
        long elsewhere = placement(now).nodes().get(old.guestNode()).bytes().entrySet().stream()
                .filter(e -> e.getKey() != hostNode)
                .mapToLong(Map.Entry::getValue)
                .sum();
        long free = !now.usableMemory(target)
                ? 0
                : old.hugePageSize() == 0 ? target.memoryAvailable() : target.hugeBytesFree(old.hugePageSize());
        if (elsewhere > free) {
            problems.add(new TopologyProblem(
                    path + ".memory",
                    PlacementLedger.mib(elsewhere) + " would have to move, but host node " + hostNode + " has "
                            + PlacementLedger.mib(free) + " free"));
        }
        if (!problems.isEmpty()) {
            throw new TopologyException("numa-move", "the node can't be moved", problems);
        }
        return target;
    }

    /** Where the machine really lies now. Reads all of this process's mappings: not for hot paths. */
    public synchronized Placement placement() {
        return placement(host.get());
    }

    private Placement placement(HostTopology now) {
        NumaMaps maps = proc.numaMaps();
        List<Map<Integer, Long>> bytes = new ArrayList<>();
        plan.nodes().forEach(n -> bytes.add(new TreeMap<>()));
        backings()
                .forEach((backing, guestNode) -> maps.bytesIn(
                                backing.segment().address(), backing.segment().byteSize())
                        .forEach((node, b) -> bytes.get(guestNode).merge(node, b, Long::sum)));
        var nodes = new ArrayList<Placement.Node>();
        for (PlacementPlan.Node n : plan.nodes()) {
            nodes.add(new Placement.Node(n.guestNode(), n.hostNodeMask(), bytes.get(n.guestNode())));
        }
        var vcpus = new ArrayList<Placement.Vcpu>();
        for (int v = 0; v < threads.length; v++) {
            HostThread thread = threads[v];
            int cpu = thread == null ? -1 : proc.lastCpu(thread.thread());
            vcpus.add(new Placement.Vcpu(v, cpu, now.cpu(cpu).map(HostCpu::node).orElse(-1)));
        }
        return new Placement(nodes, vcpus);
    }
}
