package io.javisor.storage.npiv;

import io.javisor.linux.ScsiDevice.Direction;
import io.javisor.storage.scsi.Sense;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which commands of a guest reach a device, and with how much data. What is not listed is answered as a command that the device
 * does not have. Pure.
 *
 * <p>Passed are commands that read and write a unit's contents, ask what it is like, and reserve it. Not passed are those that
 * change the device for all who use it (WRITE BUFFER, which is also how firmware gets in; MODE SELECT, LOG SELECT, FORMAT UNIT,
 * SANITIZE, START STOP UNIT, SET TARGET PORT GROUPS, diagnostics, security protocols), those that wrap another protocol's commands
 * (ATA PASS-THROUGH, variable length), and EXTENDED COPY, which names other units by itself: arrays have been known not to ask
 * whether the initiator may see them. Copying by token (ODX) is passed: who has a token has read the data.
 *
 * <p>Data must go the way that the command says. What goes out must be as long as the descriptor block says, so that no device
 * is told to expect more than comes; protection information, which would make it longer, is refused.
 */
final class CommandPolicy {
    /** How much data a command takes to the device. */
    private enum Out {
        /** None, or it comes from there. */
        NOTHING,
        /** Blocks, as many as a field says. */
        BLOCKS,
        /** Twice as many: to compare, and to write. */
        BLOCKS_TWICE,
        /** Blocks if the command compares them (BYTCHK), else none. */
        BLOCKS_IF_COMPARED,
        /** One block, or none if it is known to be zeroes (NDOB). */
        ONE_BLOCK,
        /** Bytes, as many as a field says. */
        BYTES
    }

    /**
     * A command that is passed.
     *
     * @param direction its data's
     * @param out how much goes out
     * @param at where in the descriptor block the field is
     * @param bytes of the field
     * @param protection whether bits 5 to 7 of byte 1 ask for protection information
     */
    private record Rule(Direction direction, Out out, int at, int bytes, boolean protection) {}

    private static final int SHORT_WRITE = 0x0A;
    private static final Map<Integer, Rule> RULES = rules();

    private CommandPolicy() {}

    private static int key(int opcode, int serviceAction) {
        return opcode << 8 | serviceAction;
    }

    private static Map<Integer, Rule> rules() {
        var rules = new HashMap<Integer, Rule>();
        Rule none = new Rule(Direction.NONE, Out.NOTHING, 0, 0, false);
        Rule in = new Rule(Direction.IN, Out.NOTHING, 0, 0, false);
        Rule read = new Rule(Direction.IN, Out.NOTHING, 0, 0, true);
        // TEST UNIT READY, RESERVE and RELEASE (6 and 10 without parameters), PREVENT ALLOW MEDIUM REMOVAL,
        // SYNCHRONIZE CACHE (10, 16), PRE-FETCH (10, 16)
        for (int opcode : new int[] {0x00, 0x16, 0x17, 0x1E, 0x35, 0x91, 0x34, 0x90}) {
            rules.put(key(opcode, 0), none);
        }
        // REQUEST SENSE, READ (6), INQUIRY, MODE SENSE (6, 10), READ CAPACITY (10), LOG SENSE
        for (int opcode : new int[] {0x03, 0x08, 0x12, 0x1A, 0x5A, 0x25, 0x4D}) {
            rules.put(key(opcode, 0), in);
        }
        for (int opcode : new int[] {0x28, 0xA8, 0x88}) { // READ (10, 12, 16)
            rules.put(key(opcode, 0), read);
        }
        // PERSISTENT RESERVE IN: keys, reservation, capabilities, full status
        for (int action = 0; action <= 3; action++) {
            rules.put(key(0x5E, action), in);
        }
        for (int action = 0; action <= 7; action++) { // PERSISTENT RESERVE OUT: all but REPLACE LOST RESERVATION
            rules.put(key(0x5F, action), new Rule(Direction.OUT, Out.BYTES, 5, 4, false));
        }
        // MAINTENANCE IN: identifying information, port groups, operation codes, task management, timestamp
        for (int action : new int[] {0x05, 0x0A, 0x0C, 0x0D, 0x0F}) {
            rules.put(key(0xA3, action), in);
        }
        rules.put(key(0x9E, 0x10), in); // READ CAPACITY (16)
        rules.put(key(0x9E, 0x12), in); // GET LBA STATUS
        rules.put(key(0x84, 0x07), in); // RECEIVE ROD TOKEN INFORMATION
        rules.put(key(0x83, 0x10), new Rule(Direction.OUT, Out.BYTES, 10, 4, false)); // POPULATE TOKEN
        rules.put(key(0x83, 0x11), new Rule(Direction.OUT, Out.BYTES, 10, 4, false)); // WRITE USING TOKEN
        rules.put(key(SHORT_WRITE, 0), new Rule(Direction.OUT, Out.BLOCKS, 4, 1, false));
        for (int opcode : new int[] {0x2A, 0x2E}) { // WRITE, WRITE AND VERIFY (10)
            rules.put(key(opcode, 0), new Rule(Direction.OUT, Out.BLOCKS, 7, 2, true));
        }
        for (int opcode : new int[] {0xAA, 0xAE}) { // the same (12)
            rules.put(key(opcode, 0), new Rule(Direction.OUT, Out.BLOCKS, 6, 4, true));
        }
        for (int opcode : new int[] {0x8A, 0x8E, 0x8B}) { // the same (16), ORWRITE (16)
            rules.put(key(opcode, 0), new Rule(Direction.OUT, Out.BLOCKS, 10, 4, true));
        }
        rules.put(key(0x2F, 0), new Rule(Direction.OUT, Out.BLOCKS_IF_COMPARED, 7, 2, true)); // VERIFY (10)
        rules.put(key(0xAF, 0), new Rule(Direction.OUT, Out.BLOCKS_IF_COMPARED, 6, 4, true)); // VERIFY (12)
        rules.put(key(0x8F, 0), new Rule(Direction.OUT, Out.BLOCKS_IF_COMPARED, 10, 4, true)); // VERIFY (16)
        rules.put(key(0x89, 0), new Rule(Direction.OUT, Out.BLOCKS_TWICE, 13, 1, true)); // COMPARE AND WRITE
        rules.put(key(0x41, 0), new Rule(Direction.OUT, Out.ONE_BLOCK, 0, 0, true)); // WRITE SAME (10)
        rules.put(key(0x93, 0), new Rule(Direction.OUT, Out.ONE_BLOCK, 0, 0, true)); // WRITE SAME (16)
        rules.put(key(0x42, 0), new Rule(Direction.OUT, Out.BYTES, 7, 2, false)); // UNMAP
        return Map.copyOf(rules);
    }

    private static boolean hasServiceAction(int opcode) {
        return opcode == 0x5E || opcode == 0x5F || opcode == 0x83 || opcode == 0x84 || opcode == 0x9E || opcode == 0xA3;
    }

    /**
     * Why a command is not passed; null if it is.
     *
     * @param cdb as long as its operation code says
     * @param length of the guest's data
     * @param in whether the guest wants data
     * @param out whether it brings some
     * @param blockBytes of the unit's blocks; 0 if it has none, or they are not known: then nothing is passed that depends on it
     */
    static @Nullable Sense refusal(byte[] cdb, boolean in, boolean out, long length, int blockBytes) {
        Rule rule = rule(cdb);
        if (rule == null) {
            return RULES.keySet().stream().anyMatch(key -> key >> 8 == (cdb[0] & 0xFF))
                    ? Sense.INVALID_FIELD
                    : Sense.INVALID_OPCODE;
        }
        boolean moves = length != 0;
        boolean right = switch (rule.direction()) {
            case NONE -> !moves;
            case IN -> !moves || in;
            case OUT -> !moves || out;
        };
        if (!right || (rule.protection() && (cdb[1] & 0xE0) != 0)) {
            return Sense.INVALID_FIELD;
        }
        long expected = expected(rule, cdb, blockBytes);
        return rule.direction() == Direction.OUT && length != expected ? Sense.INVALID_FIELD : null;
    }

    /** The direction of a command that is passed. */
    static Direction direction(byte[] cdb) {
        Rule rule = rule(cdb);
        return rule == null ? Direction.NONE : rule.direction();
    }

    private static @Nullable Rule rule(byte[] cdb) {
        int opcode = cdb[0] & 0xFF;
        return RULES.get(key(opcode, hasServiceAction(opcode) ? cdb[1] & 0x1F : 0));
    }

    /** Bytes that a command takes out; −1 if that can't be said. */
    private static long expected(Rule rule, byte[] cdb, int blockBytes) {
        long field = 0;
        for (int i = 0; i < rule.bytes(); i++) {
            field = field << 8 | cdb[rule.at() + i] & 0xFF;
        }
        if ((cdb[0] & 0xFF) == SHORT_WRITE && field == 0) {
            field = 256;
        }
        if (rule.out() != Out.NOTHING && rule.out() != Out.BYTES && blockBytes == 0) {
            return -1;
        }
        return switch (rule.out()) {
            case NOTHING -> 0;
            case BYTES -> field;
            case BLOCKS -> field * blockBytes;
            case BLOCKS_TWICE -> 2 * field * blockBytes;
            case BLOCKS_IF_COMPARED ->
                switch (cdb[1] >> 1 & 3) {
                    case 0 -> 0;
                    case 1 -> field * blockBytes;
                    case 3 -> field == 0 ? 0 : blockBytes; // each block against one
                    default -> -1;
                };
            case ONE_BLOCK -> (cdb[0] & 0xFF) == 0x93 && (cdb[1] & 1) != 0 ? 0 : blockBytes;
        };
    }
}
