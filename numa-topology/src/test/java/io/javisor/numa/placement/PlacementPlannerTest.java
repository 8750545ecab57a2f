package io.javisor.numa.placement;

import static io.javisor.numa.placement.Hosts.GIB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.host.CapturedTree;
import io.javisor.partition.MemoryBacking.Policy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where machines go, and why they don't. */
class PlacementPlannerTest {
    private final HostLoad four = Hosts.even(4, 8, 64 * GIB);

    @TempDir
    Path dir;

    @Test
    void theFirstNodeWithRoomTakesAll() {
        NumaTopology guest = NumaTopology.of(b ->
                b.node(x -> x.vcpus(2).memory(10 * GIB)).node(x -> x.vcpus(2).memory(10 * GIB)));
        PlacementPlan plan = PlacementPlanner.plan(four, guest);
        assertThat(plan.hostNodes()).containsExactly(0);
        assertThat(plan.nodes().get(1).cpus()).isEqualTo(CpuSet.parse("0-7"));
        assertThat(plan.nodes().get(1).policy()).isEqualTo(Policy.PREFERRED);
        assertThat(plan.nodes().get(1).bytes()).isEqualTo(Map.of(0, 10 * GIB));
        HostLoad after = four.plus(plan);
        assertThat(after.nodes().getFirst().memoryFree()).isEqualTo(44 * GIB);
        assertThat(after.nodes().getFirst().vcpus()).isEqualTo(4);
        assertThat(after.minus(plan)).isEqualTo(four);
    }

    @Test
    void fullProcessorsSendTheNextMachineOn() {
        NumaTopology guest = NumaTopology.single(6, GIB);
        HostLoad load = four;
        for (int expected : new int[] {0, 1, 2, 3}) {
            PlacementPlan plan = PlacementPlanner.plan(load, guest);
            assertThat(plan.hostNodes()).containsExactly(expected);
            load = load.plus(plan);
        }
        // All are too full for six more: the least loaded is taken.
        HostLoad less = load.plus(PlacementPlanner.plan(load, NumaTopology.single(2, GIB)));
        assertThat(PlacementPlanner.plan(less, guest).hostNodes()).containsExactly(1);
    }

    @Test
    void elseTheFewestNodesThatLieClosest() {
        NumaTopology guest = NumaTopology.of(b ->
                b.node(x -> x.vcpus(4).memory(40 * GIB)).node(x -> x.vcpus(4).memory(40 * GIB)));
        HostLoad load = four.plus(PlacementPlanner.plan(four, NumaTopology.single(1, 30 * GIB)));
        PlacementPlan plan = PlacementPlanner.plan(load, guest);
        assertThat(plan.hostNodes()).containsExactly(2, 3);
        assertThat(PlacementPlanner.plan(four, guest).hostNodes()).containsExactly(0, 1);
    }

    @Test
    void namedNodesGoWhereTheySay() {
        NumaTopology guest = NumaTopology.of(b -> b.node(
                        x -> x.vcpus(1).memory(GIB).hostNode(2))
                .node(x -> x.vcpus(1).memory(4 * GIB).hostNode(1).hostNode(3).policy(Policy.INTERLEAVE))
                .node(x -> x.memory(100 * GIB).hostNode(1).policy(Policy.PREFERRED))
                .node(x -> x.vcpus(2)));
        PlacementPlan plan = PlacementPlanner.plan(four, guest);
        assertThat(plan.nodes().get(0).bytes()).isEqualTo(Map.of(2, GIB));
        assertThat(plan.nodes().get(0).cpuNode()).isEqualTo(2);
        assertThat(plan.nodes().get(1).bytes()).isEqualTo(Map.of(1, 2 * GIB, 3, 2 * GIB));
        assertThat(plan.nodes().get(1).hostNodeMask()).isEqualTo(0b1010);
        // Preferred memory that its node can't hold goes to the nearest.
        assertThat(plan.nodes().get(2).bytes()).isEqualTo(Map.of(1, 62 * GIB, 0, 38 * GIB));
        assertThat(plan.nodes().get(3).bytes()).isEmpty();
        assertThat(plan.nodes().get(3).cpus()).isEqualTo(CpuSet.parse("0-7"));
    }

    @Test
    void aNodeLargerThanAnyHostNodeSpansOrIsRefused() {
        NumaTopology wide = NumaTopology.single(2, 100 * GIB);
        PlacementPlan plan = PlacementPlanner.plan(four, wide);
        assertThat(plan.nodes().getFirst().bytes()).isEqualTo(Map.of(0, 64 * GIB, 1, 36 * GIB));
        assertThat(plan.nodes().getFirst().policy()).isEqualTo(Policy.BIND);
        NumaTopology strict = NumaTopology.of(
                b -> b.spanning(false).node(x -> x.vcpus(2).memory(100 * GIB)).node(x -> x.memory(GIB)));
        assertThatThrownBy(() -> PlacementPlanner.plan(four, strict))
                .isInstanceOfSatisfying(TopologyException.class, e -> {
                    assertThat(e.code()).isEqualTo("numa-spanning");
                    assertThat(e.problems()).hasSize(1);
                })
                .hasMessageContaining("numa.nodes[0].memory: needs 102400 MiB on one host node")
                .hasMessageContaining("at most 65536 MiB are free")
                .hasMessageContaining("host node 3 has 65536 MiB");
        assertThat(PlacementPlanner.checkSpanning(four, strict)).hasSize(1);
        assertThat(PlacementPlanner.checkSpanning(four, wide)).isEmpty();
        NumaTopology fits =
                NumaTopology.of(b -> b.spanning(false).node(x -> x.vcpus(2).memory(60 * GIB)));
        assertThat(PlacementPlanner.checkSpanning(four, fits)).isEmpty();
        assertThat(PlacementPlanner.plan(four, fits).nodes().getFirst().policy())
                .isEqualTo(Policy.BIND);
    }

    @Test
    void strictNodesThatFitOnlyOneByOneAreRefusedToo() {
        NumaTopology five = NumaTopology.of(b -> {
            b.spanning(false);
            for (int i = 0; i < 5; i++) {
                b.node(x -> x.vcpus(1).memory(40 * GIB));
            }
        });
        assertThatThrownBy(() -> PlacementPlanner.plan(four, five))
                .hasMessageContaining("not all of them beside each other")
                .hasMessageContaining("= 204800 MiB");
    }

    @Test
    void strictNamedNodesShareTheirHostNode() {
        NumaTopology two = NumaTopology.of(b -> b.spanning(false)
                .node(x -> x.vcpus(1).memory(40 * GIB).hostNode(1))
                .node(x -> x.vcpus(1).memory(40 * GIB).hostNode(1)));
        assertThatThrownBy(() -> PlacementPlanner.plan(four, two))
                .hasMessageContaining(
                        "numa.nodes[1].memory: needs 40960 MiB on one host node, but of host node 1 at most"
                                + " 24576 MiB are free");
    }

    @Test
    void whatTheHostLacksIsSaid() {
        assertThatThrownBy(() -> PlacementPlanner.plan(
                        four,
                        NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(GIB).hostNode(9)))))
                .hasMessageContaining("numa.nodes[0].hostNode: host node 9 is not there; this host has 0, 1, 2, 3");
        assertThatThrownBy(() -> PlacementPlanner.plan(four, NumaTopology.single(1, 1000 * GIB)))
                .isInstanceOfSatisfying(
                        TopologyException.class, e -> assertThat(e.code()).isEqualTo("numa-placement"))
                .hasMessageContaining("needs 1024000 MiB, but at most 262144 MiB are free");
        assertThatThrownBy(() -> PlacementPlanner.plan(
                        four,
                        NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(GIB).hugePages(GIB)))))
                .hasMessageContaining("in huge pages of 1024 MiB");
    }

    @Test
    void hugePagesAreCountedApart() {
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(10 * GIB).hugePages(2 << 20)));
        HostLoad load = four;
        PlacementPlan first = PlacementPlanner.plan(load, guest);
        load = load.plus(first);
        assertThat(load.nodes().getFirst().memoryFree()).isEqualTo(64 * GIB);
        assertThat(load.nodes().getFirst().free(2 << 20)).isEqualTo(6 * GIB);
        assertThat(PlacementPlanner.plan(load, guest).hostNodes()).containsExactly(1);
        assertThat(load.minus(first)).isEqualTo(four);
    }

    @Test
    void memoryOnlyHostNodesAreForThoseWhoNameThem() {
        HostLoad load = HostLoad.of(CapturedTree.read("memory-only", dir));
        NumaTopology large = NumaTopology.single(1, 300L << 20);
        assertThat(load.nodes().get(2).memoryFree()).isGreaterThan(300L << 20);
        assertThat(PlacementPlanner.plan(load, large).hostNodes()).doesNotContain(2);
        NumaTopology named =
                NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(64 << 20).hostNode(2)));
        PlacementPlan plan = PlacementPlanner.plan(load, named);
        assertThat(plan.nodes().getFirst().bytes()).containsOnlyKeys(2);
        assertThat(plan.nodes().getFirst().cpuNode()).isEqualTo(1);
    }

    @Test
    void hostsWithHolesAndClosedNodes() {
        NumaTopology guest = NumaTopology.single(2, 64L << 20);
        HostLoad memoryless = HostLoad.of(CapturedTree.read("memoryless", dir));
        HostLoad cpuset = HostLoad.of(CapturedTree.read("cpuset", dir));
        assertThat(PlacementPlanner.plan(memoryless, guest).hostNodes()).containsExactly(0);
        assertThat(PlacementPlanner.plan(cpuset, guest).nodes().getFirst().cpus())
                .isEqualTo(CpuSet.parse("0-1"));
        assertThat(cpuset.nodes().get(1).memoryFree()).isZero();
        NumaTopology closed = NumaTopology.of(
                b -> b.spanning(false).node(x -> x.vcpus(1).memory(64 << 20).hostNode(1)));
        assertThat(PlacementPlanner.checkSpanning(cpuset, closed))
                .singleElement()
                .asString()
                .contains("host node 1 at most 0 MiB");
    }

    @Test
    void aHostWithoutProcessorsForUs() {
        HostLoad load =
                new HostLoad(List.of(new HostLoad.Node(0, CpuSet.EMPTY, GIB, Map.of(), 0)), List.of(List.of(10)));
        assertThatThrownBy(() -> PlacementPlanner.plan(load, NumaTopology.single(1, 2 << 20)))
                .hasMessageContaining("no host node has processors");
    }
}
