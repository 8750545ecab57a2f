package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.gib;
import static io.javisor.api.MemorySize.mib;
import static io.javisor.lab.guest.MemoryWaves.kilobytes;
import static io.javisor.lab.guest.MemoryWaves.state;
import static io.javisor.lab.guest.MemoryWaves.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.MachineBuilder;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.kvm.partition.CpuModel;
import io.javisor.kvm.partition.CpuOption;
import io.javisor.lab.junit.LabTest;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemoryStatus;
import io.javisor.partition.HypervisorException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stock kernels grow and shrink with their need, as their own /proc and the host's memory files tell. */
@LabTest(
        guests = {"6.1-cloud", "6.12-cloud"},
        memory = "2560M",
        timeout = 600)
class DynamicMemoryTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration MINUTE = Duration.ofSeconds(60);
    private static final long FILL = mib(800);

    @Test
    void twoSmallWavesOfNeed() throws Exception {
        MemoryWaves.run("6.12-cloud", 2, mib(320));
    }

    @Test
    @Tag("long")
    void twoWavesOfNeed() throws Exception {
        MemoryWaves.run("6.1-cloud", 2, FILL);
    }

    @Test
    @Tag("long")
    void twoWavesOfNeedOfALaterKernel() throws Exception {
        MemoryWaves.run("6.12-cloud", 2, FILL);
    }

    @Test
    void growthLandsInTheNodeAskedFor() throws Exception {
        try (VirtualMachine vm = VirtualMachine.builder("nodes")
                .numa(n -> n.node(x -> x.vcpus(1).memory(mib(256)).hostNode(0))
                        .node(x -> x.vcpus(1).memory(mib(256)).hostNode(1)))
                .dynamicMemory(d -> d.minimum(mib(512)).maximum(gib(1)))
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            MachineMemory memory = vm.memory();
            assertThat(within(MINUTE, () -> memory.status() != MemoryStatus.UNKNOWN))
                    .as("%s", state(vm))
                    .isTrue();
            long before = nodeTotal(vm, 1);
            long other = nodeTotal(vm, 0);
            long host = vm.numa().placement().nodes().get(1).bytes().getOrDefault(1, 0L);
            memory.target(List.of(mib(256), mib(512)));
            assertThat(within(MINUTE, () -> memory.assigned() == mib(768)))
                    .as("%s", state(vm))
                    .isTrue();
            assertThat(within(MINUTE, () -> nodeTotal(vm, 1) >= before + mib(240)))
                    .as("%s", state(vm))
                    .isTrue();
            assertThat(nodeTotal(vm, 0)).as("node 0 of the guest").isEqualTo(other);
            long after = vm.numa().placement().nodes().get(1).bytes().getOrDefault(1, 0L);
            assertThat(after - host).as("on host node 1").isGreaterThanOrEqualTo(mib(240));
        }
    }

    @Test
    @Tag("long")
    void aMachineSavedWhileItGrowsGoesOn(@TempDir Path folder) throws Exception {
        Path state = folder.resolve("state");
        long assigned;
        try (VirtualMachine vm = VirtualMachine.builder("saved")
                .memory(mib(384))
                .dynamicMemory(d -> d.minimum(mib(256)).maximum(gib(1)))
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            MachineMemory memory = vm.memory();
            assertThat(within(MINUTE, () -> memory.status() == MemoryStatus.OK))
                    .as("%s", state(vm))
                    .isTrue();
            vm.exec(
                            "sh",
                            "-c",
                            "mkdir /t && mount -t tmpfs -o size=600m none /t; (for i in $(seq 20); do"
                                    + " dd if=/dev/urandom of=/t/$i bs=1M count=16 2>/dev/null && sha256sum /t/$i >>/sums || echo $i >>/failed;"
                                    + " sleep 0.5; done; echo >/ready) >/dev/null 2>&1 </dev/null &")
                    .orThrow();
            assertThat(within(MINUTE, () -> memory.details().added() >= mib(16)))
                    .as("%s", state(vm))
                    .isTrue();
            vm.save(state);
            assigned = memory.assigned();
        }
        try (VirtualMachine vm = VirtualMachine.restore(state)) {
            MachineMemory memory = vm.memory();
            assertThat(memory.assigned()).isEqualTo(assigned);
            assertThat(memory.limits().maximum()).isEqualTo(gib(1));
            vm.resume();
            assertThat(within(PATIENCE, () -> vm.exec("test", "-e", "/ready").exitCode() == 0))
                    .as("%s", state(vm))
                    .isTrue();
            assertThat(vm.exec("sh", "-c", "ls /failed 2>/dev/null; wc -l </sums; sha256sum -c /sums | grep -vc OK")
                            .stdoutText())
                    .isEqualTo("20\n0\n");
            assertThat(kilobytes(vm, "MemTotal")).isGreaterThan(mib(400));
            vm.exec("sh", "-c", "rm /t/*").orThrow();
            assertThat(within(PATIENCE, () -> memory.assigned() < mib(400)))
                    .as("%s", state(vm))
                    .isTrue();
            assertThat(vm.exec("dmesg").stdoutText()).doesNotContain("Out of memory");
        }
    }

    @Test
    void coldPagesAreRefusedWhereKvmDoesNotPassThemOn() {
        // The lab's kernel is 6.1; KVM passes extended hypercalls on since 6.3.
        MachineBuilder cold = VirtualMachine.builder("cold")
                .memory(mib(256))
                .cpu(CpuModel.HOST, CpuOption.COLD_PAGES)
                .dynamicMemory(d -> d.maximum(mib(512)))
                .linux(l -> l.debian("6.12-cloud"));
        assertThatThrownBy(cold::build)
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo("cpu-option"))
                .hasMessageContainingAll("cold pages", "extended hypercalls", "0x40000003");
    }

    private static long nodeTotal(VirtualMachine vm, int node) {
        String text = vm.exec(
                        "sh",
                        "-c",
                        "sed -n 's/.*MemTotal: *\\([0-9]*\\) kB$/\\1/p' /sys/devices/system/node/node" + node
                                + "/meminfo")
                .orThrow()
                .stdoutText()
                .strip();
        return Long.parseLong(text) << 10;
    }
}
