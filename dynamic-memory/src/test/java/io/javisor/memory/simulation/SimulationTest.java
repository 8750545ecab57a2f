package io.javisor.memory.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.memory.balancer.BalancingPolicy;
import io.javisor.memory.simulation.Simulation.Report;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class SimulationTest {
    private static Report run(Simulation trace, String policy) {
        return trace.run(
                policy,
                switch (policy) {
                    case "weighted" -> BalancingPolicy.weightedFair();
                    case "proportional" -> BalancingPolicy.proportional();
                    default -> BalancingPolicy.none();
                });
    }

    @Test
    void theSameSeedGivesTheSameDay() {
        Simulation trace = Simulation.standard(48, 3600, 1).getLast();
        assertThat(run(trace, "weighted")).isEqualTo(run(trace, "weighted"));
    }

    @Test
    void aHostIsNeverOvercommittedByTheBalancer() {
        for (Simulation trace : Simulation.standard(96, 4 * 3600, 1)) {
            assertThat(run(trace, "weighted").overcommitted()).as(trace.label()).isZero();
        }
    }

    @Test
    void whoHasMoreWeightLacksLess() {
        Simulation shortHost = Simulation.standard(96, 12 * 3600, 5).getLast();
        List<Double> byWeight = run(shortHost, "weighted").shortfallByWeight();
        assertThat(byWeight.get(0)).isGreaterThan(byWeight.get(1));
        assertThat(byWeight.get(1)).isGreaterThanOrEqualTo(byWeight.get(2));
    }

    @Test
    void balancingBeatsDoingNothing() {
        for (Simulation trace : Simulation.standard(96, 12 * 3600, 5)) {
            assertThat(run(trace, "weighted").shortfall())
                    .as(trace.label())
                    .isLessThan(run(trace, "none").shortfall());
        }
    }

    @Test
    void demandThatJittersDoesNotMakeMemoryGoToAndFro() {
        var jitter =
                new Simulation("jitter, plenty", List.of(Workload.JITTER), 96, 96L << 32, 1L << 30, 2 * 3600, 1, 4);
        // New demand is drawn every 5 s, and turns at two of three draws: 480 times an hour.
        assertThat(run(jitter, "weighted").reversals()).isLessThan(96);
    }

    @Test
    @Tag("long")
    void theReport() {
        for (Simulation trace : Simulation.standard(1024, 24 * 3600, 5)) {
            long begun = System.nanoTime();
            System.out.printf("%n### %s%n%n", trace.label());
            System.out.println(
                    "| policy | shortfall % | by weight 1000 / 5000 / 9000 | waste % of the host | moved TiB |"
                            + " reversals a machine and hour | overcommitted s |");
            System.out.println("|---|---|---|---|---|---|---|");
            for (String policy : List.of("weighted", "proportional", "none")) {
                Report r = run(trace, policy);
                List<Double> w = r.shortfallByWeight();
                System.out.printf(
                        Locale.ROOT,
                        "| %s | %.3f | %.3f / %.3f / %.3f | %.2f | %.2f | %.2f | %d |%n",
                        policy,
                        r.shortfall(),
                        w.get(0),
                        w.get(1),
                        w.get(2),
                        r.waste(),
                        (double) r.moved() / (1L << 40),
                        r.reversals(),
                        r.overcommitted());
            }
            System.out.printf(Locale.ROOT, "%d ms for three days%n", (System.nanoTime() - begun) / 1_000_000);
        }
    }
}
