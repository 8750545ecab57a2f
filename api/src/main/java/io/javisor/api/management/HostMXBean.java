package io.javisor.api.management;

import java.util.Map;

/** What the host has for machines, as {@code io.javisor:type=Host}. */
public interface HostMXBean {
    /** Whether a machine can be created at all. */
    boolean isUsable();

    /** Whether KVM has the Hyper-V enlightenments that VMBus devices need. */
    boolean isHyperV();

    /** What was looked at, by code, with what was found: as {@code javisor doctor} prints it. Takes up to a tenth of a second. */
    Map<String, String> getChecks();

    /** Bytes of memory that the host has. */
    long getMemoryTotal();

    /** Bytes of memory that can be had without swapping. */
    long getMemoryAvailable();

    /** Percent of the last 10 s in which some task of the host waited for memory; 0 where the kernel does not say. */
    double getMemoryPressure();

    /** Machines that share the host's pool of memory. */
    int getPoolMachines();

    /** Bytes that no machine of the pool had in its last round; negative if they have more than there is. */
    long getPoolFree();

    /** Rounds of the pool's balancer so far. */
    long getPoolRounds();
}
