package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.gib;
import static io.javisor.api.MemorySize.mib;

import io.javisor.lab.junit.LabTest;
import io.javisor.numa.NumaTopology;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Stock guests see exactly the nodes that the spec gives them. */
@LabTest(
        guests = {"6.1-cloud", "6.12-cloud"},
        packages = {"numactl", "util-linux"},
        memory = "3G",
        timeout = 600)
class NumaInGuestTest {
    private static void seen(String kernel, NumaTopology topology) {
        Report report = NumaGuest.boot(kernel, topology, l -> {});
        System.out.println(report.text());
        NumaGuest.verify(report, topology);
    }

    @Test
    void oneNodeWithItsSpeed() {
        seen(
                "6.12-cloud",
                NumaTopology.of(t -> t.node(n -> n.vcpus(3).memory(mib(302))).performance(0, 0, 90, 40_000)));
    }

    @Test
    void twoUnequalNodesAsymmetricallyApart() {
        seen(
                "6.1-cloud",
                NumaTopology.of(t -> t.node(n -> n.vcpus(3).memory(mib(514)))
                        .node(n -> n.vcpus(1).memory(mib(130)))
                        .distance(0, 1, 17)
                        .distance(1, 0, 23)));
    }

    @Test
    void threeNodesEachWithoutSomething() {
        // The boot vCPU's node has no memory, the first memory no vCPUs, and the last node nothing at all.
        seen(
                "6.12-cloud",
                NumaTopology.of(t -> t.node(n -> n.memory(mib(770)))
                        .node(n -> n.vcpus(2))
                        .node(n -> {})
                        .distance(0, 1, 12)
                        .distance(1, 2, 254)));
    }

    @Test
    @Tag("long")
    void sixteenVcpusOverFourNodes() {
        seen("6.1-cloud", four());
    }

    @Test
    void sixteenVcpusOverFourNodesOfALaterKernel() {
        seen("6.12-cloud", four());
    }

    /** 7 and 4 vCPUs beside memory, 5 without, memory without vCPUs, and speeds that differ by direction. */
    private static NumaTopology four() {
        return NumaTopology.of(t -> t.node(n -> n.vcpus(7).memory(mib(514)))
                .node(n -> n.vcpus(5))
                .node(n -> n.memory(mib(258)))
                .node(n -> n.vcpus(4).memory(gib(1)))
                .distance(0, 1, 21)
                .distance(0, 2, 17)
                .distance(0, 3, 31)
                .distance(3, 0, 28)
                .distance(1, 2, 24)
                .distance(2, 3, 19)
                .performance(0, 0, 80, 51_200)
                .performance(0, 2, 250, 12_800)
                .performance(0, 3, 140, 25_600)
                .performance(1, 0, 141, 25_600)
                .performance(1, 2, 260, 12_800)
                .performance(1, 3, 142, 25_600)
                .performance(3, 0, 139, 25_600)
                .performance(3, 2, 170, 14_400)
                .performance(3, 3, 81, 51_200));
    }

    @Test
    @Tag("long")
    void socketsOfSeveralDiesNodesAndThreads() {
        seen(
                "6.12-cloud",
                NumaTopology.of(t -> t.node(n -> n.vcpus(4).memory(mib(256)))
                        .node(n -> n.vcpus(4).memory(mib(256)))
                        .node(n -> n.vcpus(4).memory(mib(256)))
                        .node(n -> n.vcpus(4).memory(mib(256)))
                        .sockets(2)
                        .dies(2)
                        .cores(2)
                        .threads(2)
                        .distance(0, 1, 12)
                        .distance(2, 3, 12)));
    }

    /** APIC IDs beyond 255: the largest node makes room for 32 cores in each of 16 sockets. */
    @Test
    @Tag("long")
    void sixteenNodesBeyondXapic() {
        seen("6.12-cloud", NumaTopology.of(t -> {
            t.node(n -> n.vcpus(17).memory(mib(512)));
            for (int i = 1; i < 16; i++) {
                t.node(n -> n.vcpus(1).memory(mib(66)));
            }
        }));
    }

    @Test
    @Tag("long")
    void sixtyFourVcpusOverEightNodes() {
        seen("6.12-cloud", NumaTopology.of(t -> {
            for (int i = 0; i < 8; i++) {
                long memory = mib(256 + 66 * i);
                t.node(n -> n.vcpus(8).memory(memory));
                for (int j = 0; j < i; j++) {
                    t.distance(i, j, 10 + 3 * (i - j));
                }
            }
        }));
    }
}
