package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.kvm.Kvm;
import io.javisor.kvm.partition.CpuModel;
import io.javisor.kvm.partition.CpuOption;
import io.javisor.partition.HypervisorException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class CpuSpecTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {"host", "x86-64-v2", "x86-64-v3,nested", "x86-64-v4,nested,pmu", "host,pmu", "host,cold-pages"})
    void isReadAsItIsWritten(String text) {
        assertThat(CpuSpec.parse(text)).hasToString(text);
    }

    @Test
    void isMadeOfAModelAndOptions() {
        assertThat(CpuSpec.parse("x86-64-v3,pmu,nested"))
                .isEqualTo(new CpuSpec(CpuModel.X86_64_V3, Set.of(CpuOption.NESTED, CpuOption.PMU)));
        assertThat(CpuSpec.parse("host")).isEqualTo(CpuSpec.HOST);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x86-64-v5", "host,", "nested", "host,sgx", "HOST"})
    void tellsWhatIsPossible(String text) {
        assertThatThrownBy(() -> CpuSpec.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("x86-64-v3", "nested", "pmu", "cold-pages");
    }

    @Test
    void isPartOfASavedMachine() {
        TinyKernel.assumeKvm();
        CpuModel model;
        try (Kvm kvm = Kvm.open()) {
            model = CpuModel.X86_64_V2.lacking(kvm.supportedCpuid()).isEmpty() ? CpuModel.X86_64_V2 : CpuModel.HOST;
        }
        SpinKernel.writeTo(folder);
        ProcessorDescription before;
        try (VirtualMachine vm =
                SpinKernel.machine(folder).cpu(model, CpuOption.PMU).build()) {
            assertThatThrownBy(vm::processor)
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("wrong-state"));
            vm.start().await(Wait.forConsole("."), Duration.ofSeconds(60));
            before = vm.processor();
            vm.save(folder.resolve("state"));
        }
        assertThat(before.cpu().model()).isEqualTo(model);
        assertThat(before.vendor()).hasSize(12);
        assertThat(before.tscKhz()).isPositive();
        SavedState saved = SavedState.open(folder.resolve("state"));
        assertThat(saved.spec().cpu().model()).isEqualTo(model);
        assertThat(saved.spec().cpu().options()).containsExactly(CpuOption.PMU);
        assertThat(saved.processor()).isEqualTo(before);
        try (VirtualMachine vm = saved.restore()) {
            assertThat(vm.processor()).isEqualTo(before);
        }
    }
}
