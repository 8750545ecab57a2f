package io.javisor.storage.scsi;

/** What a target port group lets through (asymmetric logical unit access, SPC-4 section 5.15). */
public enum AccessState {
    /** Everything, at full speed. */
    OPTIMIZED(0, 0),
    /** Everything, by a longer way. */
    NON_OPTIMIZED(1, 0),
    /** Only questions; becomes usable on request. */
    STANDBY(2, 0x040B),
    /** Nothing but the simplest questions. */
    UNAVAILABLE(3, 0x040C),
    /** Between two states. */
    TRANSITIONING(15, 0x040A);

    private final int code;
    private final int refusal;

    AccessState(int code, int refusal) {
        this.code = code;
        this.refusal = refusal;
    }

    int code() {
        return code;
    }

    boolean refuses() {
        return refusal != 0;
    }

    Sense refusal() {
        return new Sense(Sense.NOT_READY, refusal);
    }
}
