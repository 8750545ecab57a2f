package io.javisor.numa.placement;

import static io.javisor.numa.placement.Hosts.GIB;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.numa.NumaTopology;
import io.javisor.numa.TopologyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A thousand machines come to and go from an eight-node host. */
class PlacementSimulationTest {
    private static final int MACHINES = 1000;

    private record Running(NumaTopology guest, PlacementPlan plan) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aThousandMachines(long seed) {
        var random = new Random(seed);
        HostLoad empty = Hosts.even(8, 384, 512 * GIB);
        HostLoad load = empty;
        List<Running> running = new ArrayList<>();
        int refused = 0;
        int split = 0;
        int placed = 0;
        while (placed < MACHINES) {
            if (!running.isEmpty() && random.nextInt(4) == 0) {
                load = load.minus(running.remove(random.nextInt(running.size())).plan());
                continue;
            }
            NumaTopology guest = machine(random);
            try {
                PlacementPlan plan = PlacementPlanner.plan(load, guest);
                check(load, guest, plan);
                split += plan.hostNodes().size() > 1 ? 1 : 0;
                load = load.plus(plan);
                running.add(new Running(guest, plan));
                placed++;
            } catch (TopologyException e) {
                // Only a host without room refuses a machine that may span.
                long free = load.nodes().stream()
                        .mapToLong(HostLoad.Node::memoryFree)
                        .sum();
                assertThat(guest.memory()).isGreaterThan(free - 8 * NumaTopology.MEMORY_GRANULE);
                refused++;
                load = load.minus(running.remove(random.nextInt(running.size())).plan());
            }
        }
        assertThat(split).as("machines on several nodes").isLessThan(placed / 10);
        assertThat(refused).isLessThan(placed);
        for (Running r : running) {
            load = load.minus(r.plan());
        }
        assertThat(load).isEqualTo(empty);
    }

    private static NumaTopology machine(Random random) {
        int nodes = random.nextInt(10) == 0 ? 2 + random.nextInt(3) : 1;
        boolean huge = random.nextInt(50) == 0;
        return NumaTopology.of(b -> {
            for (int n = 0; n < nodes; n++) {
                long granules = huge ? 100_000 + random.nextInt(100_000) : 64 + random.nextInt(3000);
                int vcpus = 1 + random.nextInt(4);
                b.node(x -> x.vcpus(vcpus).memory(granules * NumaTopology.MEMORY_GRANULE));
            }
        });
    }

    private static void check(HostLoad before, NumaTopology guest, PlacementPlan plan) {
        HostLoad after = before.plus(plan);
        long taken = 0;
        for (int i = 0; i < after.nodes().size(); i++) {
            assertThat(after.nodes().get(i).memoryFree()).isNotNegative();
            taken += before.nodes().get(i).memoryFree() - after.nodes().get(i).memoryFree();
        }
        assertThat(taken).isEqualTo(guest.memory());
        boolean fitsOne = before.nodes().stream()
                .anyMatch(n -> n.memoryFree() >= guest.memory()
                        && n.vcpus() + guest.vcpus() <= n.cpus().size());
        if (fitsOne) {
            assertThat(plan.hostNodes()).hasSize(1);
            int first = before.nodes().stream()
                    .filter(n -> n.memoryFree() >= guest.memory()
                            && n.vcpus() + guest.vcpus() <= n.cpus().size())
                    .findFirst()
                    .orElseThrow()
                    .id();
            assertThat(plan.hostNodes()).containsExactly(first);
        }
        for (PlacementPlan.Node n : plan.nodes()) {
            assertThat(n.bytes().values().stream().mapToLong(Long::longValue).sum())
                    .isEqualTo(guest.nodes().get(n.guestNode()).memory());
            assertThat(n.cpus().isEmpty()).isFalse();
        }
    }
}
