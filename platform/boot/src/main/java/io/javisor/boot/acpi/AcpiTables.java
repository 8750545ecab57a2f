package io.javisor.boot.acpi;

import io.javisor.partition.acpi.AcpiModule;
import io.javisor.partition.acpi.AcpiNode;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import io.javisor.partition.topology.NumaDescription;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;

/**
 * All ACPI tables of one machine, for one address. The SLIT is there if the machine has more than one node, can grow, or states
 * its memory's speed; the HMAT if it states that.
 */
public final class AcpiTables {
    /** What is added to the number of a node with neither vCPUs nor memory to give its module device's {@code _UID}. */
    static final int EMPTY_NODE_UID = 0x1000;

    /** Length of the RSDP in bytes. */
    public static final int RSDP_LENGTH = 36;

    private static final int ALIGNMENT = 64; // what the FACS would want; others need 8

    private final List<AcpiTable> tables;
    private final byte[] bytes;
    private final long xsdt;

    private AcpiTables(List<AcpiTable> tables, byte[] bytes, long xsdt) {
        this.tables = List.copyOf(tables);
        this.bytes = bytes;
        this.xsdt = xsdt;
    }

    /**
     * Renders the tables.
     *
     * @param gpa where {@link #bytes()} will be put, a multiple of 64
     * @throws IllegalArgumentException if two devices have one name, or vCPUs, memory or devices are on a node that
     *     {@code numa} does not describe
     */
    public static AcpiTables render(
            long gpa,
            AcpiPlatform platform,
            CpuTopology cpus,
            NumaDescription numa,
            AddressSpacePlan plan,
            List<? extends AcpiNode> devices) {
        List<Integer> initiators = cpus.vcpus().stream()
                .map(CpuTopology.Vcpu::node)
                .distinct()
                .sorted()
                .toList();
        List<Integer> targets = plan.bootMemory().stream()
                .map(AddressSpacePlan.Range::node)
                .distinct()
                .sorted()
                .toList();
        int last = Math.max(initiators.getLast(), targets.getLast());
        if (last >= numa.nodes()) {
            throw new IllegalArgumentException(
                    "node " + last + " has vCPUs or memory, but distances are given for " + numa.nodes() + " nodes");
        }
        var empty = new ArrayList<Integer>();
        var nodes = new ArrayList<AcpiNode>(devices);
        for (int n = 0; n < numa.nodes(); n++) {
            if (!initiators.contains(n) && !targets.contains(n)) {
                empty.add(n);
                nodes.add(new AcpiModule(
                        "ND%02X".formatted(n), EMPTY_NODE_UID + n, List.of(), OptionalInt.of(n), List.of()));
            }
        }
        checkNames(nodes);

        var layout = new Layout(gpa);
        long dsdt = layout.add(Dsdt.render(platform.sleepTypeS5(), nodes));
        layout.add(Fadt.render(platform, dsdt));
        layout.add(Madt.render(cpus));
        // Also for one node: without it Linux looks for an AMD north bridge on PCI, at 64 accesses to its ports
        // (amd_numa_init).
        layout.add(Srat.render(cpus, plan, empty));
        if (numa.nodes() > 1 || numa.hasPerformance() || !plan.growthWindows().isEmpty()) {
            layout.add(Slit.render(numa));
        }
        if (numa.hasPerformance()) {
            layout.add(Hmat.render(numa, initiators, targets));
        }
        var entries = new Bytes();
        for (int i = 1; i < layout.addresses.size(); i++) { // all but the DSDT, which the FADT names
            entries.u64(layout.addresses.get(i));
        }
        long xsdt = layout.add(AcpiTable.of("XSDT", 1, entries.toArray()));
        return new AcpiTables(layout.tables, layout.out.toArray(), xsdt);
    }

    /** The tables, the DSDT first, the XSDT last. */
    public List<AcpiTable> tables() {
        return tables;
    }

    /** How many bytes they take together. */
    public int length() {
        return bytes.length;
    }

    /** All tables, to be put where {@link #render} was told. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** The Root System Description Pointer, to be put at a multiple of 16 (ACPI 6.5 section 5.2.5.3). */
    public byte[] rsdp() {
        byte[] rsdp = new Bytes()
                .ascii("RSD PTR ")
                .u8(0)
                .ascii("JAVISR")
                .u8(2)
                .u32(0)
                .u32(RSDP_LENGTH)
                .u64(xsdt)
                .u32(0)
                .toArray();
        rsdp[8] = Bytes.checksum(rsdp, 0, 20);
        rsdp[32] = Bytes.checksum(rsdp, 0, RSDP_LENGTH);
        return rsdp;
    }

    private static void checkNames(List<AcpiNode> nodes) {
        var names = new HashSet<String>();
        for (AcpiNode node : nodes) {
            if (!names.add(node.name())) {
                throw new IllegalArgumentException("two devices are named " + node.name());
            }
        }
    }

    private static final class Layout {
        private final long gpa;
        private final Bytes out = new Bytes();
        private final List<AcpiTable> tables = new ArrayList<>();
        private final List<Long> addresses = new ArrayList<>();

        Layout(long gpa) {
            this.gpa = gpa;
        }

        long add(AcpiTable table) {
            out.zeros(-out.length() & (ALIGNMENT - 1));
            long at = gpa + out.length();
            out.put(table.bytes());
            tables.add(table);
            addresses.add(at);
            return at;
        }
    }
}
