package io.javisor.networking.user;

import io.javisor.networking.frame.Frame;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;

/**
 * An IP address as it stands in packets. An address of version 6 that maps one of version 4 stays what it is: the two are never
 * equal, so that no policy for the one is got around by the other.
 *
 * @param ipv6 which version
 * @param high bits 127 to 64, in network order; an IPv4 address is in the highest 32 of them
 * @param low bits 63 to 0
 */
record IpAddress(boolean ipv6, long high, long low) {
    static IpAddress ipv4(int address) {
        return new IpAddress(false, (long) address << 32, 0);
    }

    static IpAddress ipv6(long high, long low) {
        return new IpAddress(true, high, low);
    }

    /** Who sent an IP packet, which has been parsed. */
    static IpAddress source(Frame frame) {
        return at(frame, Frame.HEADER + (frame.etherType() == Frame.IPV6 ? 8 : 12));
    }

    /** Whom an IP packet is for, which has been parsed. */
    static IpAddress destination(Frame frame) {
        return at(frame, Frame.HEADER + (frame.etherType() == Frame.IPV6 ? 24 : 16));
    }

    private static IpAddress at(Frame frame, int at) {
        return frame.etherType() == Frame.IPV6
                ? new IpAddress(true, frame.getLong(at), frame.getLong(at + 8))
                : ipv4(frame.getInt(at));
    }

    /** The 32 bits of an IPv4 address. */
    int bits32() {
        return (int) (high >>> 32);
    }

    /** Whether it is for a group, or for everybody. */
    boolean isMulticast() {
        return ipv6 ? high >>> 56 == 0xFF : high >>> 60 == 0xE || bits32() == -1;
    }

    /** Whether it means nobody. */
    boolean isUnspecified() {
        return (high | low) == 0;
    }

    /** Whether it is of a link only (RFC 4291, 2.5.6). */
    boolean isLinkLocal() {
        return ipv6 && high >>> 54 == 0xFE80 >>> 6;
    }

    /** Writes it where addresses of its version stand. */
    void put(Frame frame, int at) {
        if (ipv6) {
            frame.putLong(at, high);
            frame.putLong(at + 8, low);
        } else {
            frame.putInt(at, bits32());
        }
    }

    InetAddress toInetAddress() {
        byte[] bytes = new byte[ipv6 ? 16 : 4];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) ((i < 8 ? high : low) >>> 56 - 8 * (i % 8));
        }
        try {
            // The other way of making one turns mapped addresses into those of version 4.
            return ipv6 ? Inet6Address.getByAddress(null, bytes, -1) : InetAddress.getByAddress(bytes);
        } catch (IOException e) {
            throw new IllegalStateException(e); // the length is right
        }
    }

    @Override
    public String toString() {
        return String.valueOf(toInetAddress().getHostAddress());
    }
}
