package io.javisor.jmh.alone;

import io.javisor.boot.acpi.AcpiPlatform;
import io.javisor.boot.acpi.AcpiTables;
import io.javisor.numa.NumaTopology;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What the largest topologies cost when a machine is described and powered on: 64 nodes with 16 vCPUs and 1 GiB each. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Thread)
public class TopologyTables {
    private static final int NODES = 64;
    private static final int VCPUS_OF_NODE = 16;

    /** Soft-off and reset by any ports: they are only numbers here. */
    private static final AcpiPlatform PLATFORM = new AcpiPlatform(0x600, 0x601, 0x64, 0xFE, 5, 0);

    private static final long TABLES = 0xE_1000;

    private final NumaTopology topology = described();
    private final CpuTopology cpus = topology.cpuTopology();
    private final AddressSpacePlan plan =
            topology.addressSpace(n -> 0).addressBits(46).build();

    private static NumaTopology described() {
        return NumaTopology.of(t -> {
            for (int n = 0; n < NODES; n++) {
                t.node(x -> x.vcpus(VCPUS_OF_NODE).memory(1L << 30));
                for (int m = 0; m < n; m++) {
                    t.distance(n, m, 12 + (n ^ m));
                }
                t.performance(n, n, 80, 51_200);
            }
        });
    }

    /** Describes the topology and checks it. */
    @Benchmark
    public NumaTopology build() {
        return described();
    }

    /** Gives its vCPUs their APIC IDs, and its memory its addresses. */
    @Benchmark
    public long arrange() {
        CpuTopology arranged = topology.cpuTopology();
        return topology.addressSpace(n -> 0).addressBits(46).build().endOfBootMemory() + arranged.maxApicId();
    }

    /** Renders all of its ACPI tables. */
    @Benchmark
    public AcpiTables render() {
        return AcpiTables.render(TABLES, PLATFORM, cpus, topology.description(), plan, List.of());
    }
}
