package io.javisor.partition.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.topology.NumaDescription.Performance;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class NumaDescriptionTest {
    @Test
    void uniformNodesAreTwentyApart() {
        var numa = NumaDescription.uniform(3);
        assertThat(numa.distance(1, 1)).isEqualTo(10);
        assertThat(numa.distance(2, 0)).isEqualTo(20);
        assertThat(numa.hasPerformance()).isFalse();
    }

    @Test
    void rowsAreInitiators() {
        var numa = new NumaDescription(
                List.of(List.of(10, 21), List.of(31, 10)),
                List.of(
                        List.of(new Performance(80, 80, 0, 0), Performance.UNSTATED),
                        List.of(Performance.UNSTATED, Performance.UNSTATED)));
        assertThat(numa.distance(0, 1)).isEqualTo(21);
        assertThat(numa.distance(1, 0)).isEqualTo(31);
        assertThat(numa.hasPerformance()).isTrue();
    }

    @Test
    void badMatricesAreRefused() {
        assertThatThrownBy(() -> NumaDescription.of(List.of(List.of(11)))).hasMessageContaining("10 for the node");
        assertThatThrownBy(() -> NumaDescription.of(List.of(List.of(10, 10), List.of(20, 10))))
                .hasMessageContaining("distance 10");
        assertThatThrownBy(() -> NumaDescription.of(List.of(List.of(10, 20), List.of(20))))
                .hasMessageContaining("row 1");
        assertThatThrownBy(() -> NumaDescription.uniform(65)).hasMessageContaining("65 nodes");
        assertThatThrownBy(() -> new NumaDescription(List.of(List.of(10)), Collections.emptyList()))
                .hasMessageContaining("performance of 0");
        assertThatThrownBy(() -> new Performance(65_535, 0, 0, 0)).hasMessageContaining("65534");
    }
}
