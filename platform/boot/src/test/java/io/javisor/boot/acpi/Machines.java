package io.javisor.boot.acpi;

import io.javisor.partition.acpi.AcpiDevice;
import io.javisor.partition.acpi.AcpiEventDevice;
import io.javisor.partition.acpi.AcpiGenerationCounter;
import io.javisor.partition.acpi.AcpiModule;
import io.javisor.partition.acpi.AcpiNode;
import io.javisor.partition.acpi.AcpiResource;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import io.javisor.partition.topology.NumaDescription;
import io.javisor.partition.topology.NumaDescription.Performance;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Machines to render tables of. */
final class Machines {
    static final long GIB = 1L << 30;
    static final long BASE = 0xE1000;
    static final AcpiPlatform PLATFORM = new AcpiPlatform(0x600, 0x601, 0x602, 1, 5, 0x32);

    private Machines() {}

    /** One device of each kind and resource. */
    static List<AcpiNode> devices() {
        return List.of(
                new AcpiDevice(
                        "COM1",
                        "PNP0501",
                        0,
                        List.of(new AcpiResource.Ports(0x3F8, 8), new AcpiResource.Irq(4, true, false))),
                new AcpiDevice("RTC_", "PNP0B00", 0, List.of(new AcpiResource.Ports(0x70, 2))),
                new AcpiDevice("PWRB", "PNP0C0C", 0, List.of()),
                new AcpiEventDevice(
                        "GED_",
                        0,
                        0x604,
                        new AcpiResource.Irq(9, true, false),
                        List.of(
                                new AcpiEventDevice.Event(0, "PWRB", 0x80),
                                new AcpiEventDevice.Event(1, "VGEN", 0x80))),
                new AcpiGenerationCounter("VGEN", 0, 0xE0000),
                new AcpiModule(
                        "VMOD",
                        0,
                        List.of(
                                new AcpiResource.MemoryWindow(0xF800_0000L, 64 << 20),
                                new AcpiResource.MemoryWindow(64 * GIB, 4 * GIB)),
                        OptionalInt.of(0),
                        List.of(new AcpiDevice("VMBS", "VMBUS", 0, List.of()))),
                new AcpiDevice(
                        "DEV0",
                        "ACPI0012",
                        3,
                        List.of(new AcpiResource.Memory(0xFE00_0000L, 0x1000), new AcpiResource.Irq(19, false, true)),
                        OptionalInt.of(1)));
    }

    static AcpiTables simple() {
        return AcpiTables.render(
                BASE,
                PLATFORM,
                CpuTopology.flat(2),
                NumaDescription.uniform(1),
                AddressSpacePlan.single(GIB),
                devices());
    }

    /** Four nodes: both, processors only, memory only, neither; speeds stated; APIC IDs past 254; a growth window. */
    static AcpiTables rich() {
        var nodes = new ArrayList<Integer>();
        for (int i = 0; i < 320; i++) {
            nodes.add(i < 160 ? 0 : 1);
        }
        var performance = new ArrayList<List<Performance>>();
        for (int from = 0; from < 4; from++) {
            var row = new ArrayList<Performance>();
            for (int to = 0; to < 4; to++) {
                row.add(new Performance(80 + 10 * to, 90 + 10 * from, 400_000L + 1000L * to, 7_000));
            }
            performance.add(row);
        }
        var numa = new NumaDescription(
                List.of(
                        List.of(10, 21, 31, 255),
                        List.of(22, 10, 20, 20),
                        List.of(20, 20, 10, 20),
                        List.of(20, 20, 20, 10)),
                performance);
        var plan = AddressSpacePlan.builder()
                .node(4 * GIB)
                .node(0)
                .node(2 * GIB, 8 * GIB)
                .build();
        return AcpiTables.render(BASE, PLATFORM, CpuTopology.uniform(2, 1, 80, 2, nodes), numa, plan, devices());
    }

    static AcpiTable table(AcpiTables tables, String signature) {
        return tables.tables().stream()
                .filter(t -> t.signature().equals(signature))
                .findFirst()
                .orElseThrow();
    }
}
