package io.javisor.jmh;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.LongUnaryOperator;

/**
 * The threads that do the work: JMH's workers and vCPUs. Not the JVM's compilers, which on a busy machine are still at work when
 * a benchmark is measured, nor JMH's book-keeping.
 */
final class Workers {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Workers() {}

    /** Bytes that they have allocated. */
    static long allocatedBytes() {
        return sum(THREADS::getThreadAllocatedBytes);
    }

    /** Nanoseconds that they have been on a processor. */
    static long processorNanos() {
        return sum(THREADS::getThreadCpuTime);
    }

    private static long sum(LongUnaryOperator of) {
        long sum = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().contains("-jmh-worker-") || thread.getName().contains(" vcpu")) {
                sum += Math.max(0, of.applyAsLong(thread.threadId())); // −1: it has ended
            }
        }
        return sum;
    }
}
