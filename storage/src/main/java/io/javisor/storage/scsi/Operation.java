package io.javisor.storage.scsi;

/**
 * A command that a unit understands.
 *
 * @param name as the standards write it
 * @param opcode first byte
 * @param serviceAction second part of the operation code, or −1 if it has none
 * @param usage a bit for each bit of the CDB that is looked at; its length is the CDB's
 * @param access what other initiators' reservations make of it
 * @param always whether it is run even if a unit attention waits or the path is not usable
 * @param handler runs it and returns how many bytes it moved
 */
@SuppressWarnings("ArrayRecordComponent") // the table is not shared
record Operation(
        String name, int opcode, int serviceAction, byte[] usage, Access access, boolean always, Handler handler) {
    /** What reservations mean for a command. */
    enum Access {
        /** Always possible. */
        ANY,
        /** Not under another's exclusive access. */
        READ,
        /** Not under another's write exclusive, either. */
        WRITE
    }

    /** Runs a command. */
    interface Handler {
        long run(Nexus nexus, ScsiCommand command);
    }

    static int key(int opcode, int serviceAction) {
        return opcode << 8 | (serviceAction & 0xFF);
    }

    int key() {
        return key(opcode, serviceAction);
    }

    /** Bytes from hexadecimal digits. */
    static byte[] hex(String digits) {
        return java.util.HexFormat.of().parseHex(digits);
    }
}
