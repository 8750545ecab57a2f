package io.javisor.networking.frame;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * A 48-bit Ethernet address.
 *
 * @param value the six bytes, the first on the wire in bits 47 to 40
 */
public record MacAddress(long value) {
    /** Everybody. */
    public static final MacAddress BROADCAST = new MacAddress(0xFFFF_FFFF_FFFFL);

    // Bit 1 of the first byte says that nobody's register of manufacturers knows it; bit 0 is clear: one station.
    private static final long LOCAL_PREFIX = 0x4A56L << 32;

    /** Checks the range. */
    public MacAddress {
        if (value >>> 48 != 0) {
            throw new IllegalArgumentException("not 48 bits: 0x" + Long.toHexString(value));
        }
    }

    /**
     * Reads six bytes in hexadecimal, between colons or dashes.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    public static MacAddress parse(String text) {
        if (!text.matches("(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")) {
            throw new IllegalArgumentException("\"" + text + "\" is no MAC address; write 02:00:00:00:00:01");
        }
        return new MacAddress(Long.parseLong(text.replaceAll("[:-]", ""), 16));
    }

    /** A locally administered address that is always the same for the same owner and number. */
    public static MacAddress generated(String owner, int number) {
        UUID digest = UUID.nameUUIDFromBytes((owner + "/net" + number).getBytes(StandardCharsets.UTF_8));
        return new MacAddress(LOCAL_PREFIX | digest.getLeastSignificantBits() & 0xFFFF_FFFFL);
    }

    /** Whether it names a group. */
    public boolean isMulticast() {
        return (value >>> 40 & 1) != 0;
    }

    /** The six bytes as on the wire. */
    public byte[] toByteArray() {
        byte[] all = ByteBuffer.allocate(8).putLong(value).array();
        return java.util.Arrays.copyOfRange(all, 2, 8);
    }

    @Override
    public String toString() {
        return "%02x:%02x:%02x:%02x:%02x:%02x"
                .formatted(
                        value >>> 40,
                        value >>> 32 & 0xFF,
                        value >>> 24 & 0xFF,
                        value >>> 16 & 0xFF,
                        value >>> 8 & 0xFF,
                        value & 0xFF);
    }
}
