package io.javisor.networking.vswitch;

import io.javisor.networking.frame.Frame;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Objects;

/**
 * A range of IP addresses, as {@code 10.0.0.0/8} or {@code fd00::/8}. Addresses are kept as 128 bits.
 *
 * @param ipv6 which version
 * @param high bits 127 to 64, in network order
 * @param low bits 63 to 0; an IPv4 address is in the highest 32 bits of {@code high}
 * @param bits that count, 0 to 32 or 128
 */
public record IpPrefix(boolean ipv6, long high, long low, int bits) {
    /** Checks the range, and clears what does not count. */
    public IpPrefix {
        if (bits < 0 || bits > (ipv6 ? 128 : 32)) {
            throw new IllegalArgumentException("/" + bits + " is not possible");
        }
        high &= mask(bits);
        low &= mask(bits - 64);
    }

    private static long mask(int bits) {
        return bits <= 0 ? 0 : bits >= 64 ? -1 : -1L << 64 - bits;
    }

    /**
     * Reads an address, or an address and the number of bits that count.
     *
     * @throws IllegalArgumentException if it is anything else; names are not looked up
     */
    public static IpPrefix parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        try {
            if (!address.matches("[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")) {
                throw new IllegalArgumentException("\"" + text + "\" is no IP address or prefix");
            }
            InetAddress parsed = InetAddress.ofLiteral(address);
            int all = parsed.getAddress().length * 8;
            return of(parsed, slash < 0 ? all : Integer.parseInt(text.substring(slash + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("\"" + text + "\" is no prefix", e);
        }
    }

    /** The addresses that share their first bits with one. */
    public static IpPrefix of(InetAddress address, int bits) {
        byte[] all = address.getAddress();
        long high = 0;
        long low = 0;
        for (int i = 0; i < 8; i++) {
            high = high << 8 | (i < all.length ? all[i] & 0xFF : 0);
            low = low << 8 | (8 + i < all.length ? all[8 + i] & 0xFF : 0);
        }
        return new IpPrefix(all.length == 16, high, low, bits);
    }

    /** One address. */
    public static IpPrefix of(InetAddress address) {
        return of(address, address.getAddress().length * 8);
    }

    /** Whether it has an address. */
    public boolean contains(InetAddress address) {
        IpPrefix one = of(address);
        return one.ipv6 == ipv6 && matches(one.high, one.low);
    }

    /** Whether it has an IPv4 address, of 32 bits. */
    public boolean containsIpv4(int address) {
        return !ipv6 && matches((long) address << 32, 0);
    }

    /** Whether it has the address that stands in a frame of its version. */
    boolean contains(Frame frame, int at) {
        return ipv6 ? matches(frame.getLong(at), frame.getLong(at + 8)) : containsIpv4(frame.getInt(at));
    }

    private boolean matches(long otherHigh, long otherLow) {
        return ((otherHigh ^ high) & mask(bits)) == 0 && ((otherLow ^ low) & mask(bits - 64)) == 0;
    }

    @Override
    public String toString() {
        try {
            byte[] bytes = new byte[ipv6 ? 16 : 4];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) ((i < 8 ? high : low) >>> 56 - 8 * (i % 8));
            }
            return Objects.requireNonNull(InetAddress.getByAddress(bytes).getHostAddress()) + "/" + bits;
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // the length is right
        }
    }
}
