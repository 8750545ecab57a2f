package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.gib;
import static io.javisor.api.MemorySize.mib;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.lab.junit.LabTest;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemoryEvent;
import io.javisor.memory.MemorySample;
import io.javisor.memory.MemoryStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stock kernels grow and shrink with their need, as their own /proc and the host's memory files tell. */
@LabTest(
        guests = {"6.1-cloud", "6.12-cloud"},
        memory = "2560M")
class DynamicMemoryTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration MINUTE = Duration.ofSeconds(60);
    private static final long FILL = mib(800);

    private static long kilobytes(VirtualMachine vm, String field) {
        String text = vm.exec("sh", "-c", "sed -n 's/^" + field + ": *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo")
                .orThrow()
                .stdoutText()
                .strip();
        return Long.parseLong(text) << 10;
    }

    private static boolean within(Duration limit, BooleanSupplier what) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (!what.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Thread.sleep(200);
        }
        return true;
    }

    private static String state(VirtualMachine vm) {
        MachineMemory memory = vm.memory();
        return memory.sample() + " " + memory.status() + " " + memory.details() + "\n" + memory.events() + "\n"
                + vm.console().tail(10);
    }

    @Test
    @Tag("long")
    void twoWavesOfNeed() throws Exception {
        waves("6.1-cloud");
    }

    @Test
    @Tag("long")
    void twoWavesOfNeedOfALaterKernel() throws Exception {
        waves("6.12-cloud");
    }

    private static void waves(String kernel) throws Exception {
        try (VirtualMachine vm = VirtualMachine.builder("waves")
                .memory(mib(512))
                .dynamicMemory(d -> d.minimum(mib(256)).maximum(gib(2)))
                .linux(l -> l.debian(kernel))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            MachineMemory memory = vm.memory();
            assertThat(within(MINUTE, () -> memory.status() == MemoryStatus.OK))
                    .as("%s", state(vm))
                    .isTrue();
            assertThat(vm.exec("dmesg").stdoutText()).contains("Max. dynamic memory size: 2048 MB");
            vm.exec("sh", "-c", "mkdir /t && mount -t tmpfs -o size=1500m none /t")
                    .orThrow();
            for (int wave = 1; wave <= 2; wave++) {
                try {
                    wave(vm, memory, kernel + ", wave " + wave);
                } catch (ExecException e) {
                    throw new AssertionError(kernel + ", wave " + wave + ": " + state(vm), e);
                }
            }
            assertThat(memory.events().stream().filter(MemoryEvent.HotAdded.class::isInstance))
                    .as("new memory came once, and later came back from the balloon")
                    .isNotEmpty();
            assertThat(memory.events()).noneMatch(MemoryEvent.Refused.class::isInstance);
            assertThat(vm.exec("dmesg").stdoutText())
                    .doesNotContain("Out of memory")
                    .doesNotContain("oom-kill")
                    .doesNotContain("hot_add memory failed");
        }
    }

    private static void wave(VirtualMachine vm, MachineMemory memory, String what) throws Exception {
        long total = kilobytes(vm, "MemTotal");
        // 16 MiB, then half a second: what comes is 32 MiB a second at most.
        vm.exec(ExecRequest.command(
                                "sh",
                                "-c",
                                "for i in $(seq " + (FILL >> 24) + "); do"
                                        + " dd if=/dev/zero of=/t/$i bs=1M count=16 2>/dev/null || exit 1; sleep 0.5; done")
                        .timeout(PATIENCE)
                        .build())
                .orThrow();
        assertThat(within(MINUTE, () -> memory.status() == MemoryStatus.OK))
                .as("%s: %s", what, state(vm))
                .isTrue();
        long grown = kilobytes(vm, "MemTotal");
        MemorySample full = memory.sample();
        System.out.printf(
                "%s: MemTotal %d → %d MiB, assigned %d, demand %d, resident %d MiB%n",
                what, total >> 20, grown >> 20, full.assigned() >> 20, full.demand() >> 20, full.resident() >> 20);
        assertThat(grown).as("%s: the guest's own view", what).isGreaterThan(FILL + mib(100));
        assertThat(full.resident()).as("%s: the host's memory files", what).isGreaterThan(FILL);
        assertThat(full.assigned()).isLessThanOrEqualTo(gib(2));

        vm.exec("sh", "-c", "rm /t/*").orThrow();
        long floor = mib(256);
        boolean back = within(MINUTE, () -> {
            long fair = Math.max(floor, (long) (memory.demand() * 1.2));
            return memory.demand() < FILL / 2 && vm.residentBytes() <= fair * 1.15;
        });
        MemorySample low = memory.sample();
        System.out.printf(
                "%s: back to assigned %d, demand %d, resident %d MiB; MemTotal %d MiB%n",
                what, low.assigned() >> 20, low.demand() >> 20, low.resident() >> 20, kilobytes(vm, "MemTotal") >> 20);
        assertThat(back).as("%s: %s", what, state(vm)).isTrue();
        assertThat(kilobytes(vm, "MemTotal"))
                .as("%s: the guest's own view", what)
                .isLessThan(grown - FILL / 2);
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
            assertThat(within(MINUTE, () -> memory.details().added() >= mib(128)))
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
