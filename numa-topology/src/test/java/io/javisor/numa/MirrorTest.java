package io.javisor.numa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.numa.host.CapturedTree;
import io.javisor.numa.host.HostTopology;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Topologies in the host's own shape. */
class MirrorTest {
    private static final long MIB = 1L << 20;

    @TempDir
    Path dir;

    @Test
    void aSmallMachineIsOneNode() {
        NumaTopology t = NumaTopology.mirrorHost(CapturedTree.read("two-sockets", dir), 2, 64 * MIB);
        assertThat(t.nodes()).hasSize(1);
        assertThat(t.vcpus()).isEqualTo(2);
    }

    @Test
    void processorsOrMemoryMakeMoreNodes() {
        HostTopology host = CapturedTree.read("two-sockets", dir);
        NumaTopology byVcpus = NumaTopology.mirrorHost(host, 7, 64 * MIB);
        assertThat(byVcpus.nodes()).extracting(n -> n.vcpus().size()).containsExactly(4, 3);
        assertThat(byVcpus.nodes()).extracting(NumaNode::memory).containsExactly(32 * MIB, 32 * MIB);
        assertThat(byVcpus.distance(0, 1)).isEqualTo(21);
        NumaTopology byMemory = NumaTopology.mirrorHost(host, 2, 302 * MIB);
        assertThat(byMemory.nodes()).extracting(NumaNode::memory).containsExactly(152 * MIB, 150 * MIB);
    }

    @Test
    void subNumaClustersShareSockets() {
        HostTopology host = CapturedTree.read("sub-numa", dir);
        NumaTopology t = NumaTopology.mirrorHost(host, 8, 64 * MIB);
        assertThat(t.nodes()).hasSize(4);
        assertThat(t.processors().sockets()).isEqualTo(2);
        assertThat(t.distance(0, 1)).isEqualTo(12);
        assertThat(t.distance(0, 2)).isEqualTo(21);
        // Two nodes are as near as the two of one socket.
        assertThat(NumaTopology.mirrorHost(host, 4, 64 * MIB).distance(0, 1)).isEqualTo(12);
    }

    @Test
    void limitsOfOnesOwn() {
        HostTopology host = CapturedTree.read("two-sockets", dir);
        NumaTopology t = NumaTopology.mirrorHost(host, 4, 64 * MIB, new MirrorLimits(1, 1024 * MIB, 4));
        assertThat(t.nodes()).hasSize(4);
        assertThat(t.processors().sockets()).isOne();
        // More guest nodes than the host has: those that share a host node are nearest.
        assertThat(t.distance(0, 2)).isEqualTo(11);
        assertThat(t.distance(0, 1)).isEqualTo(21);
    }

    @Test
    void limitsOfHosts() {
        assertThat(MirrorLimits.of(CapturedTree.read("offline-isolated", dir)).processorsPerNode())
                .isEqualTo(2);
        assertThat(MirrorLimits.of(CapturedTree.read("memoryless", dir)).processorsPerNode())
                .isEqualTo(2);
        assertThat(MirrorLimits.of(HostTopology.read()).memoryPerNode()).isPositive();
    }

    @Test
    void whatCantBeDividedIsRefused() {
        HostTopology host = CapturedTree.read("one-node", dir);
        assertThatThrownBy(() -> NumaTopology.mirrorHost(host, 4000, 64 * MIB))
                .isInstanceOf(TopologyException.class)
                .hasMessageContaining("at most 64");
        assertThatThrownBy(() -> NumaTopology.mirrorHost(host, 1, 64 * MIB + 4096))
                .isInstanceOf(TopologyException.class)
                .hasMessageContaining("not a multiple of 2 MiB");
        assertThatThrownBy(() -> NumaTopology.mirrorHost(host, -3, -1))
                .isInstanceOf(TopologyException.class)
                .hasMessageContaining("numa.nodes[0].vcpus");
    }
}
