package io.javisor.partition.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.topology.CpuTopology.Vcpu;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class CpuTopologyTest {
    @Test
    void apicIdsAreRowsOfBitFields() {
        // 2 sockets × 1 die × 3 cores × 2 threads: cores take two bits, so one value of four stays unused.
        var cpus = CpuTopology.uniform(2, 1, 3, 2, List.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1));
        assertThat(cpus.vcpus().stream().map(Vcpu::apicId)).containsExactly(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13);
        assertThat(cpus.coreShift()).isEqualTo(1);
        assertThat(cpus.socketShift()).isEqualTo(3);
        assertThat(cpus.sharing(0, cpus.coreShift())).isEqualTo(2);
        assertThat(cpus.sharing(7, cpus.socketShift())).isEqualTo(6);
        assertThat(cpus.node(6)).isEqualTo(1);
        assertThat(cpus.needsX2apic()).isFalse();
    }

    @Test
    void largeMachinesNeedX2apic() {
        assertThat(CpuTopology.flat(255).needsX2apic()).isFalse();
        assertThat(CpuTopology.flat(256).needsX2apic()).isTrue();
        assertThat(CpuTopology.flat(1024).maxApicId()).isEqualTo(1023);
    }

    @Test
    void contradictionsAreRefused() {
        assertThatThrownBy(() -> new CpuTopology(List.of(new Vcpu(0, 0), new Vcpu(0, 0)), 0, 1, 1, 1))
                .hasMessageContaining("taken");
        assertThatThrownBy(() -> new CpuTopology(List.of(new Vcpu(1, 0)), 0, 1, 1, 1))
                .hasMessageContaining("APIC ID 0");
        assertThatThrownBy(() -> new CpuTopology(List.of(new Vcpu(0, 0), new Vcpu(1, 1)), 1, 1, 1, 1))
                .hasMessageContaining("another thread of its core");
        assertThatThrownBy(() -> new CpuTopology(List.of(new Vcpu(0, 0)), 2, 1, 1, 1))
                .hasMessageContaining("must not shrink");
        assertThatThrownBy(() -> CpuTopology.uniform(1, 1, 2, 1, Collections.nCopies(3, 0)))
                .hasMessageContaining("do not fit");
        assertThatThrownBy(() -> CpuTopology.flat(0)).hasMessageContaining("must be");
    }
}
