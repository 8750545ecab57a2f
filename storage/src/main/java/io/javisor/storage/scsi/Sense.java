package io.javisor.storage.scsi;

import java.nio.ByteBuffer;

/**
 * Why a command failed (SPC-4 section 4.5).
 *
 * @param key sense key, 0 to 15
 * @param code additional sense code and its qualifier: {@code ASC << 8 | ASCQ}
 * @param information a number that belongs to it, such as an LBA; −1 for none
 */
public record Sense(int key, int code, long information) {
    /** Nothing to say. */
    public static final Sense NONE = new Sense(0, 0);
    /** The medium is not there or not ready. */
    public static final int NOT_READY = 2;
    /** The medium failed. */
    public static final int MEDIUM_ERROR = 3;
    /** The target failed. */
    public static final int HARDWARE_ERROR = 4;
    /** The command is wrong. */
    public static final int ILLEGAL_REQUEST = 5;
    /** Something happened that the initiator has to know first. */
    public static final int UNIT_ATTENTION = 6;
    /** The medium may not be written. */
    public static final int DATA_PROTECT = 7;
    /** A comparison failed. */
    public static final int MISCOMPARE = 14;

    /** There is no such command. */
    public static final Sense INVALID_OPCODE = new Sense(ILLEGAL_REQUEST, 0x2000);
    /** Something in the descriptor block is wrong. */
    public static final Sense INVALID_FIELD = new Sense(ILLEGAL_REQUEST, 0x2400);

    static final Sense INVALID_PARAMETER = new Sense(ILLEGAL_REQUEST, 0x2600);
    static final Sense PARAMETER_LENGTH = new Sense(ILLEGAL_REQUEST, 0x1A00);
    static final Sense OUT_OF_RANGE = new Sense(ILLEGAL_REQUEST, 0x2100);

    /** No unit has this number. */
    public static final Sense NO_SUCH_UNIT = new Sense(ILLEGAL_REQUEST, 0x2500);

    static final Sense WRITE_PROTECTED = new Sense(DATA_PROTECT, 0x2700);
    static final Sense NO_MEDIUM = new Sense(NOT_READY, 0x3A00);
    static final Sense TARGET_FAILURE = new Sense(HARDWARE_ERROR, 0x4400);

    /** Without a number. */
    public Sense(int key, int code) {
        this(key, code, -1);
    }

    /** The initiator or the target started: {@code POWER ON, RESET, OR BUS DEVICE RESET OCCURRED}. */
    public static Sense powerOn() {
        return new Sense(UNIT_ATTENTION, 0x2900);
    }

    /** The size of the disk is another. */
    public static Sense capacityChanged() {
        return new Sense(UNIT_ATTENTION, 0x2A09);
    }

    /** Units came or went. */
    public static Sense lunsChanged() {
        return new Sense(UNIT_ATTENTION, 0x3F0E);
    }

    /** The path's state is another: {@code ASYMMETRIC ACCESS STATE CHANGED}. */
    public static Sense accessStateChanged() {
        return new Sense(UNIT_ATTENTION, 0x2A06);
    }

    /**
     * Fixed format (SPC-4 section 4.5.3).
     *
     * <pre>
     *   0 0x70, 0x80 if the information is valid   2 key   3 information   7 additional length   12 ASC   13 ASCQ
     * </pre>
     */
    public byte[] toByteArray() {
        ByteBuffer out = ByteBuffer.allocate(18);
        boolean fits = information >= 0 && information <= 0xFFFF_FFFFL;
        out.put(0, (byte) (fits ? 0xF0 : 0x70));
        out.put(2, (byte) key);
        out.putInt(3, fits ? (int) information : 0);
        out.put(7, (byte) 10);
        out.putShort(12, (short) code);
        return out.array();
    }
}
