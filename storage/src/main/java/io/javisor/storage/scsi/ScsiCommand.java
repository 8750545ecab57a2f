package io.javisor.storage.scsi;

import io.javisor.storage.disk.IoMemory;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A command: the descriptor block, and the initiator's memory for what goes in or out. */
public final class ScsiCommand {
    /** Longest descriptor block that is looked at. */
    public static final int MOST_CDB_BYTES = 32;

    private static final IoMemory NOTHING = IoMemory.of(new byte[0]);

    private final byte[] cdb;
    private final IoMemory in;
    private final IoMemory out;

    private ScsiCommand(byte[] cdb, IoMemory in, IoMemory out) {
        this.cdb = Arrays.copyOf(cdb, MOST_CDB_BYTES);
        this.in = in;
        this.out = out;
    }

    /** A command that moves no data. */
    public static ScsiCommand of(byte... cdb) {
        return new ScsiCommand(cdb, NOTHING, NOTHING);
    }

    /** A command that gives data to the initiator. */
    public static ScsiCommand reading(byte[] cdb, IoMemory into) {
        return new ScsiCommand(cdb, into, NOTHING);
    }

    /** A command that takes data from the initiator. */
    public static ScsiCommand writing(byte[] cdb, IoMemory from) {
        return new ScsiCommand(cdb, NOTHING, from);
    }

    /** A copy of the descriptor block, as long as its operation code says (SPC-4 section 4.2.5.1); 16 bytes where it says nothing. */
    public byte[] cdb() {
        int length = switch (opcode() >> 5) {
            case 0 -> 6;
            case 1, 2 -> 10;
            case 5 -> 12;
            default -> 16;
        };
        return Arrays.copyOf(cdb, length);
    }

    int opcode() {
        return u8(0);
    }

    int serviceAction() {
        return cdb[1] & 0x1F;
    }

    boolean bit(int at, int bit) {
        return (cdb[at] >> bit & 1) != 0;
    }

    int u8(int at) {
        return cdb[at] & 0xFF;
    }

    int u16(int at) {
        return u8(at) << 8 | u8(at + 1);
    }

    int u24(int at) {
        return u16(at) << 8 | u8(at + 2);
    }

    long u32(int at) {
        return (long) u16(at) << 16 | u16(at + 2);
    }

    long u64(int at) {
        return u32(at) << 32 | u32(at + 4);
    }

    /** Where data for the initiator goes; empty if the command moves none. */
    public IoMemory in() {
        return in;
    }

    /** Data from the initiator; empty if the command moves none. */
    public IoMemory out() {
        return out;
    }

    /** Copies parameter data out of the initiator's memory, all of a length; once, before it is checked. */
    byte[] parameters(long length, int most) {
        if (length > out.byteSize() || length > most) {
            throw ScsiError.check(Sense.PARAMETER_LENGTH);
        }
        byte[] copy = new byte[(int) length];
        out.get(0, MemorySegment.ofArray(copy));
        return copy;
    }

    /** Gives parameter data to the initiator, cut to an allocation length and its memory; returns how much that was. */
    public long answer(byte[] data, long allocationLength) {
        long n = Math.min(Math.min(data.length, allocationLength), in.byteSize());
        in.put(0, MemorySegment.ofArray(data).asSlice(0, n));
        return n;
    }
}
