package io.javisor.storage.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Who sends commands, by a name that stays the same when it comes back: reservations are held under it.
 *
 * @param name at most 223 bytes of ASCII: an iSCSI-like name, or a Fibre Channel WWPN as 16 hexadecimal digits
 */
public record InitiatorPort(String name) {
    /** Checks the name. */
    public InitiatorPort {
        if (name.isEmpty()
                || name.length() > 223
                || !StandardCharsets.US_ASCII.newEncoder().canEncode(name)) {
            throw new IllegalArgumentException("initiator port \"" + name + "\"");
        }
    }

    /**
     * The TransportID of SPC-4 section 7.6.4: Fibre Channel for a WWPN, else iSCSI, whose names are free text.
     */
    byte[] transportId() {
        if (name.matches("[0-9a-fA-F]{16}")) {
            ByteBuffer out = ByteBuffer.allocate(24);
            out.putLong(8, Long.parseUnsignedLong(name, 16));
            return out.array();
        }
        byte[] text = name.getBytes(StandardCharsets.US_ASCII);
        int length = Math.max(20, (text.length + 1 + 3) / 4 * 4);
        ByteBuffer out = ByteBuffer.allocate(4 + length);
        out.put(0, (byte) 5);
        out.putShort(2, (short) length);
        out.put(4, text);
        return out.array();
    }
}
