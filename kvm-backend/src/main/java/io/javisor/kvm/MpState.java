package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_MP_STATE_HALTED;
import static io.javisor.kvm.abi.Constants.KVM_MP_STATE_INIT_RECEIVED;
import static io.javisor.kvm.abi.Constants.KVM_MP_STATE_RUNNABLE;
import static io.javisor.kvm.abi.Constants.KVM_MP_STATE_SIPI_RECEIVED;
import static io.javisor.kvm.abi.Constants.KVM_MP_STATE_UNINITIALIZED;

/** Whether a vCPU runs (linux/kvm.h, KVM_MP_STATE_…). */
public enum MpState {
    /** It runs. */
    RUNNABLE(KVM_MP_STATE_RUNNABLE),
    /** An application processor that has not seen INIT. */
    UNINITIALIZED(KVM_MP_STATE_UNINITIALIZED),
    /** It waits for its start-up IPI. */
    INIT_RECEIVED(KVM_MP_STATE_INIT_RECEIVED),
    /** It executed HLT and waits for an interrupt. */
    HALTED(KVM_MP_STATE_HALTED),
    /** It has just received its start-up IPI. */
    SIPI_RECEIVED(KVM_MP_STATE_SIPI_RECEIVED);

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
