package io.javisor.boot;

import io.javisor.boot.acpi.AcpiPlatform;
import io.javisor.boot.acpi.AcpiTables;
import io.javisor.partition.acpi.AcpiNode;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import io.javisor.partition.topology.NumaDescription;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The ACPI tables that were built last, for machines that have the same: tables tell nothing of which machine it is. Safe from any
 * thread.
 */
public final class KnownTables {
    private volatile @Nullable Known last;

    private record Of(
            long gpa,
            AcpiPlatform platform,
            CpuTopology cpus,
            NumaDescription numa,
            AddressSpacePlan plan,
            List<AcpiNode> devices) {}

    private record Known(Of of, AcpiTables tables) {}

    /** None yet. */
    public KnownTables() {}

    AcpiTables render(
            long gpa,
            AcpiPlatform platform,
            CpuTopology cpus,
            NumaDescription numa,
            AddressSpacePlan plan,
            List<AcpiNode> devices) {
        var of = new Of(gpa, platform, cpus, numa, plan, devices);
        Known known = last;
        if (known == null || !known.of.equals(of)) {
            known = new Known(of, AcpiTables.render(gpa, platform, cpus, numa, plan, devices));
            last = known;
        }
        return known.tables;
    }
}
