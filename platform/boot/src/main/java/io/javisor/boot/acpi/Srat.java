package io.javisor.boot.acpi;

import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.AddressSpacePlan.Affinity;
import io.javisor.partition.topology.AddressSpacePlan.Range;
import io.javisor.partition.topology.CpuTopology;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The System Resource Affinity Table (ACPI 6.5 section 5.2.16): which vCPU and which addresses belong to which node. A node with
 * neither is told as a generic initiator, a module device of the DSDT, since nothing else makes Linux bring it up.
 *
 * <p>Linux numbers its nodes by the order in which it meets their proximity domains: processors and initiators in the table's
 * order first, then memory ({@code acpi_numa_init}). Where that would not give every node its own number, entries for an APIC
 * ID that is nobody's go first and name all domains in order; an entry of the vCPU that has the ID after all comes later and
 * wins.
 */
final class Srat {
    private static final int ENABLED = 1;
    private static final int HOT_PLUGGABLE = 2;

    private static final int NOBODY = 0xFF; // the broadcast ID of xAPIC mode

    private Srat() {}

    static AcpiTable render(CpuTopology cpus, AddressSpacePlan plan, List<Integer> emptyNodes) {
        var b = new Bytes().u32(1).u64(0);
        int nodes = nodes(cpus, plan, emptyNodes);
        if (!meetsNodesInOrder(cpus, plan, emptyNodes, nodes)) {
            for (int node = 0; node < nodes; node++) {
                processor(b, NOBODY, node);
            }
        }
        for (int i = 0; i < cpus.count(); i++) {
            int id = cpus.apicId(i);
            int node = cpus.node(i);
            if (id <= CpuTopology.MAX_XAPIC_ID) {
                processor(b, id, node);
            } else {
                b.u8(2).u8(24).u16(0).u32(node).u32(id).u32(ENABLED).u32(0).u32(0);
            }
        }
        for (Affinity a : plan.affinities()) {
            int flags = ENABLED | (grows(plan, a) ? HOT_PLUGGABLE : 0);
            b.u8(1)
                    .u8(40)
                    .u32(a.node())
                    .u16(0)
                    .u64(a.gpa())
                    .u64(a.length())
                    .u32(0)
                    .u32(flags)
                    .u64(0);
        }
        for (int node : emptyNodes) {
            // Device handle: _HID and _UID.
            b.u8(5).u8(32).u8(0).u8(0).u32(node);
            b.ascii("ACPI0004").u32(AcpiTables.EMPTY_NODE_UID + node).u32(0);
            b.u32(ENABLED).u32(0);
        }
        return AcpiTable.of("SRAT", 3, b.toArray());
    }

    private static void processor(Bytes b, int apicId, int node) {
        b.u8(0).u8(16).u8(node).u8(apicId).u32(ENABLED).u8(0);
        b.u8(node >>> 8).u8(node >>> 16).u8(node >>> 24).u32(0);
    }

    private static int nodes(CpuTopology cpus, AddressSpacePlan plan, List<Integer> emptyNodes) {
        return 1
                + IntStream.of(
                                cpus.vcpus().stream()
                                        .mapToInt(CpuTopology.Vcpu::node)
                                        .max()
                                        .orElse(0),
                                plan.bootMemory().stream()
                                        .mapToInt(Range::node)
                                        .max()
                                        .orElse(0),
                                emptyNodes.isEmpty() ? 0 : emptyNodes.getLast())
                        .max()
                        .orElse(0);
    }

    private static boolean meetsNodesInOrder(
            CpuTopology cpus, AddressSpacePlan plan, List<Integer> emptyNodes, int nodes) {
        var met = new LinkedHashSet<Integer>();
        cpus.vcpus().forEach(v -> met.add(v.node()));
        met.addAll(emptyNodes);
        plan.bootMemory().forEach(r -> met.add(r.node()));
        return List.copyOf(met).equals(IntStream.range(0, nodes).boxed().toList());
    }

    private static boolean grows(AddressSpacePlan plan, Affinity a) {
        for (Range window : plan.growthWindows()) {
            if (window.gpa() >= a.gpa() && window.end() <= a.end()) {
                return true;
            }
        }
        return false;
    }
}
