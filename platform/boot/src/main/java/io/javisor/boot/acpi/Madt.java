package io.javisor.boot.acpi;

import io.javisor.partition.topology.CpuTopology;

/**
 * The Multiple APIC Description Table (ACPI 6.5 section 5.2.12): vCPUs in order, by local APIC structures up to APIC ID 254 and
 * by local x2APIC structures beyond, and one IOAPIC. There are no 8259s. A vCPU's processor UID is its index.
 */
final class Madt {
    /** Where KVM's in-kernel local APICs are (APIC_DEFAULT_PHYS_BASE). */
    private static final int LOCAL_APIC = 0xFEE0_0000;

    /** Where KVM's in-kernel IOAPIC is (IOAPIC_DEFAULT_BASE_ADDRESS). */
    private static final int IO_APIC = 0xFEC0_0000;

    private static final int ENABLED = 1;
    private static final int ALL_XAPIC = 0xFF;
    private static final int ALL_X2APIC = -1;

    private Madt() {}

    static AcpiTable render(CpuTopology cpus) {
        var b = new Bytes().u32(LOCAL_APIC).u32(0);
        for (int i = 0; i < cpus.count(); i++) {
            int id = cpus.apicId(i);
            if (id <= CpuTopology.MAX_XAPIC_ID && i <= 0xFE) {
                b.u8(0).u8(8).u8(i).u8(id).u32(ENABLED);
            } else {
                b.u8(9).u8(16).u16(0).u32(id).u32(ENABLED).u32(i);
            }
        }
        b.u8(1).u8(12).u8(0).u8(0).u32(IO_APIC).u32(0);
        // NMIs come by LINT1 of every local APIC.
        b.u8(4).u8(6).u8(ALL_XAPIC).u16(0).u8(1);
        if (cpus.needsX2apic()) {
            b.u8(10).u8(12).u16(0).u32(ALL_X2APIC).u8(1).zeros(3);
        }
        return AcpiTable.of("APIC", 6, b.toArray());
    }
}
