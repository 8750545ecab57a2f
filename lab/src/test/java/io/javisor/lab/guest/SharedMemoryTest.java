package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.gib;
import static io.javisor.api.MemorySize.mib;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.ResetAction;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.junit.LabTest;
import io.javisor.memory.MemoryEvent;
import io.javisor.memory.MemoryPool;
import io.javisor.memory.MemoryStatus;
import io.javisor.partition.HypervisorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guests that share less memory than they ask for. */
@LabTest(
        guests = {"6.1-cloud", "6.12-cloud"},
        memory = "2560M")
class SharedMemoryTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static VirtualMachine machine(
            String name, MemoryPool pool, long minimum, long boot, long maximum, int weight) {
        return VirtualMachine.builder(name)
                .memory(boot)
                .dynamicMemory(d -> d.minimum(minimum).maximum(maximum).weight(weight))
                .memoryPool(pool)
                .onReset(ResetAction.RESTART)
                .linux(l -> l.debian("6.1-cloud"))
                .build();
    }

    private static boolean soon(BooleanSupplier what) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!what.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Thread.sleep(100);
        }
        return true;
    }

    private static String state(VirtualMachine vm) {
        return vm.state() + " " + vm.memory().sample() + " " + vm.memory().events() + "\n"
                + vm.console().tail(10);
    }

    private static void awaitReports(VirtualMachine vm) throws InterruptedException {
        assertThat(soon(() -> vm.memory().status() != MemoryStatus.UNKNOWN))
                .as("%s", state(vm))
                .isTrue();
    }

    @Test
    @Tag("long")
    void memoryGoesByWeightWhereThereIsTooLittle() throws Exception {
        MemoryPool pool = MemoryPool.builder().limit(gib(1)).reserve(0).build();
        List<VirtualMachine> guests = new ArrayList<>();
        try {
            for (int weight : new int[] {1_000, 5_000, 9_000}) {
                guests.add(machine("weight-" + weight, pool, mib(192), mib(256), gib(1), weight));
                guests.getLast().start();
            }
            for (VirtualMachine vm : guests) {
                vm.await(Wait.forShell(), PATIENCE);
                awaitReports(vm);
            }
            for (VirtualMachine vm : guests) {
                // Committed and never touched: the guest's need is real to the balancer, and nothing can run out of
                // memory.
                vm.exec("sh", "-c", "mkfifo /never; for i in 1 2 3 4 5; do dd if=/never bs=100M >/dev/null 2>&1 & done")
                        .orThrow();
            }
            assertThat(soon(() -> guests.stream().allMatch(vm -> vm.memory().demand() > mib(500))))
                    .as("%s", state(guests.getFirst()))
                    .isTrue();
            assertThat(soon(() -> ordered(guests)))
                    .as("%s", guests.stream().map(SharedMemoryTest::state).toList())
                    .isTrue();
            for (VirtualMachine vm : guests) {
                assertThat(vm.memory().assigned()).as("%s", state(vm)).isGreaterThanOrEqualTo(mib(192));
                assertThat(vm.exec("dmesg").orThrow().stdoutText()).doesNotContain("Out of memory");
            }
            assertThat(guests.stream().mapToLong(VirtualMachine::residentBytes).sum())
                    .as("the host's memory files")
                    .isLessThanOrEqualTo(gib(1));
        } finally {
            guests.forEach(VirtualMachine::close);
        }
    }

    private static boolean ordered(List<VirtualMachine> guests) {
        List<Long> has = guests.stream().map(vm -> vm.memory().assigned()).toList();
        return has.get(0) + mib(64) < has.get(1) && has.get(1) + mib(64) < has.get(2);
    }

    @Test
    @Tag("long")
    void aGuestRestartsFromDiskWhereTheHostIsShort(@TempDir Path folder) throws Exception {
        MemoryPool pool = MemoryPool.builder()
                .limit(mib(900))
                .reserve(0)
                .pagingFolder(folder)
                .build();
        try (VirtualMachine vm = machine("restarted", pool, mib(192), mib(512), mib(512), 5_000)) {
            vm.start().await(Wait.forShell(), PATIENCE);
            awaitReports(vm);
            assertThat(soon(() -> vm.memory().assigned() < mib(380)))
                    .as("%s", state(vm))
                    .isTrue();
            try (VirtualMachine other = machine("other", pool, mib(512), mib(512), mib(512), 5_000)) {
                other.start().await(Wait.forShell(), PATIENCE);
                try (VirtualMachine first = machine("first", pool, mib(192), mib(512), mib(512), 5_000)) {
                    assertThatThrownBy(first::start)
                            .as("a machine that never ran")
                            .isInstanceOf(HypervisorException.class)
                            .hasMessageContaining("512 MiB");
                }
                int boots = vm.statistics().boots();
                vm.exec("sh", "-c", "(sleep 1; reboot -f) >/dev/null 2>&1 &").orThrow();
                assertThat(soon(() -> vm.statistics().boots() > boots))
                        .as("%s", state(vm))
                        .isTrue();
                assertThat(vm.memory().paged()).as("%s", state(vm)).isGreaterThanOrEqualTo(mib(100));
                vm.await(Wait.forShell(), PATIENCE);
                vm.exec(
                                "sh",
                                "-c",
                                "mkdir -p /t; mount -t tmpfs none /t; dd if=/dev/urandom of=/t/f bs=1M count=64;"
                                        + " sha256sum /t/f >/t/sum")
                        .orThrow();
            }
            assertThat(soon(() -> vm.memory().paged() == 0)).as("%s", state(vm)).isTrue();
            assertThat(vm.memory().events()).anyMatch(MemoryEvent.Paged.class::isInstance);
            vm.exec("sha256sum", "-c", "/t/sum").orThrow();
            try (var left = Files.list(folder)) {
                assertThat(left).isEmpty();
            }
        }
    }
}
