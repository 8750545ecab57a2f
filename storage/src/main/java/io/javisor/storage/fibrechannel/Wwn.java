package io.javisor.storage.fibrechannel;

import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A world-wide name of 64 bits, of a port (WWPN) or a node (WWNN). Its first four bits say how it is made up (NAA): 1, 2 and 5
 * are given out by IEEE's members, 3 locally, 12 to 15 carry an EUI-64, as Hyper-V's C0:03:FF does.
 *
 * @param value first byte highest
 */
public record Wwn(long value) implements Comparable<Wwn> {
    private static final Pattern PLAIN = Pattern.compile("(0x)?[0-9a-f]{16}");
    private static final Pattern SPACED = Pattern.compile("[0-9a-f]{2}(:[0-9a-f]{2}){7}");

    /** Checks that it can name a port: neither nothing nor all ones, and of a known format. */
    public Wwn {
        int naa = (int) (value >>> 60);
        if (value == 0 || value == -1) {
            throw new IllegalArgumentException("world-wide name " + format(value) + " names nobody");
        }
        if (naa == 0 || naa == 4 || (naa >= 6 && naa <= 11)) {
            throw new IllegalArgumentException("world-wide name " + format(value) + " begins with "
                    + Integer.toHexString(naa) + ", which is no format of 64 bits; 1, 2, 3, 5 and c to f are");
        }
    }

    /**
     * Reads a name as it is usually written: {@code c003ff0000ffff00}, {@code 0xc003ff0000ffff00} or
     * {@code C0:03:FF:00:00:FF:FF:00}.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static Wwn of(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (!PLAIN.matcher(lower).matches() && !SPACED.matcher(lower).matches()) {
            throw new IllegalArgumentException(
                    "world-wide name \"" + text + "\"; write 16 hexadecimal digits, or 8 pairs of them with colons");
        }
        String digits = lower.replace(":", "");
        return new Wwn(Long.parseUnsignedLong(digits.substring(digits.length() - 16), 16));
    }

    /** 16 hexadecimal digits, as Linux has them in {@code /sys/class/fc_host} after {@code 0x}. */
    public String hex() {
        return HexFormat.of().toHexDigits(value);
    }

    private static String format(long value) {
        return HexFormat.ofDelimiter(":")
                .formatHex(java.nio.ByteBuffer.allocate(8).putLong(value).array());
    }

    @Override
    public int compareTo(Wwn other) {
        return Long.compareUnsigned(value, other.value);
    }

    /** With colons. */
    @Override
    public String toString() {
        return format(value);
    }
}
