package io.javisor.numa.placement;

import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.host.HostTopology;
import io.javisor.partition.MemoryRegion;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The machines that one process has placed on its host. What they have planned but not touched yet is free in the kernel's eyes,
 * and so are the CPUs that their vCPUs are pinned to: the next machine's plan has to leave both alone. Safe from any thread.
 */
public final class PlacedMachines {
    private final Supplier<HostTopology> host;
    private final Set<MachineNuma> machines = Collections.newSetFromMap(new IdentityHashMap<>()); // guarded by this

    /** No machines yet; {@code host} reads the host's topology, each time anew. */
    public PlacedMachines(Supplier<HostTopology> host) {
        this.host = host;
    }

    /**
     * Plans where a machine goes, beside those that are there. Its memory is not bound yet.
     *
     * @param guest its topology
     * @param regions its memory at the moment of the call; may be empty while the machine is being made
     * @throws io.javisor.numa.TopologyException codes {@code numa-spanning}, {@code numa-placement} and {@code numa-pinning}, with
     *     the numbers, if it does not fit
     */
    public synchronized MachineNuma place(NumaTopology guest, Supplier<List<MemoryRegion>> regions) {
        HostTopology now = host.get();
        PlacementPlan plan = plan(load(now), guest);
        List<CpuSet> affinity = guest.pinned()
                ? VcpuAffinity.pinned(now, guest, plan, pinnedExcept(null))
                : VcpuAffinity.floating(guest, plan);
        var machine = new MachineNuma(guest, plan, affinity, regions, host, this);
        machines.add(machine);
        return machine;
    }

    /**
     * Memory is reserved without being taken from the host, so that a machine that may span may be given more than there is: it is
     * planned as if every host node had proportionally more, and it is up to it to touch no more than there is.
     */
    private static PlacementPlan plan(HostLoad load, NumaTopology guest) {
        try {
            return PlacementPlanner.plan(load, guest);
        } catch (TopologyException e) {
            double free = load.nodes().stream()
                    .mapToLong(n -> Math.max(0, n.memoryFree()))
                    .sum();
            if (!guest.spanning() || free == 0) {
                throw e;
            }
            return PlacementPlanner.plan(load.stretched(2 + 2 * guest.memory() / free), guest);
        }
    }

    /** A machine has gone. */
    public synchronized void remove(MachineNuma machine) {
        machines.remove(machine);
    }

    /** What the host has left, now. */
    public HostLoad load() {
        return load(host.get());
    }

    private synchronized HostLoad load(HostTopology now) {
        HostLoad load = HostLoad.of(now);
        for (MachineNuma machine : machines) {
            load = load.reserving(machine.plan(), machine.untouched());
        }
        return load;
    }

    /** CPUs that vCPUs of other machines are pinned to. */
    synchronized CpuSet pinnedExcept(@Nullable MachineNuma self) {
        CpuSet all = CpuSet.EMPTY;
        for (MachineNuma machine : machines) {
            if (machine != self) {
                all = all.or(machine.pins());
            }
        }
        return all;
    }
}
