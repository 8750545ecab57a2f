package io.javisor.numa.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.host.CapturedTree;
import io.javisor.numa.host.HostTopology;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** CPUs of vCPUs, on a host of 2 nodes × 2 cores × 2 threads. */
class VcpuAffinityTest {
    private static final long MIB = 1L << 20;

    @TempDir
    Path dir;

    private HostTopology host;

    @BeforeEach
    void host() {
        host = CapturedTree.read("two-sockets", dir);
    }

    private PlacementPlan plan(NumaTopology guest) {
        return PlacementPlanner.plan(HostLoad.of(host), guest);
    }

    @Test
    void floatingInTheNode() {
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(4 * MIB).hostNode(1))
                        .node(x -> x.vcpus(2).memory(4 * MIB).hostNode(0)));
        assertThat(VcpuAffinity.floating(guest, plan(guest)))
                .extracting(CpuSet::toString)
                .containsExactly("4-7", "0-3", "0-3");
    }

    @Test
    void pinnedVcpusGetCoresOfTheirOwnFirst() {
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(3).memory(4 * MIB).hostNode(0)));
        assertThat(VcpuAffinity.pinned(host, guest, plan(guest), CpuSet.EMPTY))
                .extracting(CpuSet::toString)
                .containsExactly("0", "2", "1");
        // Cores that others use come last.
        assertThat(VcpuAffinity.pinned(host, guest, plan(guest), CpuSet.of(0)))
                .extracting(CpuSet::toString)
                .containsExactly("2", "1", "3");
    }

    @Test
    void guestThreadsBecomeHostThreads() {
        NumaTopology guest = NumaTopology.of(
                b -> b.threads(2).node(x -> x.vcpus(2).memory(4 * MIB).hostNode(1)));
        assertThat(VcpuAffinity.pinned(host, guest, plan(guest), CpuSet.EMPTY))
                .extracting(CpuSet::toString)
                .containsExactly("4", "5");
        assertThat(VcpuAffinity.pinned(host, guest, plan(guest), CpuSet.of(5)))
                .extracting(CpuSet::toString)
                .containsExactly("6", "7");
    }

    @Test
    void tooFewCpusAreRefusedWithNumbers() {
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(4).memory(4 * MIB).hostNode(1)));
        List<CpuSet> all = VcpuAffinity.pinned(host, guest, plan(guest), CpuSet.EMPTY);
        assertThat(CpuSet.of(all.stream().mapToInt(CpuSet::first).toArray())).isEqualTo(CpuSet.parse("4-7"));
        assertThatThrownBy(() -> VcpuAffinity.pinned(host, guest, plan(guest), CpuSet.of(6)))
                .hasMessageContaining("numa.nodes[0].vcpus: 4 can't be pinned: host node 1 has 3 CPUs left of 4-7");
    }
}
