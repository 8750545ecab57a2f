package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.SpecException;
import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.host.HostTopology;
import io.javisor.partition.MemoryBacking.Policy;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The options that shape processors and memory make the topology that they say. */
class NumaOptionsTest {
    private static NumaTopology topology(String... words) {
        var options = new MachineOptions();
        new CommandLine(CommandLine.Model.CommandSpec.create()
                        .addMixin("machine", CommandLine.Model.CommandSpec.forAnnotatedObject(options)))
                .parseArgs(words);
        return options.spec().numa();
    }

    @Test
    void nodesOneByOne() {
        NumaTopology t = topology(
                "--numa=vcpus=7,memory=514M,host-node=0,policy=bind",
                "--numa=memory=1G,hugepages=1G",
                "--numa=vcpus=1",
                "--numa-distance=0:1=21",
                "--numa-distance=1:0=31",
                "--numa-speed=0:1=250,12800",
                "--hugepages=2M",
                "--pin");
        assertThat(t.nodes().get(0).vcpus()).isEqualTo(CpuSet.parse("0-6"));
        assertThat(t.nodes().get(0).policy()).isEqualTo(Policy.BIND);
        assertThat(t.nodes()).extracting(n -> n.hugePageSize()).containsExactly(2L << 20, 1L << 30, 0L);
        assertThat(t.distance(0, 1)).isEqualTo(21);
        assertThat(t.distance(1, 0)).isEqualTo(31);
        assertThat(t.performance(0, 1).readLatency()).isEqualTo(250);
        assertThat(t.pinned()).isTrue();
        assertThat(t.spanning()).isTrue();
    }

    @Test
    void aMachineOfOneNodeHasThemToo() {
        NumaTopology t = topology("--vcpus=8", "--memory=1G", "--cpu-layout=sockets=2,threads=2", "--numa-strict");
        assertThat(t.nodes()).hasSize(1);
        assertThat(t.processors().sockets()).isEqualTo(2);
        assertThat(t.processors().cores()).isEqualTo(2);
        assertThat(t.spanning()).isFalse();
        assertThat(topology("--hugepages=1G", "--memory=2G").nodes().getFirst().hugePageSize())
                .isEqualTo(1L << 30);
    }

    @Test
    void theHostsShape() {
        NumaTopology host = NumaTopology.mirrorHost(HostTopology.read(), 2, 1L << 30);
        assertThat(topology("--vcpus=2", "--memory=1G", "--numa-mirror")).isEqualTo(host);
        assertThat(topology("--vcpus=4", "--memory=1G", "--numa-mirror=vcpus=1").nodes())
                .hasSize(4);
    }

    @Test
    void allProblemsAtOnce() {
        assertThatThrownBy(() -> topology(
                        "--name= ",
                        "--vcpus=9",
                        "--numa=vcpus=2,memory=3M",
                        "--numa=vcpus=2,host-node=64",
                        "--numa-distance=0:1=9",
                        "--numa-distance=1:1=255"))
                .isInstanceOf(SpecException.class)
                .hasMessageContaining("name")
                .hasMessageContaining("numa.vcpus")
                .hasMessageContaining("numa.nodes[0].memory")
                .hasMessageContaining("numa.nodes[1].hostNode")
                .hasMessageContaining("numa.distances[0:1]")
                .hasMessageContaining("numa.distances[1:1]");
    }
}
