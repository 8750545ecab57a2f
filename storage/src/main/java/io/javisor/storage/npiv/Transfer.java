package io.javisor.storage.npiv;

import java.nio.ByteBuffer;

/**
 * READ and WRITE commands that move more than the host's adapter takes at once, in parts. Pure.
 *
 * @param opcode 0x28, 0x2A, 0xA8, 0xAA, 0x88 or 0x8A
 * @param first block
 * @param blocks in all
 */
record Transfer(int opcode, long first, long blocks) {
    /** What a descriptor block asks for; null if it is none of these commands. */
    static @org.jspecify.annotations.Nullable Transfer of(byte[] cdb) {
        ByteBuffer in = ByteBuffer.wrap(cdb);
        int opcode = cdb[0] & 0xFF;
        return switch (opcode) {
            case 0x28, 0x2A ->
                new Transfer(opcode, Integer.toUnsignedLong(in.getInt(2)), Short.toUnsignedLong(in.getShort(7)));
            case 0xA8, 0xAA ->
                new Transfer(opcode, Integer.toUnsignedLong(in.getInt(2)), Integer.toUnsignedLong(in.getInt(6)));
            case 0x88, 0x8A -> new Transfer(opcode, in.getLong(2), Integer.toUnsignedLong(in.getInt(10)));
            default -> null;
        };
    }

    /** The same command for some of its blocks. */
    static byte[] part(byte[] cdb, long offset, long blocks) {
        Transfer whole = of(cdb);
        if (whole == null) {
            throw new IllegalArgumentException("not a transfer");
        }
        ByteBuffer out = ByteBuffer.wrap(cdb.clone());
        long from = whole.first + offset;
        switch (whole.opcode) {
            case 0x28, 0x2A -> out.putInt(2, (int) from).putShort(7, (short) blocks);
            case 0xA8, 0xAA -> out.putInt(2, (int) from).putInt(6, (int) blocks);
            default -> out.putLong(2, from).putInt(10, (int) blocks);
        }
        return out.array();
    }
}
