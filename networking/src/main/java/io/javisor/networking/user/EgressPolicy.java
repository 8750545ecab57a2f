package io.javisor.networking.user;

import io.javisor.networking.vswitch.IpPrefix;
import java.util.List;

/**
 * What guests may reach. Addresses that mean the host itself, its link or nobody (0/8, 127/8, 169.254/16, 224/3) are out of
 * reach whatever is allowed, unless one of the allowed prefixes lies within them. An address that is denied and allowed is
 * denied.
 *
 * @param allowed prefixes; {@code 0.0.0.0/0} for the world
 * @param denied prefixes
 */
public record EgressPolicy(List<IpPrefix> allowed, List<IpPrefix> denied) {
    private static final List<IpPrefix> SPECIAL = List.of(
            IpPrefix.parse("0.0.0.0/8"),
            IpPrefix.parse("127.0.0.0/8"),
            IpPrefix.parse("169.254.0.0/16"),
            IpPrefix.parse("224.0.0.0/3"));

    /** The world. */
    public static final EgressPolicy ANY = new EgressPolicy(List.of(IpPrefix.parse("0.0.0.0/0")), List.of());

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

    /** Whether an IPv4 address may be reached. */
    public boolean permits(int address) {
        if (contains(denied, address)) {
            return false;
        }
        for (IpPrefix special : SPECIAL) {
            if (special.containsIpv4(address)) {
                return allowed.stream().anyMatch(p -> p.bits() >= special.bits() && p.containsIpv4(address));
            }
        }
        return contains(allowed, address);
    }

    private static boolean contains(List<IpPrefix> prefixes, int address) {
        return prefixes.stream().anyMatch(p -> p.containsIpv4(address));
    }
}
