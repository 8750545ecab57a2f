package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import io.javisor.lab.junit.LabTest;
import io.javisor.testing.WithVirtualMachine;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The examples run, and this class is one: {@code @WithVirtualMachine} alone makes a test that uses a machine;
 * {@code @LabTest} is there because this project's tests of guests need no KVM outside.
 */
@LabTest(guests = "6.12-cloud")
@WithVirtualMachine(memory = "256M", vcpus = 2, append = "quiet javisor.example", modules = "hv_utils")
class ExamplesInLabTest {
    @Test
    void testUsesAMachine(VirtualMachine vm) {
        assertThat(vm.exec("cat", "/proc/cmdline").stdoutText()).contains("javisor.example");
        assertThat(vm.exec("sh", "-c", "grep -c ^processor /proc/cpuinfo").stdoutText())
                .isEqualTo("2\n");
        vm.exec("touch", "/tmp/left");
    }

    @Test
    void testsOfAClassShareTheMachine(VirtualMachine vm) {
        assertThat(vm.spec().name()).isEqualTo("ExamplesInLabTest");
        assertThat(vm.exec("sh", "-c", "lsmod | grep -c hv_utils").stdoutText()).isNotEqualTo("0\n");
        assertThat(vm.statistics().boots()).isEqualTo(1);
    }

    @Test
    void rawKvm() {
        assertThat(Printed.by(() -> RawKvm.main(new String[0]))).isEqualTo(RawKvmTest.OUTPUT);
    }

    @Test
    void firstVm() {
        assertThat(Printed.by(() -> FirstVm.main(new String[0])))
                .startsWith("Linux ")
                .contains(" 6.12.", "x86_64");
    }

    @Test
    void execInGuest() {
        assertThat(Printed.by(() -> ExecInGuest.main(new String[0]))).isEqualTo("""
                        sorted: 8 9 10\s
                        hello guest, exit code 3
                        exec-timeout: [sleep, 1000] in "exec" took longer than 500 ms and was killed
                        ended: PoweredOff[]
                        """);
    }

    @Test
    @Tag("long")
    void sharedLun() {
        String said = Printed.by(() -> SharedLun.main(new String[0]));
        assertThat(said.lines().map(l -> l.replaceAll("0x[0-9a-f]{16}", "NAME").replaceAll("naa.3[0-9a-f]{15}", "NAA")))
                .containsExactly(
                        "writer logged in as NAME, and its LUN 5 is NAA",
                        "reader logged in as NAME, and its LUN 5 is NAA",
                        "the reader finds: hello from the writer");
        List<String> names = said.lines()
                .limit(2)
                .map(l -> l.replaceAll(".*(0x[0-9a-f]{16}).*", "$1"))
                .toList();
        assertThat(names).doesNotHaveDuplicates().allMatch(n -> n.startsWith("0xc003ff"));
        assertThat(said.lines()
                        .limit(2)
                        .map(l -> l.replaceAll(".*(naa.*)", "$1"))
                        .distinct())
                .as("one disk")
                .hasSize(1);
    }

    @Test
    @Tag("long")
    void growAndShrink() {
        String said = Printed.by(() -> {
            try {
                GrowAndShrink.main(new String[0]);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        List<Integer> sizes = said.lines()
                .filter(l -> l.startsWith("the guest "))
                .map(l -> Integer.valueOf(l.replaceAll(".*: ([0-9]+) MiB.*", "$1")))
                .toList();
        List<Long> seen = said.lines()
                .filter(l -> l.startsWith("the guest "))
                .map(l -> Long.valueOf(l.replaceAll(".*it sees ([0-9]+) kB", "$1")))
                .toList();
        assertThat(said).contains("the guest starts: ", "  added ", "holds a file of 300 MiB: ", "has removed it: ");
        assertThat(sizes.get(0) % 128).as("%s", said).isZero();
        assertThat(sizes.get(1) % 128).as("%s", said).isZero();
        assertThat(sizes.get(1)).as("%s", said).isGreaterThan(sizes.get(0));
        assertThat(sizes.get(2)).as("%s", said).isLessThanOrEqualTo(sizes.get(1) - 128);
        assertThat(seen.get(1)).as("the guest's own view: %s", said).isGreaterThan(seen.get(0) + 100_000);
        assertThat(seen.get(2)).as("the guest's own view: %s", said).isLessThan(seen.get(1) - 100_000);
    }

    @Test
    void twoNumaNodes() {
        assertThat(Printed.by(() -> TwoNumaNodes.main(new String[0])).lines())
                .anyMatch(l -> l.matches("  the guest sees  vCPU 0, [0-9]+ kB, distances 10 21"))
                .anyMatch(l -> l.matches("  the guest sees  vCPU 1, [0-9]+ kB, distances 21 10"))
                .anyMatch(l -> l.matches("  the host says   node 0: [0-9]+ pages on host node 0.*"))
                .anyMatch(l -> l.matches("  the host says   node 1: [0-9]+ pages on host node 1.*"));
    }

    @Test
    @Tag("long")
    void twoMachinesOnASwitch() {
        assertThat(Printed.by(() -> TwoMachinesOnASwitch.main(new String[0]))).isEqualTo("""
                        port 80 says: from the server
                        port 8080 says: nothing
                        the other way, ping says: there it is
                        the switch has forwarded more than IPv4
                        """);
    }
}
