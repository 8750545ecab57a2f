package io.javisor.numa.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.numa.CpuSet;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Host discovery on captured trees, on the host that runs the tests, and on damaged trees. */
class HostTopologyTest {
    private static final long MIB = 1L << 20;

    @TempDir
    Path dir;

    @Test
    void oneNode() {
        HostTopology host = CapturedTree.read("one-node", dir);
        assertThat(host.nodes()).hasSize(1);
        assertThat(host.nodes().getFirst().cpus()).isEqualTo(CpuSet.parse("0-1"));
        assertThat(host.nodes().getFirst().memoryTotal()).isBetween(400 * MIB, 512 * MIB);
        assertThat(host.nodes().getFirst().memoryFree()).isBetween(300 * MIB, 512 * MIB);
        assertThat(host.distances()).containsExactly(List.of(10));
        assertThat(host.sockets()).isOne();
        assertThat(host.threadsPerCore()).isOne();
        assertThat(host.isolated()).isEqualTo(CpuSet.EMPTY);
        assertThat(host.offline()).isEqualTo(CpuSet.EMPTY);
        assertThat(host.allowedCpus()).isEqualTo(CpuSet.parse("0-1"));
        assertThat(host.allowedNodes()).isEqualTo(CpuSet.of(0));
        assertThat(host.sharedHugePages()).isEqualTo("never");
        assertThat(host.hugePages()).extracting(HugePages::size).contains(2 * MIB);
    }

    @Test
    void twoSocketsWithThreads() {
        HostTopology host = CapturedTree.read("two-sockets", dir);
        assertThat(host.nodes()).extracting(HostNode::cpus).containsExactly(CpuSet.parse("0-3"), CpuSet.parse("4-7"));
        assertThat(host.distances()).containsExactly(List.of(10, 21), List.of(21, 10));
        assertThat(host.sockets()).isEqualTo(2);
        assertThat(host.threadsPerCore()).isEqualTo(2);
        assertThat(host.cpu(1).orElseThrow().threads()).isEqualTo(CpuSet.parse("0-1"));
        assertThat(host.cpu(6).orElseThrow())
                .isEqualTo(new HostCpu(6, 1, 1, 0, 1, CpuSet.parse("6-7"), CpuSet.parse("4-7")));
        assertThat(host.cacheGroups()).containsExactly(CpuSet.parse("0-3"), CpuSet.parse("4-7"));
        assertThat(host.nodesPerSocket()).isOne();
    }

    @Test
    void fourSocketsInARing() {
        HostTopology host = CapturedTree.read("four-sockets", dir);
        assertThat(host.nodes()).hasSize(4);
        assertThat(host.sockets()).isEqualTo(4);
        assertThat(host.distance(0, 1)).isEqualTo(21);
        assertThat(host.distance(0, 2)).isEqualTo(31);
        assertThat(host.distance(3, 0)).isEqualTo(21);
        assertThat(host.nodes()).extracting(n -> n.memoryTotal() / (100 * MIB)).containsExactly(4L, 2L, 3L, 1L);
    }

    @Test
    void subNumaClustersShareASocket() {
        HostTopology host = CapturedTree.read("sub-numa", dir);
        assertThat(host.nodes()).hasSize(4);
        assertThat(host.sockets()).isEqualTo(2);
        assertThat(host.nodesPerSocket()).isEqualTo(2);
        assertThat(host.distance(0, 1)).isEqualTo(12);
        assertThat(host.distance(1, 2)).isEqualTo(21);
    }

    @Test
    void dies() {
        HostTopology host = CapturedTree.read("dies", dir);
        assertThat(host.sockets()).isOne();
        assertThat(host.cpus()).extracting(HostCpu::die).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
    }

    @Test
    void memoryOnlyNodeWithItsSpeed() {
        HostTopology host = CapturedTree.read("memory-only", dir);
        HostNode far = host.node(2).orElseThrow();
        assertThat(far.cpus().isEmpty()).isTrue();
        assertThat(far.memoryTotal()).isGreaterThan(400 * MIB);
        assertThat(far.nearest()).isEqualTo(CpuSet.of(1));
        assertThat(far.performance().readLatency()).isEqualTo(20);
        assertThat(far.performance().readBandwidth()).isEqualTo(50);
        assertThat(host.distance(1, 2)).isEqualTo(17);
    }

    @Test
    void nodeWithoutMemory() {
        HostTopology host = CapturedTree.read("memoryless", dir);
        HostNode poor = host.node(1).orElseThrow();
        assertThat(poor.hasMemory()).isFalse();
        assertThat(poor.cpus()).isEqualTo(CpuSet.parse("2-3"));
        assertThat(host.usableMemory(poor)).isFalse();
    }

    @Test
    void offlineAndIsolatedCpusAndHugePages() {
        HostTopology host = CapturedTree.read("offline-isolated", dir);
        assertThat(host.offline()).isEqualTo(CpuSet.of(3));
        assertThat(host.online()).isEqualTo(CpuSet.parse("0-2,4-7"));
        assertThat(host.isolated()).isEqualTo(CpuSet.parse("6-7"));
        assertThat(host.usableCpus(host.nodes().get(0))).isEqualTo(CpuSet.parse("0-2"));
        assertThat(host.usableCpus(host.nodes().get(1))).isEqualTo(CpuSet.parse("4-5"));
        assertThat(host.nodes().get(0).hugeBytesFree(2 * MIB)).isZero();
        assertThat(host.nodes().get(1).hugeBytesFree(2 * MIB)).isEqualTo(32 * MIB);
        assertThat(host.hugePages()).contains(new HugePages(2 * MIB, 16, 16));
    }

    @Test
    void restrictedCpuset() {
        HostTopology host = CapturedTree.read("cpuset", dir);
        assertThat(host.online()).isEqualTo(CpuSet.parse("0-7"));
        assertThat(host.allowedCpus()).isEqualTo(CpuSet.parse("0-1,4"));
        assertThat(host.allowedNodes()).isEqualTo(CpuSet.of(0));
        assertThat(host.usableCpus(host.nodes().get(1))).isEqualTo(CpuSet.of(4));
        assertThat(host.usableMemory(host.nodes().get(1))).isFalse();
    }

    @Test
    void thisHost() {
        HostTopology host = HostTopology.read();
        assertThat(host.allowedCpus().size()).isPositive();
        assertThat(host.online().containsAll(host.allowedCpus())).isTrue();
        assertThat(host.nodes()).anyMatch(HostNode::hasMemory);
        assertThat(host.cpus()).allSatisfy(c -> assertThat(host.node(c.node())).isPresent());
        assertThat(host.cpus())
                .allSatisfy(c -> assertThat(c.threads().contains(c.id())).isTrue());
    }

    @Test
    void aKernelWithoutNumaIsOneNode() throws IOException {
        Path root = CapturedTree.unpack("one-node", dir.resolve("flat"));
        delete(root.resolve("sys/devices/system/node"));
        Files.writeString(root.resolve("proc/meminfo"), "MemTotal:  1000 kB\nMemFree:  600 kB\nCached:  100 kB\n");
        HostTopology host = HostTopology.read(root);
        assertThat(host.nodes()).hasSize(1);
        assertThat(host.nodes().getFirst().cpus()).isEqualTo(CpuSet.parse("0-1"));
        assertThat(host.nodes().getFirst().memoryTotal()).isEqualTo(1000 << 10);
        assertThat(host.nodes().getFirst().memoryAvailable()).isEqualTo(700 << 10);
        assertThat(host.distances()).containsExactly(List.of(10));
    }

    @Test
    void nodeNumbersMayHaveGaps() throws IOException {
        Path root = CapturedTree.unpack("two-sockets", dir.resolve("gap"));
        Path nodes = root.resolve("sys/devices/system/node");
        Files.move(nodes.resolve("node1"), nodes.resolve("node6"));
        Files.writeString(nodes.resolve("online"), "0,6\n");
        HostTopology host = HostTopology.read(root);
        assertThat(host.distance(0, 6)).isEqualTo(21);
        assertThat(host.cpu(7).orElseThrow().node()).isEqualTo(6);
    }

    @Test
    void missingSysfsSaysWhatToDo() {
        assertThatThrownBy(() -> HostTopology.read(dir.resolve("nothing")))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("cpu/online is missing")
                .hasMessageContaining("mount -t sysfs");
    }

    @Test
    void damagedFilesAreNamed() throws IOException {
        Path root = CapturedTree.unpack("one-node", dir.resolve("bad"));
        Path list = root.resolve("sys/devices/system/node/node0/cpulist");
        Files.writeString(list, "0-1000000000\n");
        assertThatThrownBy(() -> HostTopology.read(root))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining(list.toString())
                .hasMessageContaining("0-1000000000");
    }

    @Test
    void damagedDistancesFallBack() throws IOException {
        Path root = CapturedTree.unpack("two-sockets", dir.resolve("bad"));
        Files.writeString(root.resolve("sys/devices/system/node/node1/distance"), "21\n");
        assertThat(HostTopology.read(root).distances()).containsExactly(List.of(10, 21), List.of(20, 10));
    }

    private static void delete(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path f : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(f);
            }
        }
    }
}
