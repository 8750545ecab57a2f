package io.javisor.networking.user;

import io.javisor.networking.frame.MacAddress;

/** The addresses of a user-mode network: 10.0.2.0/24, and fd4a:5600:2::/64 (a unique local prefix, RFC 4193). */
final class Addresses {
    static final int NETWORK = 0x0A00_0200;
    static final int MASK = 0xFFFF_FF00;
    static final int GATEWAY = NETWORK + 2;
    static final int NAME_SERVER = NETWORK + 3;
    static final int FIRST_LEASE = NETWORK + 15;
    static final int LAST_LEASE = NETWORK + 254;

    static final IpAddress GATEWAY4 = IpAddress.ipv4(GATEWAY);
    static final IpAddress NAME_SERVER4 = IpAddress.ipv4(NAME_SERVER);
    static final IpAddress LOOPBACK4 = IpAddress.ipv4(0x7F00_0001);

    /** The first 64 bits of all addresses of version 6 that guests make themselves. */
    static final long PREFIX6 = 0xFD4A_5600_0002_0000L;

    static final IpAddress GATEWAY6 = IpAddress.ipv6(PREFIX6, 2);
    static final IpAddress NAME_SERVER6 = IpAddress.ipv6(PREFIX6, 3);
    static final IpAddress LOOPBACK6 = IpAddress.ipv6(0, 1);

    /** The gateway's on the link, fe80::2, from which it advertises itself. */
    static final IpAddress GATEWAY_LINK = IpAddress.ipv6(0xFE80L << 48, 2);

    /** All stations of the link, ff02::1. */
    static final IpAddress ALL_NODES = IpAddress.ipv6(0xFF02L << 48, 1);

    /** The gateway's, locally administered. */
    static final MacAddress GATEWAY_MAC = MacAddress.parse("4a:56:00:00:02:02");

    private Addresses() {}

    /** Whether it is the gateway's, by any name. */
    static boolean isGateway(IpAddress address) {
        return address.equals(GATEWAY4) || address.equals(GATEWAY6) || address.equals(GATEWAY_LINK);
    }

    static boolean isNameServer(IpAddress address) {
        return address.equals(NAME_SERVER4) || address.equals(NAME_SERVER6);
    }

    /** Whether it is on this network. */
    static boolean isLocal(IpAddress address) {
        return address.ipv6()
                ? address.high() == PREFIX6 || address.isLinkLocal()
                : (address.bits32() & MASK) == NETWORK;
    }

    /** Whether a guest may have it. */
    static boolean isGuest(IpAddress address) {
        if (!isLocal(address) || isGateway(address) || isNameServer(address)) {
            return false;
        }
        return address.ipv6() ? address.low() != 0 : address.bits32() >= NETWORK + 4 && address.bits32() <= LAST_LEASE;
    }
}
