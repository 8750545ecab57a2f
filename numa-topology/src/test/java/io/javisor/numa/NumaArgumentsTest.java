package io.javisor.numa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.MemoryBacking.Policy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Topologies as they are typed. */
class NumaArgumentsTest {
    @Test
    void everyKey() {
        NumaTopology t = NumaArguments.parse(
                        List.of(
                                "vcpus=2,memory=1G,host-node=0,policy=bind",
                                " VCPUS=1 , memory=512MiB,host-node=1,host-node=2,policy=interleave",
                                "memory=4194304,hugepages=2M",
                                "vcpus=1"),
                        List.of("0:1=21", " 1 : 0 = 31 "))
                .build();
        assertThat(t.nodes().get(0)).isEqualTo(new NumaNode(CpuSet.parse("0-1"), 1L << 30, List.of(0), Policy.BIND, 0));
        assertThat(t.nodes().get(1))
                .isEqualTo(new NumaNode(CpuSet.of(2), 512L << 20, List.of(1, 2), Policy.INTERLEAVE, 0));
        assertThat(t.nodes().get(2)).isEqualTo(new NumaNode(CpuSet.EMPTY, 4 << 20, List.of(), Policy.DEFAULT, 2 << 20));
        assertThat(t.distance(0, 1)).isEqualTo(21);
        assertThat(t.distance(1, 0)).isEqualTo(31);
    }

    @Test
    void everyMistakeAtOnce() {
        assertThatThrownBy(() -> NumaArguments.parse(
                        List.of(
                                "vcpus=two,memory=1X",
                                "cpus=1",
                                "vcpus=1,vcpus=2",
                                "",
                                "policy=strict,memory=",
                                "memory=99999999T"),
                        List.of("0-1=21", "0:1", "a:b=c")))
                .isInstanceOfSatisfying(
                        TopologyException.class,
                        e -> assertThat(e.problems())
                                .extracting(TopologyProblem::toString)
                                .containsExactly(
                                        "--numa[0].vcpus: \"two\" is not a number",
                                        "--numa[0].memory: \"1X\" is not a memory size; write 512M, 2G or a number of"
                                                + " bytes",
                                        "--numa[1]: \"cpus\" is unknown; possible are vcpus, memory, host-node, policy"
                                                + " and hugepages",
                                        "--numa[2].vcpus: is given twice",
                                        "--numa[3]: \"\" is not key=value; write vcpus=2,memory=1G,host-node=0",
                                        "--numa[4].policy: \"strict\" is unknown; possible are bind, preferred and"
                                                + " interleave",
                                        "--numa[4]: \"memory=\" is not key=value; write vcpus=2,memory=1G,host-node=0",
                                        "--numa[5].memory: \"99999999T\" is too large",
                                        "--numa-distance[0]: \"0-1=21\" is not from:to=value, such as 0:1=21",
                                        "--numa-distance[1]: \"0:1\" is not from:to=value, such as 0:1=21",
                                        "--numa-distance[2]: \"a:b=c\" is not from:to=value, such as 0:1=21"));
    }

    @Test
    void speedsLayoutAndMirror() {
        NumaTopologyBuilder b = NumaTopology.builder();
        NumaArguments.describe(
                b,
                List.of("vcpus=8,memory=514M", "memory=1G"),
                List.of(),
                List.of("0:0=80,51200", "0:1=250"),
                List.of("sockets=1,cores=4,threads=2"));
        NumaTopology t = b.build();
        assertThat(t.performance(0, 0)).isEqualTo(new MemoryPerformance(80, 80, 51_200, 51_200));
        assertThat(t.performance(0, 1)).isEqualTo(new MemoryPerformance(250, 250, 0, 0));
        assertThat(t.processors().threads()).isEqualTo(2);
        assertThat(t.processors().cores()).isEqualTo(4);
        MirrorLimits host = new MirrorLimits(8, 1L << 40, 1);
        assertThat(NumaArguments.limits("", host)).isEqualTo(host);
        assertThat(NumaArguments.limits("vcpus=4,nodes-per-socket=2", host))
                .isEqualTo(new MirrorLimits(4, 1L << 40, 2));
        assertThat(NumaArguments.limits("memory=16G", host)).isEqualTo(new MirrorLimits(8, 16L << 30, 1));
    }

    @Test
    void mistakesInThem() {
        assertThatThrownBy(() -> NumaArguments.describe(
                        NumaTopology.builder(),
                        List.of(),
                        List.of(),
                        List.of("0:1", "0:1=fast"),
                        List.of("sockets=x,threads=2,threads=2,rows=1,cores")))
                .hasMessageContaining("--numa-speed[0]: \"0:1\" is not from:to=nanoseconds,MiB-a-second")
                .hasMessageContaining("--numa-speed[1]: \"0:1=fast\" is not")
                .hasMessageContaining("--cpu-layout.sockets: \"x\" is not a number")
                .hasMessageContaining("--cpu-layout.threads: is given twice")
                .hasMessageContaining("--cpu-layout: \"rows\" is unknown; possible are sockets, dies")
                .hasMessageContaining("--cpu-layout: \"cores\" is not key=value");
        assertThatThrownBy(() -> NumaArguments.limits("vcpus=0,memory=1M,sockets=2", new MirrorLimits(1, 2 << 20, 1)))
                .hasMessageContaining("--numa-mirror.vcpus: 0; at least 1 is possible")
                .hasMessageContaining("--numa-mirror.memory: 1048576; at least 2097152 is possible")
                .hasMessageContaining("--numa-mirror: \"sockets\" is unknown");
    }
}
