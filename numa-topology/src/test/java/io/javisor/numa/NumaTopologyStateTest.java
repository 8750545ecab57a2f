package io.javisor.numa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumaTopologyStateTest {
    private static final long GIB = 1L << 30;

    private static StateReader saved(NumaTopology topology) {
        StateWriter out = new StateWriter();
        NumaTopologyState.save(topology, out);
        return new StateReader("numa", 1, out.toByteArray());
    }

    static List<NumaTopology> topologies() {
        return List.of(
                NumaTopology.single(1, 2 << 20),
                NumaTopology.single(7, GIB),
                NumaTopology.builder()
                        .node(n -> n.vcpuIndexes(0, 3).memory(2 * GIB).hostNode(0))
                        .node(n -> n.vcpuIndexes(1, 2).memory(GIB).hugePages(2 << 20))
                        .node(n -> n.memory(4 * GIB))
                        .distance(0, 1, 21)
                        .distance(1, 0, 31)
                        .performance(0, 2, 120, 40_000)
                        .build(),
                NumaTopology.builder()
                        .node(n -> n.vcpus(8).memory(GIB))
                        .node(n -> n.vcpus(8).memory(GIB))
                        .sockets(1)
                        .threads(2)
                        .spanning(false)
                        .pinned(true)
                        .build());
    }

    @ParameterizedTest
    @MethodSource("topologies")
    void goesRound(NumaTopology topology) {
        NumaTopology again = NumaTopologyState.restore(saved(topology));
        assertThat(again).isEqualTo(topology);
        assertThat(again.cpuTopology(3)).isEqualTo(topology.cpuTopology(3));
        assertThat(again.description()).isEqualTo(topology.description());
    }

    @ParameterizedTest
    @ValueSource(strings = {"nodes", "memory0", "distance0.1", "policy0", "position1", "sockets"})
    void refusesNonsense(String field) {
        NumaTopology topology = topologies().get(2);
        StateWriter good = new StateWriter();
        NumaTopologyState.save(topology, good);
        byte[] bytes = good.toByteArray();
        // The field's name is spoilt, so that it is missing.
        int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(field);
        bytes[at] ^= 1;
        assertThatThrownBy(() -> NumaTopologyState.restore(new StateReader("numa", 1, bytes)))
                .isInstanceOf(StateException.class)
                .hasMessageContaining(field);
    }

    @Test
    void refusesTwoVcpusInOnePlace() {
        StateWriter out = new StateWriter();
        NumaTopologyState.save(NumaTopology.single(2, GIB), out);
        byte[] bytes = out.toByteArray();
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int core = text.indexOf("core", text.indexOf("position1"));
        bytes[core + 4 + 7] = 0;
        assertThatThrownBy(() -> NumaTopologyState.restore(new StateReader("numa", 1, bytes)))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("APIC ID");
    }
}
