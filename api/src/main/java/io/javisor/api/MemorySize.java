package io.javisor.api;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Memory sizes in bytes, for specs: {@code memory(mib(512))}. */
public final class MemorySize {
    private static final Pattern TEXT = Pattern.compile("([0-9]{1,15})([KMGT]?)(?:I?B)?");

    private MemorySize() {}

    /** {@code n} × 1,024 bytes; throws ArithmeticException if that exceeds 63 bits. */
    public static long kib(long n) {
        return Math.multiplyExact(n, 1L << 10);
    }

    /** {@code n} × 1,048,576 bytes; throws ArithmeticException if that exceeds 63 bits. */
    public static long mib(long n) {
        return Math.multiplyExact(n, 1L << 20);
    }

    /** {@code n} × 2³⁰ bytes; throws ArithmeticException if that exceeds 63 bits. */
    public static long gib(long n) {
        return Math.multiplyExact(n, 1L << 30);
    }

    /** {@code n} × 2⁴⁰ bytes; throws ArithmeticException if that exceeds 63 bits. */
    public static long tib(long n) {
        return Math.multiplyExact(n, 1L << 40);
    }

    /**
     * Reads a size as people write it: {@code 512M}, {@code 2G}, {@code 1T}, {@code 4096} (bytes); powers of 1,024, letter
     * case free, {@code B} or {@code iB} at the end allowed.
     *
     * @throws IllegalArgumentException if it is no such size
     */
    public static long parse(String text) {
        Matcher m = TEXT.matcher(text.trim().toUpperCase(Locale.ROOT));
        if (!m.matches()) {
            throw new IllegalArgumentException(
                    "not a memory size: \"" + text + "\" (write 512M, 2G or a number of bytes)");
        }
        long n = Long.parseLong(m.group(1));
        try {
            return switch (m.group(2)) {
                case "K" -> kib(n);
                case "M" -> mib(n);
                case "G" -> gib(n);
                case "T" -> tib(n);
                default -> n;
            };
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("memory size too large: \"" + text + "\"", e);
        }
    }

    /** A size as people read it: {@code 512 MiB}, {@code 1.5 GiB}. */
    public static String format(long bytes) {
        String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return value == Math.rint(value)
                ? (long) value + " " + units[unit]
                : String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }
}
