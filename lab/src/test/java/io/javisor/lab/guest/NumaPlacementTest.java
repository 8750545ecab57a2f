package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.gib;
import static io.javisor.api.MemorySize.mib;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.Outcome;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.junit.LabTest;
import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import io.javisor.numa.placement.Placement;
import io.javisor.partition.HypervisorException;
import io.javisor.partition.MemoryBacking.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where stock guests lie on a host of two nodes, as the host's kernel tells, and that they don't notice when they move. */
@LabTest(guests = "6.12-cloud", memory = "3G", timeout = 600)
class NumaPlacementTest {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final int DATA_MIB = 48;

    private static NumaTopology twoNodes() {
        return NumaTopology.of(
                t -> t.node(n -> n.vcpus(1).memory(mib(386)).hostNode(0).policy(Policy.BIND))
                        .node(n -> n.vcpus(1).memory(mib(258)).hostNode(1).policy(Policy.BIND))
                        .distance(0, 1, 21));
    }

    /** A guest that has filled memory of both its nodes, and reads and checks it for ever. */
    private static VirtualMachine working(String name) {
        VirtualMachine vm = VirtualMachine.builder(name)
                .numa(twoNodes())
                .linux(l -> l.debian("6.12-cloud"))
                .build();
        vm.start().await(Wait.forShell(), PATIENCE);
        var guest = new GuestShell(vm);
        for (int n = 0; n < 2; n++) {
            guest.run("mkdir /n%d && mount -t tmpfs -o mpol=bind:%d,size=100m n /n%d".formatted(n, n, n));
            guest.run("dd if=/dev/urandom of=/n%d/data bs=1M count=%d 2>/dev/null".formatted(n, DATA_MIB));
        }
        guest.run("cd / && sha256sum n0/data n1/data >/sums");
        guest.run("(setsid sh -c 'cd /; r=0; while :; do sha256sum -c -s sums || echo bad >>/bad;"
                + " r=$((r+1)); echo $r >/round.new; mv /round.new /round; done') </dev/null >/dev/null 2>&1 &");
        awaitRounds(guest, 1);
        return vm;
    }

    /** Waits until the guest has checked its data so many times more. */
    private static void awaitRounds(GuestShell guest, int more) {
        guest.run("r=$(cat /round 2>/dev/null || echo 0); for i in $(seq 1000); do"
                + " [ $(cat /round 2>/dev/null || echo 0) -ge $((r + " + more
                + ")) ] && exit 0; sleep 0.1; done; exit 1");
    }

    private static void liesOn(VirtualMachine vm, int... hostNodes) {
        Placement seen = vm.numa().placement();
        for (int n = 0; n < hostNodes.length; n++) {
            Placement.Node node = seen.nodes().get(n);
            assertThat(node.wanted()).isEqualTo(1L << hostNodes[n]);
            assertThat(node.touched()).as("%s", seen.describe()).isGreaterThan(mib(DATA_MIB));
            assertThat(node.local().orElseThrow()).as("%s", seen.describe()).isGreaterThanOrEqualTo(0.99);
        }
    }

    private static void runsOn(VirtualMachine vm, int... hostNodes) throws InterruptedException {
        var guest = new GuestShell(vm);
        for (int v = 0; v < hostNodes.length; v++) {
            guest.run("taskset -c " + v + " true"); // it has run since it was told where to
            assertThat(vm.numa().placement().vcpus().get(v).hostNode()).isEqualTo(hostNodes[v]);
        }
    }

    @Test
    void pagesLieWhereTheyAreBoundAndMoveUnderAWorkingGuest() throws Exception {
        try (VirtualMachine vm = working("moving")) {
            var guest = new GuestShell(vm);
            liesOn(vm, 0, 1);
            runsOn(vm, 0, 1);
            System.out.println(vm.numa().placement().describe());

            vm.numa().move(0, 1);
            liesOn(vm, 1, 1);
            runsOn(vm, 1, 1);
            awaitRounds(guest, 2);

            vm.numa().move(1, 0);
            vm.numa().move(0, 0);
            liesOn(vm, 0, 0);
            runsOn(vm, 0, 0);
            awaitRounds(guest, 2);

            vm.numa().move(1, 1);
            liesOn(vm, 0, 1);
            runsOn(vm, 0, 1);
            awaitRounds(guest, 2);
            assertThat(guest.run("cat /bad 2>/dev/null; true"))
                    .as("checksums that were wrong")
                    .isEmpty();
            assertThat(guest.run("dmesg -r | grep -E '^<[0-3]>'; true")).isEmpty();
            assertThatThrownBy(() -> vm.numa().move(0, 2))
                    .isInstanceOf(TopologyException.class)
                    .hasMessageContaining("there is no host node 2");
        }
    }

    @Test
    void withoutSpanningWhatDoesNotFitIsRefusedWithTheNumbers() {
        assertThatThrownBy(() -> VirtualMachine.builder("strict")
                        .numa(t -> t.spanning(false)
                                .node(n -> n.vcpus(1).memory(mib(256)))
                                .node(n -> n.vcpus(1).memory(gib(5))))
                        .linux(l -> l.debian("6.12-cloud"))
                        .build())
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo("numa-spanning"))
                .hasMessageContaining("numa.nodes[1].memory: needs 5120 MiB on one host node, but at most ")
                .hasMessageContaining("host node 0 has ")
                .hasMessageContaining("host node 1 has ");
    }

    @Test
    @SuppressWarnings("try") // closed early, which is the point
    void machinesOfThisProcessAreKeptApart() {
        NumaTopology one = NumaTopology.of(
                t -> t.spanning(false).pinned(true).node(n -> n.vcpus(1).memory(mib(256))));
        try (VirtualMachine first = idle("first", one);
                VirtualMachine second = idle("second", one)) {
            assertThat(first.numa().plan().hostNodes()).containsExactly(0);
            assertThat(second.numa().plan().hostNodes()).containsExactly(1);
            assertThat(first.numa().affinity()).isNotEqualTo(second.numa().affinity());
            assertThatThrownBy(() -> idle("third", one))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("numa-pinning"))
                    .hasMessageContaining("can't be pinned");
            second.close();
            idle("third", one).close();
        }
    }

    private static VirtualMachine idle(String name, NumaTopology topology) {
        return VirtualMachine.builder(name)
                .numa(topology)
                .linux(l -> l.debian("6.12-cloud"))
                .build();
    }

    private static Path hugePages(int node, String file) {
        return Path.of("/sys/devices/system/node/node" + node + "/hugepages/hugepages-2048kB", file);
    }

    private static int free(int node) throws IOException {
        return Integer.parseInt(
                Files.readString(hugePages(node, "free_hugepages")).strip());
    }

    @Test
    @Tag("long")
    void hugePagesAreTheNodesOwn() throws Exception {
        Files.writeString(hugePages(1, "nr_hugepages"), "200");
        try {
            assertThat(free(1)).isEqualTo(200);
            NumaTopology guest = NumaTopology.of(t ->
                    t.hugePages(mib(2)).node(n -> n.vcpus(2).memory(mib(386)).hostNode(1)));
            try (VirtualMachine vm = idle("huge", guest)) {
                vm.start().await(Wait.forShell(), PATIENCE);
                assertThat(free(1)).isEqualTo(200 - 193);
                Placement.Node node = vm.numa().placement().nodes().getFirst();
                assertThat(node.bytes()).containsOnly(java.util.Map.entry(1, mib(386)));
                assertThat(new GuestShell(vm).run("cat /sys/devices/system/node/online"))
                        .isEqualTo("0");
                assertThat(vm.shutdown(PATIENCE)).isEqualTo(new Outcome.PoweredOff());
            }
            assertThat(free(1)).as("given back").isEqualTo(200);
            assertThatThrownBy(() -> idle(
                            "none",
                            NumaTopology.of(t -> t.spanning(false)
                                    .hugePages(mib(2))
                                    .node(n -> n.vcpus(1).memory(mib(386)).hostNode(0)))))
                    .hasMessageContaining("needs 386 MiB in huge pages of 2 MiB on one host node")
                    .hasMessageContaining("host node 0 has 0 MiB, host node 1 has 400 MiB");
        } finally {
            Files.writeString(hugePages(1, "nr_hugepages"), "0");
        }
    }

    /** A saved machine's nodes are what they were, wherever they lie now. */
    @Test
    @Tag("long")
    void aRestoredMachineKeepsItsTopologyAndIsPlacedAnew(@TempDir Path folder) throws Exception {
        Path state = folder.resolve("state");
        String view = "cat /sys/devices/system/node/node*/cpulist /sys/devices/system/node/node*/distance";
        String before;
        try (VirtualMachine vm = working("saved")) {
            before = new GuestShell(vm).run(view);
            vm.numa().move(0, 1);
            vm.save(state);
        }
        assertThat(before.lines()).containsExactlyElementsOf(List.of("0", "1", "10 21", "21 10"));
        try (VirtualMachine vm = VirtualMachine.restore(state)) {
            assertThat(vm.spec().numa()).isEqualTo(twoNodes());
            vm.resume();
            var guest = new GuestShell(vm);
            assertThat(guest.run(view)).isEqualTo(before);
            assertThat(vm.numa().plan().nodes().get(0).bytes()).containsOnlyKeys(0);
            assertThat(vm.numa().plan().nodes().get(1).bytes()).containsOnlyKeys(1);
            runsOn(vm, 0, 1);
            awaitRounds(guest, 2);
            assertThat(guest.run("cat /bad 2>/dev/null; true")).isEmpty();
        }
    }
}
