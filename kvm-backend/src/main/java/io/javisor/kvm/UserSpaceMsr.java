package io.javisor.kvm;

/** Which MSR accesses leave the guest instead of faulting in it (linux/kvm.h, KVM_MSR_EXIT_REASON_…). */
public enum UserSpaceMsr {
    /** Known, but the value or the state refuses it. */
    INVALID(1),
    /** Unknown to KVM. */
    UNKNOWN(2),
    /** Denied by the VM's filter. */
    FILTERED(4);

    private final int bit;

    UserSpaceMsr(int bit) {
        this.bit = bit;
    }

    /** The bit, as in {@link Exit.MsrAccess#reason()}. */
    public int bit() {
        return bit;
    }
}
