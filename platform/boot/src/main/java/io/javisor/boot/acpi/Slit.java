package io.javisor.boot.acpi;

import io.javisor.partition.topology.NumaDescription;

/** The System Locality Information Table (ACPI 6.5 section 5.2.17): how far nodes are apart, row by row. */
final class Slit {
    private Slit() {}

    static AcpiTable render(NumaDescription numa) {
        var b = new Bytes().u64(numa.nodes());
        for (int from = 0; from < numa.nodes(); from++) {
            for (int to = 0; to < numa.nodes(); to++) {
                b.u8(numa.distance(from, to));
            }
        }
        return AcpiTable.of("SLIT", 1, b.toArray());
    }
}
