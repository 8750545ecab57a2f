package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.CpuSpec;
import io.javisor.api.ProcessorDescription;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.kvm.Kvm;
import io.javisor.kvm.partition.CpuModel;
import io.javisor.lab.junit.LabTest;
import io.javisor.partition.HypervisorException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What processors a stock kernel finds, by its own /proc/cpuinfo. */
@LabTest(guests = "6.12-cloud")
class ProcessorsInGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static VirtualMachine machine(String cpu) {
        return VirtualMachine.builder("cpu")
                .cpu(CpuSpec.parse(cpu))
                .linux(l -> l.debian("6.12-cloud").modules("msr"))
                .build();
    }

    private static String line(VirtualMachine vm, String key) {
        String line =
                vm.exec("sh", "-c", "grep -m 1 '^" + key + "' /proc/cpuinfo").stdoutText();
        return line.substring(line.indexOf(':') + 1).strip();
    }

    private static List<String> flags(VirtualMachine vm) {
        return Arrays.asList(line(vm, "flags").split(" "));
    }

    @Test
    void aBaselineIsAllThatTheGuestHas() {
        try (VirtualMachine vm = machine("x86-64-v2")) {
            vm.start().await(Wait.forShell(), PATIENCE);
            assertThat(flags(vm))
                    .contains("ssse3", "sse4_1", "sse4_2", "popcnt", "cx16", "lahf_lm", "hypervisor")
                    .doesNotContain("xsave", "avx", "avx2", "bmi1", "movbe", "aes", "sha_ni", "svm", "vmx", "rdrand");
            assertThat(vm.exec("dmesg").stdoutText())
                    .contains("PMU not available due to virtualization")
                    .doesNotContain("WARNING:", "BUG:", "Oops");
            ProcessorDescription here = vm.processor();
            assertThat(here.cpu()).hasToString("x86-64-v2");
            assertThat(here.vendor()).isEqualTo(line(vm, "vendor_id"));
            assertThat(here.brand()).isEqualTo(line(vm, "model name"));
            assertThat(String.valueOf(here.family())).isEqualTo(line(vm, "cpu family"));
            assertThat(String.valueOf(here.model())).isEqualTo(line(vm, "model"));
            assertThat(here.tscKhz()).isPositive();
            // The guest takes the frequency from Hyper-V's registers; /proc/cpuinfo has MHz with three digits.
            double mhz = Double.parseDouble(line(vm, "cpu MHz"));
            assertThat(here.tscKhz() / 1000.0).isBetween(mhz * 0.98, mhz * 1.02);
            unknownMsr(vm);
        }
    }

    /** The guest's read of a register that nobody has faults, and is counted. */
    private static void unknownMsr(VirtualMachine vm) {
        long before = vm.statistics().unknownMsrs();
        assertThat(0x1234_5678 % 8).isZero();
        String read = vm.exec(
                        "sh", "-c", "dd if=/dev/cpu/0/msr bs=8 count=1 skip=" + 0x1234_5678 / 8 + " 2>&1 | hexdump -C")
                .stdoutText();
        assertThat(read).contains("|dd: ");
        assertThat(vm.statistics().unknownMsrs()).isGreaterThan(before);
        String known = vm.exec("sh", "-c", "dd if=/dev/cpu/0/msr bs=8 count=1 skip=2 2>/dev/null | wc -c")
                .stdoutText();
        assertThat(known.strip()).as("the TSC").isEqualTo("8");
    }

    @Test
    void wideVectorsWorkWithV3AndNestingIsThereWhenAskedFor() {
        try (VirtualMachine vm = machine("x86-64-v3,nested")) {
            vm.start().await(Wait.forShell(), PATIENCE);
            assertThat(flags(vm))
                    .contains("xsave", "avx", "avx2", "fma", "bmi1", "bmi2", "movbe", "f16c", "abm")
                    .containsAnyOf("svm", "vmx")
                    .doesNotContain("avx512f", "sha_ni", "aes", "xsaves");
            assertThat(vm.exec("dmesg").stdoutText()).contains("x86/fpu: Enabled xstate features 0x7,");
            assertThatThrownBy(() -> vm.save(java.nio.file.Path.of("/tmp/nested-state")))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("save-nested"));
        }
    }

    @Test
    void whatTheHostLacksIsRefusedByName() {
        List<String> lacking;
        try (Kvm kvm = Kvm.open()) {
            lacking = CpuModel.X86_64_V4.lacking(kvm.supportedCpuid());
        }
        assertThat(lacking).as("QEMU's translator has no AVX-512").contains("avx512f");
        assertThatThrownBy(() -> machine("x86-64-v4"))
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo("cpu-model"))
                .hasMessageContainingAll("x86-64-v4", "avx512f", "avx512bw", "choose a lower level");
    }
}
