package io.javisor.storage.scsi;

import org.jspecify.annotations.Nullable;

/**
 * What became of a command.
 *
 * @param status one of the constants
 * @param sense why, with {@link #CHECK_CONDITION}; else null
 * @param transferred bytes that were moved to or from the initiator's memory
 */
public record ScsiResult(int status, @Nullable Sense sense, long transferred) {
    /** Done. */
    public static final int GOOD = 0;
    /** Not done; the sense data says why. */
    public static final int CHECK_CONDITION = 2;
    /** Not now. */
    public static final int BUSY = 8;
    /** Another initiator holds a reservation. */
    public static final int RESERVATION_CONFLICT = 0x18;

    /** No status at all: the way to the unit is broken. The initiator shall try another. */
    public static final int PATH_FAILED = 0x100;

    static ScsiResult good(long transferred) {
        return new ScsiResult(GOOD, null, transferred);
    }

    static ScsiResult check(Sense sense) {
        return new ScsiResult(CHECK_CONDITION, sense, 0);
    }

    /** The way to the unit is broken. */
    public static ScsiResult pathFailed() {
        return new ScsiResult(PATH_FAILED, null, 0);
    }

    static ScsiResult conflict() {
        return new ScsiResult(RESERVATION_CONFLICT, null, 0);
    }
}
