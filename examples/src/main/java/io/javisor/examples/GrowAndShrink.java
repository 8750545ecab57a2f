package io.javisor.examples;

import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.memory.MachineMemory;
import io.javisor.memory.MemoryEvent;
import io.javisor.memory.MemoryPool;
import io.javisor.memory.MemoryStatus;
import io.javisor.memory.balancer.BalancingPolicy;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/**
 * A guest's memory grows and shrinks with its need, under a policy of one's own: machines come in sizes of whole 128 MiB, as a
 * price list might have them.
 *
 * <pre>
 * java --enable-native-access=io.javisor.linux -p ... -m io.javisor.examples/io.javisor.examples.GrowAndShrink
 * </pre>
 */
public final class GrowAndShrink {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final long SIZE = MemorySize.mib(128);

    private GrowAndShrink() {}

    /** What the ordinary policy gives, rounded up while the whole of it is there. A policy is pure: numbers in, numbers out. */
    static final BalancingPolicy WHOLE_SIZES = (capacity, claims) -> {
        long[] fair = BalancingPolicy.weightedFair().divide(capacity, claims);
        long left = capacity - Arrays.stream(fair).sum();
        for (int i = 0; i < fair.length; i++) {
            long more = Math.min(claims.get(i).maximum(), Math.ceilDiv(fair[i], SIZE) * SIZE) - fair[i];
            if (more <= left) {
                fair[i] += more;
                left -= more;
            }
        }
        return fair;
    };

    /** Takes no arguments. */
    public static void main(String[] arguments) throws InterruptedException {
        MemoryPool pool = MemoryPool.builder()
                .limit(MemorySize.gib(2))
                .reserve(0)
                .policy(WHOLE_SIZES)
                .build();
        try (VirtualMachine vm = VirtualMachine.builder("sizes")
                .memory(MemorySize.mib(384))
                .dynamicMemory(d -> d.minimum(MemorySize.mib(256)).maximum(MemorySize.gib(1)))
                .memoryPool(pool)
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            MachineMemory memory = vm.memory();
            memory.onEvent(event -> {
                if (event instanceof MemoryEvent.HotAdded added) {
                    System.out.println("  added " + MemorySize.format(added.taken()));
                }
            });
            vm.start().await(Wait.forShell(), PATIENCE);
            await(() -> memory.status() == MemoryStatus.OK && isThere(memory));
            say("starts", vm);
            vm.exec("sh", "-c", "mkdir /t && mount -t tmpfs -o size=320m t /t && head -c 314572800 /dev/zero >/t/file")
                    .orThrow();
            await(() -> memory.status() == MemoryStatus.OK && isThere(memory) && memory.demand() > MemorySize.mib(300));
            long grown = memory.assigned();
            say("holds a file of 300 MiB", vm);
            vm.exec("rm", "/t/file").orThrow();
            await(() -> memory.assigned() <= grown - SIZE);
            say("has removed it", vm);
        }
    }

    private static boolean isThere(MachineMemory memory) {
        return memory.assigned() == memory.sample().target();
    }

    private static void say(String what, VirtualMachine vm) {
        System.out.printf(
                "the guest %s: %d MiB, of which it sees %s kB%n",
                what,
                vm.memory().assigned() >> 20,
                vm.exec("awk", "/MemTotal/ {print $2}", "/proc/meminfo")
                        .stdoutText()
                        .strip());
    }

    private static void await(BooleanSupplier what) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!what.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("the guest has not got there in " + PATIENCE);
            }
            Thread.sleep(100);
        }
    }
}
