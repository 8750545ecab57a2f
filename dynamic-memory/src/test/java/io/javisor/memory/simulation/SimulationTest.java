package io.javisor.memory.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.memory.balancer.BalancingPolicy;
import io.javisor.memory.simulation.Simulation.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

    private static Simulation shortHost(int machines, int seconds, int period) {
        return Simulation.standard(machines, seconds, period).stream()
                .filter(day -> day.label().contains("short host"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theSameSeedGivesTheSameDay() {
        Simulation trace = shortHost(48, 3600, 1);
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
        Simulation shortHost = shortHost(96, 12 * 3600, 5);
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
        // A quarter of that is the price of giving back within a minute what is no longer needed.
        assertThat(run(jitter, "weighted").reversals()).isLessThan(120);
    }

    @Test
    void aSlowerPaceIsMuchTheSame() {
        Report quick = run(shortHost(48, 2 * 3600, 1), "weighted");
        Report slow = run(shortHost(48, 2 * 3600, 5), "weighted");
        assertThat(slow.shortfall()).isBetween(quick.shortfall() * 0.7, quick.shortfall() * 1.5 + 0.2);
    }

    @Test
    void theReportSaysWhereDemandComesFrom() {
        List<Simulation> days = Simulation.standard(12, 600, 5);
        String table = SimulationReport.table(days, SimulationReport.policies());
        assertThat(table)
                .contains("### office, seed 1")
                .contains("demand: synthetic.")
                .contains("recorded: src/workloads/build.sh")
                .contains("| weighted | ", "| proportional | ", "| none | ")
                .isEqualTo(SimulationReport.table(days, SimulationReport.policies()));
    }

    @Test
    void theReportGoesBetweenTheMarks(@TempDir Path folder) throws Exception {
        Path document = folder.resolve("page.md");
        Files.writeString(
                document,
                "before\n<!-- simulation: written by javisor memory simulate -->\nold\n<!-- end of simulation -->\nafter\n");
        SimulationReport.write(document, "new\n");
        SimulationReport.write(document, "newer\n");
        assertThat(document)
                .content()
                .startsWith("before\n")
                .endsWith("after\n")
                .contains("newer")
                .doesNotContain("old");
        Files.writeString(document, "nothing");
        assertThatThrownBy(() -> SimulationReport.write(document, "new")).isInstanceOf(IOException.class);
    }
}
