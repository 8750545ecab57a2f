package io.javisor.kvm;

/** Whether a vCPU runs (linux/kvm.h, KVM_MP_STATE_…). */
public enum MpState {
    /** It runs. */
    RUNNABLE(0),
    /** An application processor that has not seen INIT. */
    UNINITIALIZED(1),
    /** It waits for its start-up IPI. */
    INIT_RECEIVED(2),
    /** It executed HLT and waits for an interrupt. */
    HALTED(3),
    /** It has just received its start-up IPI. */
    SIPI_RECEIVED(4);

    private final int number;

    MpState(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    static MpState of(int number) {
        for (MpState state : values()) {
            if (state.number == number) {
                return state;
            }
        }
        throw new KvmException("kvm-refused", "MP state " + number + " is unknown", "KVM_GET_MP_STATE", 0, null, null);
    }
}
