package io.javisor.numa.placement;

import io.javisor.linux.HostThread;
import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.TopologyProblem;
import io.javisor.numa.host.HostCpu;
import io.javisor.numa.host.HostNode;
import io.javisor.numa.host.HostTopology;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryBacking.Policy;
import io.javisor.partition.MemoryRegion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One machine's memory and threads on their host nodes: binds them as planned, moves them while the guest runs, and reports
 * where they are. Safe from any thread; one change at a time.
 */
public final class MachineNuma {
    /** Memory is moved in steps, between which an interrupted thread stops: 256 MiB, a tenth of a second or so. */
    static final long STEP = 256L << 20;

    private final NumaTopology guest;
    private final Supplier<HostTopology> host;
    private final Supplier<List<MemoryRegion>> regions;
    private final ProcFiles proc;
    private final @Nullable HostThread[] threads;
    private PlacementPlan plan;

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
        this(guest, plan, regions, host, Path.of("/"));
    }

    MachineNuma(
            NumaTopology guest,
            PlacementPlan plan,
            Supplier<List<MemoryRegion>> regions,
            Supplier<HostTopology> host,
            Path root) {
        this.guest = guest;
        this.plan = plan;
        this.regions = regions;
        this.host = host;
        this.proc = new ProcFiles(root);
        this.threads = new HostThread[guest.vcpus()];
    }

    /** The plan that is carried out now; it changes with {@link #move}. */
    public synchronized PlacementPlan plan() {
        return plan;
    }

    /** Binds all memory as planned. Call it before anything touches the memory. */
    public synchronized void bindMemory() {
        for (MemoryRegion r : regions.get()) {
            bind(r);
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

    /** The same, floating among the CPUs of the planned node. */
    public synchronized void started(int vcpu, HostThread thread) {
        started(vcpu, thread, plan.nodes().get(guest.nodeOf(vcpu)).cpus());
    }

    /** Tells that a vCPU's thread is about to end, after which its number may be another's. */
    public synchronized void stopped(int vcpu) {
        threads[vcpu] = null;
    }

    /**
     * Moves a guest node to a host node: its vCPUs float among that node's CPUs from now on, its memory follows page by page
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
        for (int vcpu : guest.nodes().get(guestNode).vcpus().toList()) {
            HostThread thread = threads[vcpu];
            if (thread != null) {
                thread.setAffinity(cpus.toBitSet());
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

    private static boolean moveRegion(MemoryRegion r, Policy policy, long mask) {
        for (long done = 0; done < r.length(); done += STEP) {
            if (Thread.currentThread().isInterrupted()) {
                return false;
            }
            long some = Math.min(STEP, r.length() - done);
            r.backing().bind(r.backingOffset() + done, some, policy, mask, true);
        }
        return true;
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
        // By backing, not by region: one mapping may hold several regions of its node, and begins before all but the
        // first.
        var backings = new IdentityHashMap<MemoryBacking, Integer>();
        regions.get().forEach(r -> backings.put(r.backing(), r.node()));
        backings.forEach((backing, guestNode) -> maps.bytesIn(
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
