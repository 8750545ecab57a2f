package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.gib;
import static io.javisor.api.MemorySize.mib;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecException;
import io.javisor.api.exec.ExecRequest;
import io.javisor.memory.HostMemory;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemoryEvent;
import io.javisor.memory.MemorySample;
import io.javisor.memory.MemoryStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** A guest fills a tmpfs and empties it again: memory comes while it needs it, and goes back to the host within a minute. */
final class MemoryWaves {
    static final Duration PATIENCE = Duration.ofMinutes(2);
    static final Duration MINUTE = Duration.ofSeconds(60);

    private static final long MINIMUM = mib(256);

    private final VirtualMachine vm;
    private final MachineMemory memory;
    private final String kernel;
    private final long fill;
    private long highest; // bytes assigned at a time, as far as has been seen

    private MemoryWaves(VirtualMachine vm, String kernel, long fill) {
        this.vm = vm;
        this.memory = vm.memory();
        this.kernel = kernel;
        this.fill = fill;
    }

    /** What the host had of the guest's memory after a wave, and how much memory had been added by then. */
    private record Ebb(long resident, long added) {}

    /** So many waves of so many bytes, in a guest of 512 MiB that may come to have 3 GiB. */
    static void run(String kernel, int waves, long fill) throws Exception {
        try (VirtualMachine vm = VirtualMachine.builder("waves")
                .memory(mib(512))
                .dynamicMemory(d -> d.minimum(MINIMUM).maximum(gib(3)))
                .linux(l -> l.debian(kernel))
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            new MemoryWaves(vm, kernel, fill).run(waves);
        }
    }

    private void run(int waves) throws Exception {
        assertThat(within(MINUTE, () -> memory.status() == MemoryStatus.OK))
                .as("%s", state(vm))
                .isTrue();
        assertThat(vm.exec("dmesg").stdoutText()).contains("Max. dynamic memory size: 3072 MB");
        vm.exec("sh", "-c", "mkdir /t && mount -t tmpfs -o size=1500m none /t").orThrow();
        List<Ebb> ebbs = new ArrayList<>();
        for (int wave = 1; wave <= waves; wave++) {
            String what = kernel + ", wave " + wave;
            try {
                flow(what);
                ebbs.add(ebb(what));
            } catch (ExecException e) {
                throw new AssertionError(what + ": " + state(vm), e);
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
        Ebb first = ebbs.getFirst();
        Ebb last = ebbs.getLast();
        // A guest that has not yet touched all of its minimum may still do so.
        long had = Math.max(first.resident, MINIMUM);
        assertThat(last.resident).as("no drift of what the host has: %s", ebbs).isLessThanOrEqualTo(had + had / 8);
        // Added memory stays the guest's: no more comes than it once had at a time, but for one piece.
        assertThat(last.added)
                .as("no drift of what was added, with %d MiB at most: %s", highest >> 20, ebbs)
                .isLessThanOrEqualTo(highest - mib(512) + mib(128));
    }

    /** The guest needs more, at up to 32 MiB a second, and gets it. */
    private void flow(String what) throws Exception {
        long total = kilobytes(vm, "MemTotal");
        // 16 MiB, then half a second.
        vm.exec(ExecRequest.command(
                                "sh",
                                "-c",
                                "for i in $(seq " + (fill >> 24) + "); do"
                                        + " dd if=/dev/zero of=/t/$i bs=1M count=16 2>/dev/null || exit 1; sleep 0.5; done")
                        .timeout(PATIENCE.multipliedBy(3))
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
        assertThat(grown).as("%s: the guest's own view", what).isGreaterThan(fill + mib(100));
        assertThat(full.resident()).as("%s: the host's memory files", what).isGreaterThan(fill);
        assertThat(full.assigned()).isLessThanOrEqualTo(gib(3));
        highest = Math.max(highest, full.assigned());
    }

    /** The guest needs less again, and the host has its memory back in a minute. */
    private Ebb ebb(String what) throws Exception {
        long grown = kilobytes(vm, "MemTotal");
        vm.exec("sh", "-c", "rm /t/*").orThrow();
        long begun = System.nanoTime();
        boolean back = within(MINUTE, this::staysBack);
        long seconds = (System.nanoTime() - begun) / 1_000_000_000;
        MemorySample low = memory.sample();
        System.out.printf("%s: %s%n", what, HostMemory.read());
        System.out.printf(
                "%s: after %d s assigned %d, demand %d, resident %d, the driver's floor %d MiB; MemTotal %d MiB%n",
                what,
                seconds,
                low.assigned() >> 20,
                low.demand() >> 20,
                low.resident() >> 20,
                driverFloor() >> 20,
                kilobytes(vm, "MemTotal") >> 20);
        assertThat(back).as("%s: %s\n%s", what, state(vm), memory.history()).isTrue();
        assertThat(kilobytes(vm, "MemTotal"))
                .as("%s: the guest's own view", what)
                .isLessThan(grown - fill / 2);
        return new Ebb(low.resident(), memory.details().added());
    }

    /** What the guest reports of its demand may be older than what the host has: two looks agree. */
    private boolean staysBack() {
        try {
            if (!isBack()) {
                return false;
            }
            Thread.sleep(2_000);
            return isBack();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean isBack() {
        if (memory.demand() >= fill / 2) {
            return false;
        }
        long fair = Math.max(MINIMUM, (long) (memory.demand() * 1.2));
        long resident = vm.residentBytes();
        // The guest is not asked every time: the shell that answers needs memory too.
        return resident <= fair * 1.15 || resident <= fair * 1.5 && resident <= driverFloor() * 1.15;
    }

    /** Assigned bytes below which hv_balloon gives nothing up: it keeps its floor available (balloon_up in hv_balloon.c). */
    private long driverFloor() {
        long spare = kilobytes(vm, "MemAvailable") - keptAvailable(kilobytes(vm, "MemTotal"));
        return memory.assigned() - Math.max(0, spare);
    }

    /** compute_balloon_floor in Linux's drivers/hv/hv_balloon.c. */
    private static long keptAvailable(long total) {
        if (total < mib(128)) {
            return mib(8) + total / 2;
        }
        if (total < mib(512)) {
            return mib(40) + total / 4;
        }
        return total < gib(2) ? mib(104) + total / 8 : mib(232) + total / 16;
    }

    static long kilobytes(VirtualMachine vm, String field) {
        String text = vm.exec("sh", "-c", "sed -n 's/^" + field + ": *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo")
                .orThrow()
                .stdoutText()
                .strip();
        return Long.parseLong(text) << 10;
    }

    static boolean within(Duration limit, BooleanSupplier what) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (!what.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Thread.sleep(200);
        }
        return true;
    }

    static String state(VirtualMachine vm) {
        MachineMemory memory = vm.memory();
        return memory.sample() + " " + memory.status() + " " + memory.details() + "\nthe host: " + HostMemory.read()
                + "\n" + memory.events() + "\n" + vm.console().tail(10);
    }
}
