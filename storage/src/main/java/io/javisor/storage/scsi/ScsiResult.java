package io.javisor.storage.scsi;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What became of a command.
 *
 * @param status one of the constants
 * @param sense why, with {@link #CHECK_CONDITION}; else null
 * @param transferred bytes that were moved to or from the initiator's memory
 * @param given sense data of another device server, as it came; null if it is {@code sense}
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record ScsiResult(int status, @Nullable Sense sense, long transferred, byte @Nullable [] given) {
    /** Done. */
    public static final int GOOD = 0;
    /** Not done; the sense data says why. */
    public static final int CHECK_CONDITION = 2;
    /** Not now. */
    public static final int BUSY = 8;
    /** Not now: too much is under way. */
    public static final int TASK_SET_FULL = 0x28;
    /** Another initiator holds a reservation. */
    public static final int RESERVATION_CONFLICT = 0x18;

    private static final byte[] NONE = new byte[0];

    /** No status at all: the way to the unit is broken. The initiator shall try another. */
    public static final int PATH_FAILED = 0x100;

    private ScsiResult(int status, @Nullable Sense sense, long transferred) {
        this(status, sense, transferred, null);
    }

    /** Done. */
    public static ScsiResult good(long transferred) {
        return new ScsiResult(GOOD, null, transferred);
    }

    /** What another device server made of it. */
    public static ScsiResult passed(int status, byte[] sense, long transferred) {
        return new ScsiResult(status, null, transferred, sense.length == 0 ? null : sense.clone());
    }

    /** Not now. */
    public static ScsiResult busy() {
        return new ScsiResult(BUSY, null, 0);
    }

    /** The way is broken, but so much has been moved. */
    public static ScsiResult pathFailed(long transferred) {
        return new ScsiResult(PATH_FAILED, null, transferred);
    }

    /** Sense data, cut to a length; none is no bytes. */
    public byte[] senseData(int most) {
        byte[] all = given != null ? given : sense != null ? sense.toByteArray() : NONE;
        return all.length <= most ? all : Arrays.copyOf(all, most);
    }

    /** Not done, for a reason. */
    public static ScsiResult check(Sense sense) {
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
