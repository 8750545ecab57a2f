package io.javisor.numa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.MemoryBacking.Policy;
import io.javisor.partition.topology.AddressSpacePlan;
import io.javisor.partition.topology.CpuTopology;
import io.javisor.partition.topology.NumaDescription;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Good topologies, and everything that can be wrong with bad ones. */
class NumaTopologyTest {
    private static final long GIB = 1L << 30;

    private static List<String> problems(Consumer<NumaTopologyBuilder> spec) {
        var b = NumaTopology.builder();
        spec.accept(b);
        List<String> found =
                b.validate().stream().map(TopologyProblem::toString).toList();
        if (!found.isEmpty()) {
            assertThatThrownBy(b::build).isInstanceOfSatisfying(TopologyException.class, e -> {
                assertThat(e.code()).isEqualTo("numa-spec");
                assertThat(e.problems()).hasSameSizeAs(found);
                found.forEach(p -> assertThat(e.getMessage()).contains(p));
            });
        }
        return found;
    }

    @Test
    void nodesOfEveryKind() {
        NumaTopology t =
                NumaTopology.of(b -> b.node(x -> x.vcpus(2).memory(2 * GIB).hostNode(0))
                        .node(x -> x.vcpus(3))
                        .node(x -> x.memory(GIB).hugePages(GIB))
                        .node(x -> {})
                        .distance(0, 1, 21)
                        .distance(1, 0, 31)
                        .distance(2, 0, 17)
                        .distance(0, 3, NumaTopology.UNREACHABLE));
        assertThat(t.vcpus()).isEqualTo(5);
        assertThat(t.memory()).isEqualTo(3 * GIB);
        assertThat(t.nodes().get(1).vcpus()).hasToString("2-4");
        assertThat(t.nodeOf(4)).isEqualTo(1);
        assertThat(t.distance(0, 0)).isEqualTo(10);
        assertThat(t.distance(0, 1)).isEqualTo(21);
        assertThat(t.distance(1, 0)).isEqualTo(31);
        assertThat(t.distance(0, 2)).isEqualTo(17);
        assertThat(t.distance(2, 0)).isEqualTo(17);
        assertThat(t.distance(1, 2)).isEqualTo(20);
        assertThat(t.distance(3, 0)).isEqualTo(255);
        assertThat(t.nodes().get(0).policy()).isEqualTo(Policy.PREFERRED);
        assertThat(t.nodes().get(0).hostNodeMask()).isEqualTo(1);
        assertThat(t.nodes().get(1).policy()).isEqualTo(Policy.DEFAULT);
        assertThat(t.cpuTopology().vcpus()).extracting(v -> v.node()).containsExactly(0, 0, 1, 1, 1);
    }

    @Test
    void valuesForTablesAndAddresses() {
        NumaTopology t = NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(4 * GIB))
                .node(x -> x.memory(2 * GIB).hugePages(GIB))
                .distance(0, 1, 24)
                .performance(0, 1, 250, 10_000));
        NumaDescription d = t.description();
        assertThat(d.distance(1, 0)).isEqualTo(24);
        assertThat(d.performance(0, 1).readLatency()).isEqualTo(250);
        assertThat(d.hasPerformance()).isTrue();
        AddressSpacePlan plan =
                t.addressSpace(n -> n == 1 ? GIB : 0).addressBits(40).build();
        assertThat(plan.bootBytes(0)).isEqualTo(4 * GIB);
        assertThat(plan.growthWindows())
                .singleElement()
                .satisfies(w -> assertThat(w.node()).isEqualTo(1));
    }

    @Test
    void sixtyFourNodesAndAThousandVcpus() {
        NumaTopology t = NumaTopology.of(b -> {
            for (int n = 0; n < 64; n++) {
                b.node(x -> x.vcpus(16).memory(16 * GIB));
            }
        });
        assertThat(t.vcpus()).isEqualTo(1024);
        assertThat(t.nodeOf(1023)).isEqualTo(63);
        assertThat(t.cpuTopology().needsX2apic()).isTrue();
        assertThat(t.memory()).isEqualTo(1L << 40);
    }

    @Test
    void vcpusByIndexMayBeMixed() {
        NumaTopology t = NumaTopology.of(b -> b.node(x -> x.vcpuIndexes(1, 3).memory(GIB))
                .node(x -> x.vcpuIndexes(CpuSet.parse("0,2")).memory(GIB)));
        assertThat(t.nodeOf(0)).isEqualTo(1);
        // vCPU 0 boots the machine: APIC ID 0, whatever its node.
        assertThat(t.cpuTopology().apicId(0)).isZero();
        assertThat(t.cpuTopology().apicId(2)).isEqualTo(1);
        assertThat(t.cpuTopology().apicId(1)).isEqualTo(2);
    }

    @Test
    void nodesThatShareASocketHaveCachesOfTheirOwn() {
        NumaTopology t = NumaTopology.of(b -> b.node(x -> x.vcpus(3).memory(GIB))
                .node(x -> x.vcpus(3))
                .node(x -> x.vcpus(3))
                .nodesPerSocket(2));
        var cpus = t.cpuTopology();
        assertThat(t.processors().sockets()).isEqualTo(2);
        assertThat(cpus.sharing(0, cpus.socketShift())).isEqualTo(6);
        assertThat(cpus.sharing(0, cpus.cacheShift())).isEqualTo(3);
        assertThat(cpus.sharing(8, cpus.socketShift())).isEqualTo(3);
    }

    @Test
    void policyDefaultsFollowSpanning() {
        Consumer<NumaTopologyBuilder> one =
                b -> b.node(x -> x.vcpus(1).memory(GIB).hostNode(3));
        assertThat(NumaTopology.of(one.andThen(b -> b.spanning(false)))
                        .nodes()
                        .getFirst()
                        .policy())
                .isEqualTo(Policy.BIND);
        NumaTopology two = NumaTopology.of(
                b -> b.node(x -> x.vcpus(1).memory(GIB).hostNode(5).hostNode(2)));
        assertThat(two.nodes().getFirst().hostNodes()).containsExactly(2, 5);
        assertThat(two.nodes().getFirst().policy()).isEqualTo(Policy.BIND);
    }

    @Test
    void allProblemsAtOnce() {
        assertThat(problems(b -> b.vcpus(9)
                        .node(x -> x.vcpus(2).memory(3 << 20))
                        .node(x ->
                                x.vcpus(-1).memory(-5).hostNode(64).hostNode(1).hostNode(1))
                        .node(x -> x.vcpus(2)
                                .memory(GIB + (2 << 20))
                                .hugePages(GIB)
                                .policy(Policy.BIND))
                        .distance(0, 0, 255)
                        .distance(0, 1, 10)
                        .distance(1, 2, 256)
                        .distance(0, 7, 20)
                        .distance(2, 0, 30)
                        .distance(2, 0, 31)
                        .performance(0, 1, -1, -1)
                        .performance(5, 0, 1, 1)))
                .containsExactly(
                        "numa.nodes[0].memory: 3145728 bytes is not a multiple of 2 MiB (2097152)",
                        "numa.nodes[1].memory: -5 bytes; possible are 0 to 8796090925056",
                        "numa.nodes[1].hostNode: 64 is no host node; possible are 0 to 63",
                        "numa.nodes[1].hostNode: 1 is given twice",
                        "numa.nodes[2].memory: 1075838976 bytes is not a multiple of its huge pages of 1 GiB",
                        "numa.nodes[2].policy: BIND needs a host node; say which with hostNode(..)",
                        "numa.nodes[1].vcpus: -1; possible are 0 to 4096 for the whole machine",
                        "numa.distances[0:0]: 255; a node's distance to itself is 10, and it can't be out of its own"
                                + " reach",
                        "numa.distances[0:1]: 10; possible are 11 to 254, or 255 for unreachable",
                        "numa.distances[1:2]: 256; possible are 11 to 254, or 255 for unreachable",
                        "numa.distances[0:7]: there is no such node; nodes are 0 to 2",
                        "numa.distances[2:0]: is given twice (30 and 31)",
                        "numa.performance[0:1]: latency -1 ns; possible are 0 to 65534",
                        "numa.performance[0:1]: latency -1 ns; possible are 0 to 65534",
                        "numa.performance[0:1]: bandwidth -1 MiB/s; possible are 0 to 68717379584",
                        "numa.performance[0:1]: bandwidth -1 MiB/s; possible are 0 to 68717379584",
                        "numa.performance[5:0]: there is no such node; nodes are 0 to 2");
    }

    @Test
    void emptyAndTooMany() {
        assertThat(problems(b -> {})).containsExactly("numa.nodes: there are none; a machine needs at least one node");
        assertThat(problems(b -> {
                    for (int i = 0; i < 65; i++) {
                        b.node(x -> x.vcpus(1).memory(GIB));
                    }
                }))
                .containsExactly("numa.nodes: there are 65; at most 64 are possible");
        assertThat(problems(b -> b.node(x -> {})))
                .containsExactly("numa.nodes: no node has memory", "numa.nodes: no node has a vCPU");
        assertThat(problems(b -> b.node(x -> x.vcpus(4000).memory(GIB)).node(x -> x.vcpus(97))))
                .containsExactly("numa.vcpus: the nodes have 4097 together; at most 4096 are possible");
        assertThat(problems(b -> b.node(x -> x.vcpus(Integer.MAX_VALUE).memory(Long.MAX_VALUE))))
                .hasSize(2);
    }

    @Test
    void vcpusOnNoNodeOrOnTwo() {
        assertThat(problems(b -> b.vcpus(6).node(x -> x.vcpus(4).memory(GIB))))
                .containsExactly("numa.vcpus: vCPU 4-5 on no node: the nodes have 4 of 6");
        assertThat(problems(b -> b.vcpus(3).node(x -> x.vcpus(4).memory(GIB))))
                .containsExactly("numa.vcpus: the nodes have 4 together, but there are 3");
        assertThat(problems(b -> b.node(x -> x.vcpuIndexes(0, 1, 1).memory(GIB)).node(x -> x.vcpuIndexes(1, 4, -2))))
                .containsExactly(
                        "numa.nodes[0].vcpus: vCPU 1 is named twice",
                        "numa.nodes[1].vcpus: vCPU 1 belongs to node 0 already",
                        "numa.nodes[1].vcpus: vCPU -2 is out of range 0 to 4095",
                        "numa.vcpus: vCPU 2-3 on no node");
        assertThat(problems(b -> b.node(x -> x.vcpuIndexes(0).memory(GIB)).node(x -> x.vcpus(2))))
                .singleElement()
                .asString()
                .startsWith("numa.nodes[1].vcpus: a count (2) beside nodes that name their vCPUs");
    }

    @Test
    void processorsThatDontAddUp() {
        assertThat(problems(b ->
                        b.sockets(2).cores(2).threads(2).node(x -> x.vcpus(6).memory(GIB))))
                .containsExactly(
                        "numa.sockets: 2 sockets × 1 dies × 2 cores × 2 threads make 8 vCPUs, but the nodes have 6");
        assertThat(problems(b -> b.sockets(1)
                        .threads(2)
                        .node(x -> x.vcpus(1).memory(GIB))
                        .node(x -> x.vcpus(3))))
                .containsExactly("numa.threads: vCPUs 0 and 1 are threads of one core, but belong to nodes 0 and 1");
        assertThat(problems(b -> b.threads(2).node(x -> x.vcpus(3).memory(GIB))))
                .containsExactly("numa.nodes[0].vcpus: 3 is not a multiple of the 2 threads of a core");
        assertThat(problems(b -> b.dies(-1)
                        .cores(5000)
                        .nodesPerSocket(0)
                        .node(x -> x.vcpus(3).memory(GIB))))
                .hasSize(3);
        assertThat(problems(b -> b.sockets(4096)
                        .dies(4096)
                        .cores(4096)
                        .threads(4096)
                        .node(x -> x.vcpus(1).memory(GIB))))
                .hasSize(1);
    }

    @Test
    void unreachableMemoryAndSpanning() {
        assertThat(problems(
                        b -> b.node(x -> x.vcpus(1)).node(x -> x.memory(GIB)).distance(0, 1, NumaTopology.UNREACHABLE)))
                .containsExactly("numa.nodes[0]: its vCPUs reach no memory: distances [10, 255]");
        assertThat(problems(b -> b.spanning(false)
                        .node(x -> x.vcpus(1).memory(GIB).hostNode(0).hostNode(1))
                        .node(x -> x.memory(GIB).hostNode(0).policy(Policy.PREFERRED))))
                .hasSize(2)
                .allMatch(p -> p.contains("spanning is not allowed"));
        assertThat(problems(b -> b.node(
                        x -> x.vcpus(1).memory(GIB).hostNode(0).hostNode(1).policy(Policy.PREFERRED))))
                .singleElement()
                .asString()
                .contains("PREFERRED takes one host node, not 0, 1");
    }

    @Test
    void equalDescriptionsMakeEqualTopologies() {
        Consumer<NumaTopologyBuilder> spec =
                b -> b.node(x -> x.vcpus(2).memory(GIB)).node(x -> x.memory(GIB));
        assertThat(NumaTopology.of(spec)).isEqualTo(NumaTopology.of(spec)).hasSameHashCodeAs(NumaTopology.of(spec));
        assertThat(NumaTopology.of(spec)).isNotEqualTo(NumaTopology.of(spec.andThen(b -> b.distance(0, 1, 30))));
        assertThat(NumaTopology.single(2, GIB).nodes()).hasSize(1);
    }

    @Test
    void hugePagesOfTheMachineAreThoseOfNodesThatSayNothing() {
        NumaTopology t = NumaTopology.of(b -> b.hugePages(2 << 20)
                .node(x -> x.vcpus(1).memory(GIB).hugePages(GIB))
                .node(x -> x.memory(514 << 20))
                .node(x -> x.vcpus(1)));
        assertThat(t.nodes()).extracting(NumaNode::hugePageSize).containsExactly(GIB, 2L << 20, 0L);
        assertThat(problems(b -> b.hugePages(4096).node(x -> x.vcpus(1).memory(GIB))))
                .containsExactly("numa.hugePages: 4096 bytes; possible are 0 (none), 2 MiB and 1 GiB");
        assertThat(problems(b -> b.hugePages(GIB).node(x -> x.vcpus(1).memory(514 << 20))))
                .containsExactly("numa.nodes[0].memory: 538968064 bytes is not a multiple of its huge pages of 1 GiB");
    }

    /** Any nodes: no core and no cache is divided between nodes, and addresses hold exactly the nodes' memory. */
    @Test
    void aThousandRandomShapes() {
        for (int seed = 0; seed < 1_000; seed++) {
            var random = new Random(seed);
            int count = 1 + random.nextInt(random.nextInt(8) == 0 ? 64 : 8);
            var b = NumaTopology.builder();
            for (int n = 0; n < count; n++) {
                int node = n;
                boolean full = n == random.nextInt(count) || n == count - 1;
                int cpus = full || random.nextInt(3) > 0 ? 1 + random.nextInt(random.nextInt(4) == 0 ? 40 : 9) : 0;
                long memory = full || random.nextInt(3) > 0 ? (1L + random.nextInt(3000)) << 21 : 0;
                b.node(x -> x.vcpus(cpus).memory(memory));
                for (int m = 0; m < node; m++) {
                    if (random.nextBoolean()) {
                        b.distance(node, m, 11 + random.nextInt(244)).distance(m, node, 11 + random.nextInt(244));
                    }
                }
            }
            b.nodesPerSocket(1 + random.nextInt(3));
            NumaTopology t = b.build();
            CpuTopology cpus = t.cpuTopology(random.nextInt(4));
            for (int v = 0; v < t.vcpus(); v++) {
                assertThat(cpus.node(v)).isEqualTo(t.nodeOf(v));
                for (int w = 0; w < v; w++) {
                    if (cpus.apicId(v) >>> cpus.cacheShift() == cpus.apicId(w) >>> cpus.cacheShift()) {
                        assertThat(cpus.node(w)).as("seed %d", seed).isEqualTo(cpus.node(v));
                    }
                }
            }
            AddressSpacePlan plan = t.addressSpace(n -> 0).addressBits(46).build();
            for (int n = 0; n < count; n++) {
                assertThat(plan.bootBytes(n)).isEqualTo(t.nodes().get(n).memory());
                assertThat(plan.backingBytes(n)).isEqualTo(t.nodes().get(n).memory());
            }
        }
    }
}
