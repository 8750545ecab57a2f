package io.javisor.networking.user;

import io.javisor.networking.frame.MacAddress;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** The addresses of a user-mode network. IPv4 addresses are 32 bits in network order. */
final class Addresses {
    static final int NETWORK = 0x0A00_0200;
    static final int MASK = 0xFFFF_FF00;
    static final int GATEWAY = NETWORK + 2;
    static final int NAME_SERVER = NETWORK + 3;
    static final int FIRST_LEASE = NETWORK + 15;
    static final int LAST_LEASE = NETWORK + 254;
    static final int LOOPBACK = 0x7F00_0001;

    /** The gateway's, locally administered. */
    static final MacAddress GATEWAY_MAC = MacAddress.parse("4a:56:00:00:02:02");

    private Addresses() {}

    static boolean isLocal(int address) {
        return (address & MASK) == NETWORK;
    }

    static boolean isGuest(int address) {
        return isLocal(address) && address >= NETWORK + 4 && address <= LAST_LEASE;
    }

    static InetAddress of(int address) {
        try {
            return InetAddress.getByAddress(
                    new byte[] {(byte) (address >>> 24), (byte) (address >>> 16), (byte) (address >>> 8), (byte) address
                    });
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // the length is right
        }
    }
}
