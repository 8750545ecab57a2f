package io.javisor.examples;

import io.javisor.api.VirtualMachine;
import io.javisor.api.exec.ExecRequest;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemorySample;
import io.javisor.memory.MemoryStatus;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.function.BooleanSupplier;

/**
 * Asks a guest for what it does not need, makes it need memory and need it no longer, and draws what it has: a line a second.
 */
final class MemoryShow {
    private static final int WIDTH = 40;
    private static final long STEP_MILLIS = 1_000;
    /** A guest may keep a part of what it is asked for. */
    private static final Duration ASKED_PATIENCE = Duration.ofSeconds(15);

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int FILL_MIB = 192;

    private final VirtualMachine vm;
    private final PrintWriter out;
    private final long scale;

    MemoryShow(VirtualMachine vm, PrintWriter out) {
        this.vm = vm;
        this.out = out;
        scale = vm.memory().limits().maximum();
    }

    void run() throws InterruptedException {
        MachineMemory memory = vm.memory();
        out.println("memory # resident, + assigned, . demand; of " + (scale >> 20) + " MiB");
        vm.exec("sh", "-c", "mkdir -p /fill && mount -t tmpfs -o size=" + FILL_MIB + "m fill /fill")
                .orThrow();
        draw("idle", PATIENCE, () -> memory.status() != MemoryStatus.UNKNOWN);
        long start = memory.assigned();
        long target = memory.limits().minimum();
        memory.target(target);
        draw("asked for all but " + (target >> 20) + " MiB", ASKED_PATIENCE, () -> memory.assigned() < start / 4 * 3);
        memory.automatic();
        Thread fill = Thread.ofVirtual()
                .start(() -> vm.exec(ExecRequest.command(
                                "sh",
                                "-c",
                                "for i in $(seq " + FILL_MIB / 16
                                        + "); do dd if=/dev/zero of=/fill/$i bs=1M count=16 2>/dev/null; done")
                        .timeout(PATIENCE)
                        .build()));
        draw("fills a tmpfs with " + FILL_MIB + " MiB", PATIENCE, () -> !fill.isAlive());
        long grown = memory.assigned();
        vm.exec("sh", "-c", "rm /fill/*");
        draw("has emptied it", PATIENCE, () -> memory.assigned() < grown / 4 * 3);
    }

    private void draw(String phase, Duration patience, BooleanSupplier done) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        boolean last;
        do {
            last = done.getAsBoolean() || System.nanoTime() - end > 0;
            MemorySample now = vm.memory().sample();
            out.printf(
                    Locale.ROOT,
                    "memory |%s| %4d MiB assigned, %4d demand, %4d resident  %s%n",
                    bar(now),
                    now.assigned() >> 20,
                    now.demand() >> 20,
                    now.resident() >> 20,
                    phase);
            out.flush();
            if (!last) {
                Thread.sleep(STEP_MILLIS);
            }
        } while (!last);
    }

    private String bar(MemorySample now) {
        var bar = new StringBuilder();
        for (int i = 0; i < WIDTH; i++) {
            long at = scale * i / WIDTH;
            bar.append(at < now.demand() ? '.' : at < now.resident() ? '#' : at < now.assigned() ? '+' : ' ');
        }
        return bar.toString();
    }
}
