package io.javisor.numa.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.host.CapturedTree;
import io.javisor.numa.host.HostTopology;
import io.javisor.partition.MemoryBacking.Policy;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machines that are placed one after another leave each other's memory and processors alone. */
class PlacedMachinesTest {
    private static final long MIB = 1L << 20;

    @TempDir
    Path dir;

    private PlacedMachines placed;

    /** Two sockets with two cores of two threads, and less than 256 MiB, each. */
    @BeforeEach
    void host() {
        HostTopology host = CapturedTree.read("two-sockets", dir);
        placed = new PlacedMachines(() -> host);
    }

    private MachineNuma place(NumaTopology guest) {
        return placed.place(guest, List::of);
    }

    private static NumaTopology strict(int vcpus, long memory) {
        return NumaTopology.of(t -> t.spanning(false).node(n -> n.vcpus(vcpus).memory(memory)));
    }

    @Test
    void whatIsPlannedIsTakenAlthoughNobodyHasTouchedIt() {
        MachineNuma first = place(strict(1, 120 * MIB));
        MachineNuma second = place(strict(1, 120 * MIB));
        assertThat(first.plan().hostNodes()).containsExactly(0);
        assertThat(second.plan().hostNodes()).containsExactly(1);
        assertThatThrownBy(() -> place(strict(1, 120 * MIB)))
                .isInstanceOfSatisfying(
                        TopologyException.class, e -> assertThat(e.code()).isEqualTo("numa-spanning"));
        placed.remove(first);
        assertThat(place(strict(1, 120 * MIB)).plan().hostNodes()).containsExactly(0);
    }

    @Test
    void fullProcessorsSendTheNextMachineOn() {
        assertThat(place(strict(3, 8 * MIB)).plan().hostNodes()).containsExactly(0);
        assertThat(place(strict(2, 8 * MIB)).plan().hostNodes()).containsExactly(1);
    }

    @Test
    void pinnedVcpusGetCpusThatNobodyElseHas() {
        NumaTopology two =
                NumaTopology.of(t -> t.pinned(true).node(n -> n.vcpus(2).memory(8 * MIB)));
        MachineNuma first = place(two);
        MachineNuma second = place(two);
        MachineNuma third = place(two);
        CpuSet all = first.pins().or(second.pins()).or(third.pins());
        assertThat(all.size()).isEqualTo(6);
        MachineNuma last = place(two);
        assertThat(all.or(last.pins())).isEqualTo(CpuSet.range(0, 8));
        assertThatThrownBy(() -> place(two))
                .isInstanceOfSatisfying(
                        TopologyException.class, e -> assertThat(e.code()).isEqualTo("numa-pinning"));
        placed.remove(second);
        assertThat(place(two).pins()).isEqualTo(second.pins());
    }

    @Test
    void aPinnedNodeMovesToFreeCpusOnly() {
        NumaTopology four =
                NumaTopology.of(t -> t.pinned(true).node(n -> n.vcpus(4).memory(8 * MIB)));
        MachineNuma first = place(four);
        assertThat(first.pins()).isEqualTo(CpuSet.parse("0-3"));
        MachineNuma second =
                place(NumaTopology.of(t -> t.pinned(true).node(n -> n.vcpus(1).memory(8 * MIB))));
        assertThat(second.pins()).isEqualTo(CpuSet.of(4));
        assertThatThrownBy(() -> first.move(0, 1))
                .isInstanceOfSatisfying(
                        TopologyException.class, e -> assertThat(e.code()).isEqualTo("numa-move"))
                .hasMessageContaining("4 can't be pinned: host node 1 has 3 CPUs left of 4-7");
        assertThat(first.pins()).isEqualTo(CpuSet.parse("0-3"));
        placed.remove(second);
        first.move(0, 1);
        assertThat(first.pins()).isEqualTo(CpuSet.parse("4-7"));
    }

    /** Memory is only reserved: who may span may reserve more than there is. */
    @Test
    void moreThanTheHostHasIsPlannedInProportion() {
        MachineNuma large = place(NumaTopology.of(t -> t.node(n -> n.vcpus(1).memory(300L << 30))
                .node(n -> n.memory(300L << 30))
                .node(n -> n.vcpus(1))));
        assertThat(large.plan().nodes()).hasSize(3);
        assertThat(large.plan().nodes().getFirst().policy()).isEqualTo(Policy.PREFERRED);
        assertThatThrownBy(() -> place(strict(1, 300L << 30)))
                .hasMessageContaining("needs 307200 MiB on one host node");
        assertThatThrownBy(() -> place(NumaTopology.of(
                        t -> t.hugePages(2 * MIB).node(n -> n.vcpus(1).memory(300L << 30)))))
                .hasMessageContaining("in huge pages of 2 MiB");
    }
}
