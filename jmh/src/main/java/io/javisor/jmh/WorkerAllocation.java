package io.javisor.jmh;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Bytes that the threads that do the work have allocated: JMH's workers and vCPUs, not JMH's own book-keeping. */
final class WorkerAllocation {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private WorkerAllocation() {}

    static long bytes() {
        long sum = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().contains("-jmh-worker-") || thread.getName().contains(" vcpu")) {
                sum += Math.max(0, THREADS.getThreadAllocatedBytes(thread.threadId()));
            }
        }
        return sum;
    }
}
