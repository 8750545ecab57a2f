package io.javisor.networking.user;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Tells clients who knows names (RFC 8415, stateless: information-request and reply, RFC 3646); their addresses they make themselves.
 *
 * <pre>
 * 0 kind   1 transaction   4 options: 0 code   2 bytes   4 content …
 * </pre>
 */
final class Dhcpv6Server {
    private static final int INFORMATION_REQUEST = 11;
    private static final int REPLY = 7;
    private static final int CLIENT_ID = 1;
    private static final int SERVER_ID = 2;
    private static final int NAME_SERVERS = 23;
    private static final int MOST_ID = 130; // bytes of a DUID (RFC 8415, 11.1)

    private Dhcpv6Server() {}

    /**
     * One message of a client.
     *
     * @param message the UDP payload
     * @return the answer's payload; null if there is none
     */
    static byte @Nullable [] answer(byte[] message) {
        if (message.length < 4 || message[0] != INFORMATION_REQUEST) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(message);
        byte[] own = serverId();
        byte[] client = {};
        for (int at = 4; at + 4 <= message.length; ) {
            int code = in.getShort(at) & 0xFFFF;
            int length = in.getShort(at + 2) & 0xFFFF;
            if (at + 4 + length > message.length) {
                return null;
            }
            byte[] content = Arrays.copyOfRange(message, at + 4, at + 4 + length);
            if (code == CLIENT_ID && length <= MOST_ID) {
                client = content;
            } else if (code == SERVER_ID && !Arrays.equals(content, own)) {
                return null; // for another
            }
            at += 4 + length;
        }
        ByteBuffer out = ByteBuffer.allocate(4 + 4 + client.length + 4 + own.length + 4 + 16);
        out.putInt(REPLY << 24 | in.getInt(0) & 0xFF_FFFF);
        option(out, SERVER_ID, own);
        if (client.length > 0) {
            option(out, CLIENT_ID, client);
        }
        option(out, NAME_SERVERS, Addresses.NAME_SERVER6.toInetAddress().getAddress());
        return Arrays.copyOf(out.array(), out.position());
    }

    /** A DUID of the gateway's MAC address (kind 3, hardware 1). */
    private static byte[] serverId() {
        return ByteBuffer.allocate(10)
                .putShort((short) 3)
                .putShort((short) 1)
                .put(Addresses.GATEWAY_MAC.toByteArray())
                .array();
    }

    private static void option(ByteBuffer out, int code, byte[] content) {
        out.putShort((short) code).putShort((short) content.length).put(content);
    }
}
