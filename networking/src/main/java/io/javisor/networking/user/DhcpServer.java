package io.javisor.networking.user;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Leases addresses to guests by their MAC addresses (RFC 2131): requests in, answers out. For one thread.
 *
 * <pre>
 * 0 op 1 type 2 hlen 3 hops  4 xid  8 secs 10 flags  12 ciaddr  16 yiaddr  20 siaddr  24 giaddr  28 chaddr  …  236 cookie  240 options
 * </pre>
 */
final class DhcpServer {
    private static final int FIXED = 240;
    private static final int COOKIE = 0x6382_5363;
    private static final int LEASE_SECONDS = 86_400;

    private static final int DISCOVER = 1;
    private static final int OFFER = 2;
    private static final int REQUEST = 3;
    private static final int ACK = 5;
    private static final int NAK = 6;
    private static final int INFORM = 8;

    private final Map<Long, Integer> leases = new LinkedHashMap<>();
    private final int mtu;

    DhcpServer(int mtu) {
        this.mtu = mtu;
    }

    /** The first address that was leased, or would be. */
    int first() {
        return leases.isEmpty()
                ? Addresses.FIRST_LEASE
                : leases.values().iterator().next();
    }

    private @Nullable Integer lease(long mac) {
        Integer known = leases.get(mac);
        if (known != null) {
            return known;
        }
        int next = Addresses.FIRST_LEASE + leases.size();
        if (next > Addresses.LAST_LEASE) {
            return null;
        }
        leases.put(mac, next);
        return next;
    }

    /**
     * One message of a client.
     *
     * @param message the UDP payload
     * @return the answer's payload, to be broadcast; null if there is none
     */
    byte @Nullable [] answer(byte[] message) {
        ByteBuffer in = ByteBuffer.wrap(message);
        if (message.length < FIXED || in.get(0) != 1 || in.get(1) != 1 || in.get(2) != 6 || in.getInt(236) != COOKIE) {
            return null;
        }
        int kind = 0;
        int wanted = in.getInt(12);
        int server = Addresses.GATEWAY;
        for (int at = FIXED; at + 1 < message.length; ) {
            int code = message[at] & 0xFF;
            if (code == 0) {
                at++;
                continue;
            }
            int length = message[at + 1] & 0xFF;
            if (code == 255 || at + 2 + length > message.length) {
                break;
            }
            if (code == 53 && length == 1) {
                kind = message[at + 2];
            } else if (code == 50 && length == 4) {
                wanted = in.getInt(at + 2);
            } else if (code == 54 && length == 4) {
                server = in.getInt(at + 2);
            }
            at += 2 + length;
        }
        if (server != Addresses.GATEWAY || (kind != DISCOVER && kind != REQUEST && kind != INFORM)) {
            return null;
        }
        Integer address = kind == INFORM ? Integer.valueOf(0) : lease(in.getLong(28) >>> 16);
        if (address == null) {
            return null;
        }
        int answer = kind == DISCOVER ? OFFER : kind == REQUEST && wanted != address ? NAK : ACK;
        return answer(in, answer, address);
    }

    private byte[] answer(ByteBuffer in, int kind, int address) {
        ByteBuffer out = ByteBuffer.allocate(300);
        out.put(0, (byte) 2).put(1, (byte) 1).put(2, (byte) 6).putInt(4, in.getInt(4));
        out.putShort(10, in.getShort(10));
        if (kind != NAK) {
            out.putInt(12, in.getInt(12)).putInt(16, address);
        }
        byte[] hardware = new byte[16];
        in.get(28, hardware);
        out.put(28, hardware).putInt(236, COOKIE).position(FIXED);
        out.put((byte) 53).put((byte) 1).put((byte) kind);
        option(out, 54, Addresses.GATEWAY);
        if (kind != NAK) {
            if (address != 0) {
                option(out, 51, LEASE_SECONDS);
            }
            option(out, 1, Addresses.MASK);
            option(out, 3, Addresses.GATEWAY);
            option(out, 6, Addresses.NAME_SERVER);
            out.put((byte) 26).put((byte) 2).putShort((short) mtu);
        }
        out.put((byte) 255);
        return out.array();
    }

    private static void option(ByteBuffer out, int code, int value) {
        out.put((byte) code).put((byte) 4).putInt(value);
    }
}
