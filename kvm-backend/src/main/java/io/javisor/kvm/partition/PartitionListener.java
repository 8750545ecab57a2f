package io.javisor.kvm.partition;

import io.javisor.linux.HostThread;
import io.javisor.partition.HypervisorException;

/** Hears of a partition's run. Called on a vCPU's thread; must not block or close the partition there. */
public interface PartitionListener {
    /**
     * A vCPU shut down: triple fault.
     *
     * @param vcpu its number, from 0
     * @param registers as text, for messages
     */
    void tripleFault(int vcpu, String registers);

    /**
     * The guest wrote Hyper-V's crash MSRs.
     *
     * @param vcpu which one did
     * @param parameters HV_X64_MSR_CRASH_P0 to P4
     * @param message what it says of it, the end of its log at most 4,096 bytes long; empty if it says nothing or the host's
     *     KVM can't bring it
     */
    void crashed(int vcpu, long[] parameters, String message);

    /**
     * A vCPU can't go on: KVM_INTERNAL_ERROR, FAIL_ENTRY, an exit that nobody knows, an error of the host.
     *
     * @param vcpu its number, from 0
     */
    void failed(int vcpu, HypervisorException error);

    /**
     * A vCPU's thread begins, before it first enters the guest.
     *
     * @param thread the current thread, as the host knows it
     */
    default void vcpuStarted(int vcpu, HostThread thread) {}

    /** A vCPU's thread is about to end. */
    default void vcpuStopped(int vcpu) {}
}
