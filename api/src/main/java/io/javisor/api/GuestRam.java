package io.javisor.api;

import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.linux.PageSize;
import io.javisor.numa.NumaNode;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.topology.AddressSpacePlan;
import java.util.ArrayList;
import java.util.List;

/** A machine's memory: one backing for each NUMA node, reserved for the machine's life, and the plan of its addresses. */
final class GuestRam implements AutoCloseable {
    private final AddressSpacePlan plan;
    private final List<MemfdBacking> nodes;

    private GuestRam(AddressSpacePlan plan, List<MemfdBacking> nodes) {
        this.plan = plan;
        this.nodes = nodes;
    }

    static GuestRam reserve(MachineSpec spec) {
        var planner = AddressSpacePlan.builder();
        for (NumaNode node : spec.numa().nodes()) {
            planner.node(node.memory());
        }
        AddressSpacePlan plan = planner.build();
        var nodes = new ArrayList<MemfdBacking>();
        try {
            for (int i = 0; i < spec.numa().nodes().size(); i++) {
                // A node without memory keeps its place in the list with the least that there is.
                long bytes = Math.max(plan.backingBytes(i), AddressSpacePlan.GRANULE);
                nodes.add(MemfdBacking.reserve("javisor-" + spec.name() + "-node" + i, bytes, PageSize.KIB_4));
            }
        } catch (RuntimeException e) {
            nodes.forEach(MemfdBacking::close);
            throw e;
        }
        return new GuestRam(plan, List.copyOf(nodes));
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

    /** Gives everything back to the host; the guest would read zeroes. */
    void clear() {
        for (MemfdBacking node : nodes) {
            node.discard(0, node.segment().byteSize());
        }
    }

    /** Bytes of the host's memory that the guest has. */
    long residentBytes() {
        return nodes.stream().mapToLong(MemfdBacking::residentBytes).sum();
    }

    @Override
    public void close() {
        nodes.forEach(MemfdBacking::close);
    }
}
