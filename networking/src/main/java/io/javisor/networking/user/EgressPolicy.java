package io.javisor.networking.user;

import io.javisor.networking.vswitch.IpPrefix;
import java.net.InetAddress;
import java.util.List;

/**
 * What guests may reach, of both versions of IP. Addresses that mean the host itself, its link, nobody, or one of version 4 in the
 * clothes of version 6, are out of reach whatever is allowed, unless one of the allowed prefixes lies within their range. An
 * address that is denied and allowed is denied. The host's other addresses are judged by {@link #permitsHost}.
 *
 * @param allowed prefixes; {@code 0.0.0.0/0} and {@code ::/0} for the world
 * @param denied prefixes
 */
public record EgressPolicy(List<IpPrefix> allowed, List<IpPrefix> denied) {
    private static final List<IpPrefix> SPECIAL = List.of(
            IpPrefix.parse("0.0.0.0/8"),
            IpPrefix.parse("127.0.0.0/8"),
            IpPrefix.parse("169.254.0.0/16"),
            IpPrefix.parse("224.0.0.0/3"),
            IpPrefix.parse(
                    "::/80"), // nobody, loopback, mapped and compatible addresses (RFC 4291), ::ffff:0:0/96 among them
            IpPrefix.parse("::ffff:0:0:0/96"), // translated (RFC 2765)
            IpPrefix.parse("64:ff9b::/96"), // to be translated (RFC 6052)
            IpPrefix.parse("64:ff9b:1::/48"), // the same in a network (RFC 8215)
            IpPrefix.parse("2002::/16"), // 6to4 (RFC 3056)
            IpPrefix.parse("2001::/32"), // Teredo (RFC 4380)
            IpPrefix.parse("fe80::/10"), // link
            IpPrefix.parse("fec0::/10"), // site (RFC 3879)
            IpPrefix.parse("ff00::/8")); // groups

    /** The world. */
    public static final EgressPolicy ANY =
            new EgressPolicy(List.of(IpPrefix.parse("0.0.0.0/0"), IpPrefix.parse("::/0")), List.of());

    /** Nothing. */
    public static final EgressPolicy NONE = new EgressPolicy(List.of(), List.of());

    /** Copies the lists. */
    public EgressPolicy {
        allowed = List.copyOf(allowed);
        denied = List.copyOf(denied);
    }

    /** Only these. */
    public static EgressPolicy allow(IpPrefix... prefixes) {
        return new EgressPolicy(List.of(prefixes), List.of());
    }

    /** The same without these. */
    public EgressPolicy deny(IpPrefix... prefixes) {
        return new EgressPolicy(allowed, List.of(prefixes));
    }

    /** Whether nothing can be reached, so that names need not be known either. */
    public boolean isNone() {
        return allowed.isEmpty();
    }

    /** Whether an address may be reached that is not the host's own. */
    public boolean permits(InetAddress address) {
        if (contains(denied, address)) {
            return false;
        }
        for (IpPrefix special : SPECIAL) {
            if (special.contains(address)) {
                return allowed.stream().anyMatch(p -> p.bits() >= special.bits() && p.contains(address));
            }
        }
        return contains(allowed, address);
    }

    /**
     * Whether an address may be reached that is one of the host's own: only if it is allowed by itself, as {@code 192.0.2.1/32}, or is
     * special and allowed as those are.
     */
    public boolean permitsHost(InetAddress address) {
        boolean special = contains(SPECIAL, address);
        int all = 8 * address.getAddress().length;
        return permits(address) && (special || allowed.stream().anyMatch(p -> p.bits() == all && p.contains(address)));
    }

    private static boolean contains(List<IpPrefix> prefixes, InetAddress address) {
        return prefixes.stream().anyMatch(p -> p.contains(address));
    }
}
