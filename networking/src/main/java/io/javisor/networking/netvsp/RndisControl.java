package io.javisor.networking.netvsp;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.MacAddress;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What the guest asks of its adapter and tells it, by RNDIS requests: messages in, answers out. Requests come on the primary
 * channel's reactor; what they set may be read from any thread.
 */
@SuppressWarnings({"ByteBufferBackingArray", "RefactorSwitch"}) // allocated here; steps, not expressions
final class RndisControl {
    /** Bytes of the longest request that is looked at: RSS parameters have 600. */
    static final int MOST_REQUEST_BYTES = 4096;

    /** Entries of the indirection table (Linux: ITAB_NUM). */
    static final int TABLE = 128;

    private static final int FRAME_SIZE = 0x0001_0106;
    private static final int LINK_SPEED = 0x0001_0107;
    private static final int PACKET_FILTER = 0x0001_010E;
    private static final int CONNECT_STATUS = 0x0001_0114;
    private static final int PERMANENT_ADDRESS = 0x0101_0101;
    private static final int CURRENT_ADDRESS = 0x0101_0102;
    private static final int CONFIG_PARAMETER = 0x0001_021B;
    private static final int RSS_CAPABILITIES = 0x0001_0203;
    private static final int RSS_PARAMETERS = 0x0001_0204;
    private static final int OFFLOAD_PARAMETERS = 0xFC01_020C;
    private static final int OFFLOAD_CAPABILITIES = 0xFC01_020D;

    private static final int OBJECT_OFFLOAD = 0xA7;
    private static final int OBJECT_RSS = 0x88;
    private static final int ENABLED = 2;

    /** 10 Gbit/s, in units of 100 bit/s. */
    private static final int SPEED = 100_000_000;

    /** What an adapter is and can be told. */
    interface Traits {
        MacAddress mac();

        /** Takes another address; false if it must keep its own. */
        boolean changeMac(MacAddress mac);

        int mtu();

        boolean isConnected();

        int queues();
    }

    /** How packets are spread over queues. */
    record Spread(Toeplitz hash, int[] table) {}

    private final Traits traits;
    private boolean initialized;
    private volatile int filter;
    private volatile boolean coalesceIpv4;
    private volatile boolean coalesceIpv6;
    private volatile @Nullable Spread spread;

    RndisControl(Traits traits) {
        this.traits = traits;
    }

    /** As it is when the guest's driver begins. */
    void reset() {
        initialized = false;
        filter = 0;
        coalesceIpv4 = false;
        coalesceIpv6 = false;
        spread = null;
    }

    /** Whether the guest wants frames. */
    boolean receives() {
        return filter != 0;
    }

    /** Whether the guest takes TCP packets larger than its MTU. */
    boolean coalesces(int etherType) {
        return etherType == Frame.IPV6 ? coalesceIpv6 : coalesceIpv4;
    }

    @Nullable
    Spread spread() {
        return spread;
    }

    /** Tells the guest that the medium has come or gone. */
    byte[] mediumChanged() {
        ByteBuffer message = message(Rndis.INDICATE, 20);
        return message.putInt(8, traits.isConnected() ? Rndis.MEDIA_CONNECT : Rndis.MEDIA_DISCONNECT)
                .array();
    }

    /**
     * One request.
     *
     * @param request the whole message, little-endian, at most {@link #MOST_REQUEST_BYTES}
     * @return the answer; null if there is none
     */
    byte @Nullable [] answer(ByteBuffer request) {
        if (request.remaining() < 12 || request.getInt(4) < 12 || request.getInt(4) > request.remaining()) {
            return null;
        }
        int id = request.getInt(8);
        switch (request.getInt(0)) {
            case Rndis.INIT -> {
                initialized = true;
                ByteBuffer done = done(Rndis.INIT, 52, id, Rndis.STATUS_SUCCESS);
                done.putInt(16, 1).putInt(20, 0); // version 1.0
                done.putInt(24, 1).putInt(28, 0); // connectionless, Ethernet
                done.putInt(32, 8); // messages in a packet
                done.putInt(36, 0x4000);
                done.putInt(40, 3); // aligned to 2³
                return done.array();
            }
            case Rndis.HALT -> {
                reset();
                return null;
            }
            case Rndis.RESET -> {
                filter = 0;
                return message(Rndis.RESET | Rndis.DONE, 16).array(); // success, nothing to be set again
            }
            case Rndis.KEEP_ALIVE -> {
                return done(Rndis.KEEP_ALIVE, 16, id, Rndis.STATUS_SUCCESS).array();
            }
            case Rndis.QUERY -> {
                byte[] value = request.getInt(4) < 24 || !initialized ? null : query(request.getInt(12));
                int status = value == null ? Rndis.STATUS_NOT_SUPPORTED : Rndis.STATUS_SUCCESS;
                int bytes = value == null ? 0 : value.length;
                ByteBuffer done = done(Rndis.QUERY, 24 + bytes, id, status);
                done.putInt(16, bytes).putInt(20, bytes == 0 ? 0 : 16);
                if (value != null) {
                    done.put(24, value);
                }
                return done.array();
            }
            case Rndis.SET -> {
                return done(Rndis.SET, 16, id, initialized ? set(request) : Rndis.STATUS_FAILURE)
                        .array();
            }
            default -> {
                return null;
            }
        }
    }

    private static ByteBuffer message(int type, int bytes) {
        return little(bytes).putInt(0, type).putInt(4, bytes);
    }

    private static ByteBuffer done(int request, int bytes, int id, int status) {
        return message(request | Rndis.DONE, bytes).putInt(8, id).putInt(12, status);
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] number(int value) {
        return little(4).putInt(value).array();
    }

    private byte @Nullable [] query(int oid) {
        return switch (oid) {
            case FRAME_SIZE -> number(traits.mtu());
            case LINK_SPEED -> number(SPEED);
            case PACKET_FILTER -> number(filter);
            case CONNECT_STATUS -> number(traits.isConnected() ? 0 : 1);
            case PERMANENT_ADDRESS, CURRENT_ADDRESS -> traits.mac().toByteArray();
            case OFFLOAD_CAPABILITIES -> offloads();
            case RSS_CAPABILITIES -> {
                ByteBuffer all = little(18);
                all.put(0, (byte) OBJECT_RSS).put(1, (byte) 2).putShort(2, (short) 18);
                all.putInt(4, 0x0100_0000 | 0x300); // message-signalled; TCP over IPv4 and IPv6
                all.putInt(8, traits.queues()).putInt(12, traits.queues());
                yield all.putShort(16, (short) TABLE).array();
            }
            default -> null;
        };
    }

    /** NDIS_OFFLOAD, revision 3: checksums, large sends and coalescing of TCP, both versions of IP, both ways. */
    private static byte[] offloads() {
        ByteBuffer all = little(156);
        all.put(0, (byte) OBJECT_OFFLOAD).put(1, (byte) 3).putShort(2, (short) 156);
        int plainOrTagged = 0x2 | 0x8; // encapsulation: Ethernet, tag beside it
        int ipv4 = 0x001 | 0x004 | 0x010 | 0x040 | 0x100; // IP options, TCP options, TCP, UDP, IP
        int ipv6 = 0x001 | 0x004 | 0x010 | 0x040; // extension headers, TCP options, TCP, UDP
        all.putInt(4, plainOrTagged).putInt(8, ipv4).putInt(12, plainOrTagged).putInt(16, ipv4);
        all.putInt(20, plainOrTagged).putInt(24, ipv6).putInt(28, plainOrTagged).putInt(32, ipv6);
        int largest = 62_780; // the payload of an IP packet, less than 65,535 with all headers, as Hyper-V says
        all.putInt(80, plainOrTagged).putInt(84, largest).putInt(88, 2);
        all.putInt(92, plainOrTagged).putInt(96, largest).putInt(100, 2).putInt(104, 0x001 | 0x004);
        return all.put(144, (byte) 1).put(145, (byte) 1).array();
    }

    private int set(ByteBuffer request) {
        int bytes = request.getInt(4);
        if (bytes < 28) {
            return Rndis.STATUS_INVALID_DATA;
        }
        int length = request.getInt(16);
        int offset = request.getInt(20);
        if (length < 0 || offset < 0 || offset > bytes - Rndis.BASE || length > bytes - Rndis.BASE - offset) {
            return Rndis.STATUS_INVALID_DATA;
        }
        ByteBuffer value = request.slice(Rndis.BASE + offset, length).order(ByteOrder.LITTLE_ENDIAN);
        switch (request.getInt(12)) {
            case PACKET_FILTER -> {
                if (length < 4) {
                    return Rndis.STATUS_INVALID_DATA;
                }
                filter = value.getInt(0);
                return Rndis.STATUS_SUCCESS;
            }
            case OFFLOAD_PARAMETERS -> {
                if (length < 22) {
                    return Rndis.STATUS_INVALID_DATA;
                }
                if (length >= 24) { // 0: as it was
                    coalesceIpv4 = value.get(22) == 0 ? coalesceIpv4 : value.get(22) == ENABLED;
                    coalesceIpv6 = value.get(23) == 0 ? coalesceIpv6 : value.get(23) == ENABLED;
                }
                return Rndis.STATUS_SUCCESS;
            }
            case RSS_PARAMETERS -> {
                return spread(value) ? Rndis.STATUS_SUCCESS : Rndis.STATUS_INVALID_DATA;
            }
            case CONFIG_PARAMETER -> {
                return configure(value);
            }
            default -> {
                return Rndis.STATUS_NOT_SUPPORTED;
            }
        }
    }

    private boolean spread(ByteBuffer value) {
        if (value.capacity() < 28) {
            return false;
        }
        if ((value.getShort(4) & 0x10) != 0) { // RSS off
            spread = null;
            return true;
        }
        int tableBytes = value.getShort(12) & 0xFFFF;
        long tableAt = Integer.toUnsignedLong(value.getInt(16));
        int keyBytes = value.getShort(20) & 0xFFFF;
        long keyAt = Integer.toUnsignedLong(value.getInt(24));
        int entries = tableBytes / 4;
        if (entries == 0
                || entries > TABLE
                || Integer.bitCount(entries) != 1
                || tableAt + tableBytes > value.capacity()
                || keyBytes != Toeplitz.KEY_BYTES
                || keyAt + keyBytes > value.capacity()) {
            return false;
        }
        int[] table = new int[entries];
        for (int i = 0; i < entries; i++) {
            table[i] = value.getInt((int) tableAt + 4 * i);
            if (table[i] < 0 || table[i] >= traits.queues()) {
                return false;
            }
        }
        byte[] key = new byte[keyBytes];
        value.get((int) keyAt, key);
        spread = new Spread(new Toeplitz(key), table);
        return true;
    }

    /** A named parameter, as UTF-16: the address that the guest's administrator gave the adapter is the only one. */
    private int configure(ByteBuffer value) {
        if (value.capacity() < 20) {
            return Rndis.STATUS_INVALID_DATA;
        }
        String name = text(value, value.getInt(0), value.getInt(4));
        String given = text(value, value.getInt(12), value.getInt(16));
        if (name == null || given == null || !given.matches("[0-9A-Fa-f]{12}")) {
            return Rndis.STATUS_INVALID_DATA;
        }
        if (!name.equals("NetworkAddress")) {
            return Rndis.STATUS_NOT_SUPPORTED;
        }
        var mac = new MacAddress(Long.parseLong(given, 16));
        return !mac.isMulticast() && traits.changeMac(mac) ? Rndis.STATUS_SUCCESS : Rndis.STATUS_FAILURE;
    }

    private static @Nullable String text(ByteBuffer in, int offset, int bytes) {
        if (offset < 0 || bytes < 0 || bytes > 256 || offset > in.capacity() - bytes) {
            return null;
        }
        byte[] utf16 = new byte[bytes];
        in.get(offset, utf16);
        return new String(utf16, StandardCharsets.UTF_16LE);
    }

    void save(StateWriter out) {
        out.put("initialized", initialized);
        out.put("filter", filter & 0xFFFF_FFFFL);
        out.put("coalesceIpv4", coalesceIpv4);
        out.put("coalesceIpv6", coalesceIpv6);
        Spread now = spread;
        if (now != null) {
            out.put("key", now.hash.key());
            ByteBuffer table = ByteBuffer.allocate(now.table.length);
            for (int queue : now.table) {
                table.put((byte) queue);
            }
            out.put("table", table.array());
        }
    }

    void restore(StateReader in) {
        initialized = in.getBoolean("initialized");
        filter = (int) in.getLong("filter");
        coalesceIpv4 = in.getBoolean("coalesceIpv4");
        coalesceIpv6 = in.getBoolean("coalesceIpv6");
        if (in.has("key")) {
            byte[] queues = in.getBytes("table");
            int[] table = new int[queues.length];
            for (int i = 0; i < table.length; i++) {
                table[i] = queues[i];
                if (table[i] < 0 || table[i] >= traits.queues()) {
                    throw new StateException("indirection table: queue " + table[i]);
                }
            }
            if (Integer.bitCount(table.length) != 1 || table.length > TABLE) {
                throw new StateException("indirection table of " + table.length);
            }
            spread = new Spread(new Toeplitz(in.getBytes("key", Toeplitz.KEY_BYTES)), table);
        }
    }
}
