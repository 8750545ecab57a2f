package io.javisor.memory.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemandTraceTest {
    private static final DemandTrace SAMPLE =
            new DemandTrace("a workload", "bytes of it", "today, here", 2, List.of(100L, 300L, 0L));

    @Test
    void whatIsWrittenIsReadTheSame(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("t"), SAMPLE.format());
        assertThat(DemandTrace.read(file)).isEqualTo(SAMPLE);
        assertThat(SAMPLE.peak()).isEqualTo(300);
        assertThat(SAMPLE.seconds()).isEqualTo(6);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "javisor demand trace 2\n",
                "javisor demand trace 1\nworkload: a\n",
                "javisor demand trace 1\nworkload: a\nmeasured: b\nrecorded: c\nperiod: 0\n\n1\n",
                "javisor demand trace 1\nworkload: a\nmeasured: b\nrecorded: c\nperiod: 1\n\n",
                "javisor demand trace 1\nworkload: a\nmeasured: b\nrecorded: c\nperiod: 1\n\n-1\n",
                "javisor demand trace 1\nworkload: a\nmeasured: b\nrecorded: c\nperiod: 1\n\n12345678901234567890\n",
                "javisor demand trace 1\nworkload: \nmeasured: b\nrecorded: c\nperiod: 1\n\n1\n",
            })
    void whatIsNoTraceIsRefused(String text, @TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("t"), text);
        assertThatThrownBy(() -> DemandTrace.read(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no demand trace");
    }

    @Test
    void theRecordedTracesSayWhatTheyAre() {
        assertThat(RecordedDemand.all()).hasSize(3).allSatisfy(demand -> {
            assertThat(demand.source()).startsWith("recorded: src/workloads/");
            assertThat(demand.trace().peak()).isGreaterThan(16L << 20);
            assertThat(demand.trace().seconds()).isGreaterThan(20);
        });
    }

    @Test
    void aRecordedWorkloadReachesItsPeakInEachTurn() {
        var demand = new RecordedDemand(SAMPLE);
        var machine = new Nature(3);
        double most = 0;
        double least = 1;
        for (int second = 0; second < 4000; second++) {
            most = Math.max(most, demand.demand(second, machine));
            least = Math.min(least, demand.demand(second, machine));
        }
        assertThat(most).isEqualTo(machine.high());
        assertThat(least).isEqualTo(machine.low());
    }

    @Test
    void theHostsCommittedMemoryIsRead(@TempDir Path folder) throws Exception {
        Path meminfo = Files.writeString(folder.resolve("m"), "MemTotal: 5 kB\nCommitted_AS:     2048 kB\n");
        assertThat(DemandSampler.ofHost(meminfo).sample()).isEqualTo(2L << 20);
        assertThat(DemandSampler.ofHost().sample()).isPositive();
    }

    @Test
    void aControlGroupsMemoryIsRead(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("memory.current"), "4096\n");
        assertThat(DemandSampler.ofControlGroup(folder).sample()).isEqualTo(4096);
    }

    @Test
    void aProcessIsRecordedWithItsDescendants() throws Exception {
        DemandSampler sampler = DemandSampler.ofProcesses(ProcessHandle.current());
        long own = DemandSampler.own(Path.of("/proc/self/status"));
        assertThat(own).isGreaterThan(8L << 20);
        var rounds = new AtomicInteger(2);
        DemandTrace trace = sampler.record("this test", Duration.ofSeconds(1), () -> rounds.decrementAndGet() > 0);
        assertThat(trace.samples()).hasSize(2).allMatch(bytes -> bytes > 8L << 20);
        assertThat(DemandTrace.parse(trace.format())).isEqualTo(trace);
    }
}
