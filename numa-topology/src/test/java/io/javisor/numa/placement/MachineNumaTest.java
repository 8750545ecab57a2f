package io.javisor.numa.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.linux.Errno;
import io.javisor.linux.HostThread;
import io.javisor.linux.LinuxException;
import io.javisor.numa.CpuSet;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.host.CapturedTree;
import io.javisor.numa.host.HostTopology;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.MemoryRegion;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Binding, moving and reporting, against a recorded backing and a made-up /proc; and reporting on this very process. */
class MachineNumaTest {
    private static final long MIB = 1L << 20;

    @TempDir
    Path dir;

    private HostTopology host;
    private final List<String> calls = new ArrayList<>();

    private class Recorded implements MemoryBacking {
        private final int node;
        private final MemorySegment segment;

        Recorded(int node, MemorySegment segment) {
            this.node = node;
            this.segment = segment;
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public long pageSize() {
            return 4096;
        }

        @Override
        public void discard(long offset, long length) {
            throw new AssertionError("nothing is discarded here");
        }

        @Override
        public void populate(long offset, long length) {
            throw new AssertionError("nothing is populated here");
        }

        @Override
        public void bind(long offset, long length, Policy policy, long hostNodes, boolean move) {
            calls.add("node " + node + ": " + offset / MIB + "+" + length / MIB + " " + policy + " "
                    + Long.toBinaryString(hostNodes) + (move ? " move" : ""));
        }

        @Override
        public long residentBytes() {
            return 0;
        }

        @Override
        public void close() {}
    }

    @BeforeEach
    void host() {
        host = CapturedTree.read("two-sockets", dir);
    }

    @Test
    void bindsAsPlanned() {
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(8 * MIB).hostNode(1))
                        .node(x -> x.memory(4 * MIB).hostNode(0).policy(MemoryBacking.Policy.BIND))
                        .node(x -> x.vcpus(1)));
        try (Arena arena = Arena.ofConfined()) {
            var zero = new Recorded(0, arena.allocate(8 * MIB, 4096));
            var one = new Recorded(1, arena.allocate(4 * MIB, 4096));
            var numa = new MachineNuma(
                    guest,
                    PlacementPlanner.plan(HostLoad.of(host), guest),
                    () -> List.of(
                            new MemoryRegion(0, 6 * MIB, 0, zero, 0),
                            new MemoryRegion(6 * MIB, 2 * MIB, 0, zero, 6 * MIB),
                            new MemoryRegion(8 * MIB, 4 * MIB, 1, one, 0)),
                    () -> host);
            numa.bindMemory();
        }
        assertThat(calls).containsExactly("node 0: 0+6 PREFERRED 10", "node 0: 6+2 PREFERRED 10", "node 1: 0+4 BIND 1");
    }

    /** A proc directory that tells what is given. */
    private Path proc(String numaMaps, Map<Integer, Integer> cpuOfThread) throws IOException {
        Path self = Files.createDirectories(dir.resolve("fake/proc/self"));
        Files.writeString(self.resolve("numa_maps"), numaMaps);
        for (var e : cpuOfThread.entrySet()) {
            Path task = Files.createDirectories(self.resolve("task/" + e.getKey()));
            Files.writeString(
                    task.resolve("stat"), e.getKey() + " (vcpu 0) R" + " 0".repeat(35) + " " + e.getValue() + " 0");
        }
        return dir.resolve("fake");
    }

    private static MemorySegment sparse(Path file, long size, Arena arena) throws IOException {
        try (var channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
        }
    }

    @Test
    void reportsAndMoves() throws IOException {
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(64 * MIB).hostNode(0))
                        .node(x -> x.vcpus(1).memory(600 * MIB)));
        try (Arena arena = Arena.ofConfined()) {
            var zero = new Recorded(0, sparse(dir.resolve("m0"), 64 * MIB, arena));
            var one = new Recorded(1, sparse(dir.resolve("m1"), 600 * MIB, arena));
            Path root = proc(
                    Long.toHexString(zero.segment().address()) + " prefer:0 file=/m0 N0=90 N1=10 kernelpagesize_kB=4\n"
                            + Long.toHexString(one.segment().address() + 4096) + " bind:0 N0=3 kernelpagesize_kB=2048\n"
                            + "1000 default N0=7 kernelpagesize_kB=4\n",
                    Map.of(77, 6));
            var plan = new PlacementPlan(List.of(
                    new PlacementPlan.Node(
                            0, Map.of(0, 64 * MIB), MemoryBacking.Policy.PREFERRED, 0, 1, 0, CpuSet.parse("0-3")),
                    new PlacementPlan.Node(
                            1, Map.of(0, 600 * MIB), MemoryBacking.Policy.PREFERRED, 0, 1, 0, CpuSet.parse("0-3"))));
            var numa = new MachineNuma(
                    guest,
                    plan,
                    () -> List.of(
                            new MemoryRegion(0, 64 * MIB, 0, zero, 0),
                            new MemoryRegion(64 * MIB, 600 * MIB, 1, one, 0)),
                    () -> host,
                    root);
            numa.started(0, new HostThread(1, 77), CpuSet.EMPTY);
            Placement seen = numa.placement();
            assertThat(seen.nodes().get(0).pages(0)).isEqualTo(90);
            assertThat(seen.nodes().get(0).local().orElseThrow()).isEqualTo(0.9);
            assertThat(seen.nodes().get(1).bytes()).isEqualTo(Map.of(0, 6 * MIB));
            assertThat(seen.vcpus()).containsExactly(new Placement.Vcpu(0, 6, 1), new Placement.Vcpu(1, -1, -1));
            assertThat(seen.describe())
                    .containsExactly(
                            "node 0: 90 pages on host node 0, 10 pages on host node 1 (90.0 % in place)",
                            "node 1: 1536 pages on host node 0 (100.0 % in place)",
                            "vCPU 0: last on CPU 6 of host node 1",
                            "vCPU 1: ended");

            numa.move(1, 1);
            assertThat(calls)
                    .containsExactly(
                            "node 1: 0+256 PREFERRED 10 move",
                            "node 1: 256+256 PREFERRED 10 move",
                            "node 1: 512+88 PREFERRED 10 move");
            assertThat(numa.plan().nodes().get(1).cpus()).isEqualTo(CpuSet.parse("4-7"));
            assertThat(numa.plan().nodes().get(1).bytes()).isEqualTo(Map.of(1, 600 * MIB));
            assertThat(numa.plan().nodes().get(0)).isEqualTo(plan.nodes().get(0));
            assertThat(numa.placement().nodes().get(1).local().orElseThrow()).isZero();

            calls.clear();
            Thread.currentThread().interrupt();
            numa.move(1, 0);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(calls).isEmpty();
        }
    }

    @Test
    void aMoveThatCantBeIsRefusedBeforeAnythingChanges() throws IOException {
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(64 * MIB).hostNode(0)));
        try (Arena arena = Arena.ofConfined()) {
            var zero = new Recorded(0, sparse(dir.resolve("m0"), 64 * MIB, arena));
            // As if 1 GiB lay on node 0: more than node 1 has.
            Path root = proc(
                    Long.toHexString(zero.segment().address()) + " prefer:0 N0=262144 kernelpagesize_kB=4\n", Map.of());
            PlacementPlan plan = PlacementPlanner.plan(HostLoad.of(host), guest);
            var numa = new MachineNuma(
                    guest, plan, () -> List.of(new MemoryRegion(0, 64 * MIB, 0, zero, 0)), () -> host, root);
            assertThatThrownBy(() -> numa.move(0, 1))
                    .isInstanceOfSatisfying(
                            TopologyException.class, e -> assertThat(e.code()).isEqualTo("numa-move"))
                    .hasMessageContaining("numa.nodes[0].memory: 1024 MiB would have to move, but host node 1 has");
            assertThatThrownBy(() -> numa.move(0, 5)).hasMessageContaining("there is no host node 5");
            assertThat(calls).isEmpty();
            assertThat(numa.plan()).isEqualTo(plan);
        }
    }

    @Test
    void memoryOnlyHostNodesTakeNoVcpus() throws IOException {
        host = CapturedTree.read("memory-only", dir);
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(64 * MIB)).node(x -> x.memory(64 * MIB)));
        try (Arena arena = Arena.ofConfined()) {
            var zero = new Recorded(0, sparse(dir.resolve("m0"), 64 * MIB, arena));
            var one = new Recorded(1, sparse(dir.resolve("m1"), 64 * MIB, arena));
            var numa = new MachineNuma(
                    guest,
                    PlacementPlanner.plan(HostLoad.of(host), guest),
                    () -> List.of(
                            new MemoryRegion(0, 64 * MIB, 0, zero, 0), new MemoryRegion(64 * MIB, 64 * MIB, 1, one, 0)),
                    () -> host,
                    proc("", Map.of()));
            assertThatThrownBy(() -> numa.move(0, 2)).hasMessageContaining("host node 2 has no processors");
            numa.move(1, 2);
            assertThat(calls).containsExactly("node 1: 0+64 PREFERRED 100 move");
            assertThat(numa.plan().nodes().get(1).cpuNode()).isEqualTo(-1);
        }
    }

    @Test
    void thisProcess() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/self/numa_maps")), "this kernel is built without NUMA");
        HostTopology here = HostTopology.read();
        int cpu = here.allowedCpus().first();
        NumaTopology guest = NumaTopology.single(1, 8 * MIB);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = sparse(
                    Path.of("/dev/shm/javisor-numa-" + ProcessHandle.current().pid()), 8 * MIB, arena);
            memory.fill((byte) 1);
            var backing = new Recorded(0, memory);
            var numa = new MachineNuma(
                    guest,
                    PlacementPlanner.plan(HostLoad.of(here), guest),
                    () -> List.of(new MemoryRegion(0, 8 * MIB, 0, backing, 0)),
                    () -> here);
            var seen = new AtomicReference<Placement>();
            var affinity = new AtomicReference<BitSet>();
            Thread vcpu = Thread.ofPlatform().name("vcpu (0) x").start(() -> {
                HostThread self = HostThread.current();
                numa.started(0, self, CpuSet.of(cpu));
                affinity.set(self.affinity());
                seen.set(numa.placement());
                numa.stopped(0);
            });
            vcpu.join();
            assertThat(affinity.get()).isEqualTo(CpuSet.of(cpu).toBitSet());
            assertThat(seen.get().vcpus())
                    .containsExactly(new Placement.Vcpu(
                            0, cpu, here.cpu(cpu).orElseThrow().node()));
            assertThat(seen.get().nodes().getFirst().touched()).isEqualTo(8 * MIB);
            assertThat(numa.placement().vcpus().getFirst().cpu()).isEqualTo(-1);
        } finally {
            Files.deleteIfExists(
                    Path.of("/dev/shm/javisor-numa-" + ProcessHandle.current().pid()));
        }
    }

    /** Pages that are held at the moment are tried again; those of 1 GiB move whole. */
    @Test
    void movesAgainWhatWasHeldAndWholePages() throws IOException {
        NumaTopology guest =
                NumaTopology.of(b -> b.node(x -> x.vcpus(1).memory(64 * MIB).hostNode(0)));
        try (Arena arena = Arena.ofConfined()) {
            int[] held = {3};
            var zero = new Recorded(0, sparse(dir.resolve("m0"), 2048 * MIB, arena)) {
                @Override
                public long pageSize() {
                    return 1024 * MIB;
                }

                @Override
                public void bind(long offset, long length, Policy policy, long hostNodes, boolean move) {
                    if (held[0]-- > 0) {
                        throw new LinuxException("mbind", "", Errno.EIO);
                    }
                    super.bind(offset, length, policy, hostNodes, move);
                }
            };
            var numa = new MachineNuma(
                    guest,
                    PlacementPlanner.plan(HostLoad.of(host), guest),
                    () -> List.of(new MemoryRegion(0, 2048 * MIB, 0, zero, 0)),
                    () -> host,
                    proc("", Map.of()));
            numa.move(0, 1);
            assertThat(calls)
                    .containsExactly("node 0: 0+1024 PREFERRED 10 move", "node 0: 1024+1024 PREFERRED 10 move");
            held[0] = Integer.MAX_VALUE;
            assertThatThrownBy(() -> numa.move(0, 0)).isInstanceOfSatisfying(HypervisorException.class, e -> {
                assertThat(e.code()).isEqualTo("numa-move");
                assertThat(e.errno()).isEqualTo(Errno.EIO);
            });
        }
    }
}
