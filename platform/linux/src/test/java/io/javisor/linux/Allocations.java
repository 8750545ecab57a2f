package io.javisor.linux;

import java.lang.reflect.Method;

/** Bytes that the current thread allocates. */
final class Allocations {
    private Allocations() {}

    /** The least that a round of an action allocates once it has been compiled; under a byte a time is none. */
    static long ofRound(int times, Runnable action) throws ReflectiveOperationException {
        // By name, since the module under test has no need to read jdk.management.
        Method allocated = Class.forName("com.sun.management.ThreadMXBean").getMethod("getCurrentThreadAllocatedBytes");
        Object threads = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        long least = Long.MAX_VALUE;
        // Compilation takes its time on a busy machine.
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (least >= times && System.nanoTime() - deadline < 0) {
            long before = (long) allocated.invoke(threads);
            for (int i = 0; i < times; i++) {
                action.run();
            }
            least = Math.min(least, (long) allocated.invoke(threads) - before);
        }
        return least;
    }
}
