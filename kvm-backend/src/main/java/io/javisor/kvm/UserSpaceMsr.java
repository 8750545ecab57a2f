package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_MSR_EXIT_REASON_FILTER;
import static io.javisor.kvm.abi.Constants.KVM_MSR_EXIT_REASON_INVAL;
import static io.javisor.kvm.abi.Constants.KVM_MSR_EXIT_REASON_UNKNOWN;

/** Which MSR accesses leave the guest instead of faulting in it (linux/kvm.h, KVM_MSR_EXIT_REASON_…). */
public enum UserSpaceMsr {
    /** Known, but the value or the state refuses it. */
    INVALID(KVM_MSR_EXIT_REASON_INVAL),
    /** Unknown to KVM. */
    UNKNOWN(KVM_MSR_EXIT_REASON_UNKNOWN),
    /** Denied by the VM's filter. */
    FILTERED(KVM_MSR_EXIT_REASON_FILTER);

    private final int bit;

    UserSpaceMsr(int bit) {
        this.bit = bit;
    }

    /** The bit, as in {@link Exit.RdMsr#reason()}. */
    public int bit() {
        return bit;
    }
}
