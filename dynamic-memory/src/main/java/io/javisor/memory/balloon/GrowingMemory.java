package io.javisor.memory.balloon;

import io.javisor.partition.topology.AddressSpacePlan;

/**
 * A machine's memory, as far as dynamic memory moves it. {@link #discard} and {@link #populate} may take long and are called on
 * threads that may wait, one after the other; all throw {@link io.javisor.partition.HypervisorException} if the host refuses.
 */
public interface GrowingMemory {
    /** Growth windows get their memory slots in units of this many bytes, as KVM has only so many of them: 128 MiB. */
    long SLOT = 128L << 20;

    /** Where memory is, and where it may come to be. */
    AddressSpacePlan plan();

    /** Size of the host's pages behind a node: only whole ones can be given back. Bytes. */
    long pageSize(int node);

    /**
     * Gives the guest memory in a growth window: from now on these addresses have memory behind them, bound to the host's nodes
     * as planned, and so may those up to the next multiple of {@link #SLOT}. Addresses that had memory before are left as they
     * are.
     */
    void add(int node, long gpa, long length);

    /** Gives host memory back. The guest reads zeroes there, and gets new memory if it writes. In whole host pages. */
    void discard(long gpa, long length);

    /** Makes host memory present, so that a host that is short is an error now. In whole host pages. */
    void populate(long gpa, long length);

    /** Bytes of host memory that a node of the guest really has. */
    long residentBytes(int node);
}
