package io.javisor.networking.extension;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.vswitch.Extensions;
import io.javisor.networking.vswitch.SwitchPort;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets the stations of protected ports begin connections, and others only answer. TCP, UDP, ICMP and ICMPv6 echo are followed by
 * their addresses and ports; errors of ICMP pass if they speak of a connection that is known; ARP and neighbour discovery always
 * pass; everything else that is not asked for is dropped. Services are opened by {@link #open}. Bounded: when a busy table has no place,
 * the connection that was quiet the longest is forgotten.
 */
public final class StatefulFirewall implements Extensions.Filter {
    /** Connections that are known at most. */
    public static final int MOST_FLOWS = 16_384;

    private static final int SLOTS = 2 * MOST_FLOWS; // a power of two
    private static final int PROBES = 16;
    private static final int WORDS = 5; // two addresses of 128 bits, and ports with protocol
    private static final long TCP_IDLE =
            7_200_000_000_000L; // two hours (RFC 5382: at least 2 h 4 min with keep-alives off)
    private static final long SHORT_IDLE = 120_000_000_000L; // UDP (RFC 4787), and TCP that opens or has ended
    private static final int SYN = 0x02;
    private static final int ACK = 0x10;
    private static final int FIN_OR_RESET = 0x05;

    private record Service(SwitchPort port, int protocol, int number) {}

    private final Set<SwitchPort> inside = ConcurrentHashMap.newKeySet();
    private final Set<Service> services = ConcurrentHashMap.newKeySet();
    private final LongSupplier clock;
    private final long secret = new SecureRandom().nextLong();
    private final long[] keys = new long[WORDS * SLOTS]; // guarded by keys, as what follows
    private final long[] until = new long[SLOTS];
    private final boolean[] taken = new boolean[SLOTS];
    private final long[] key = new long[WORDS];

    /** A firewall that protects nobody yet. */
    public StatefulFirewall() {
        this(System::nanoTime);
    }

    /** A firewall on a clock of one's own, which counts nanoseconds. */
    public StatefulFirewall(LongSupplier clock) {
        this.clock = clock;
    }

    /** Protects a port's station. */
    public StatefulFirewall protect(SwitchPort port) {
        inside.add(port);
        return this;
    }

    /** Lets everybody begin connections to a service of a protected station: TCP (6) or UDP (17), and its port. */
    public StatefulFirewall open(SwitchPort port, int protocol, int number) {
        services.add(new Service(port, protocol, number));
        return this;
    }

    @Override
    public boolean passesIn(Frame frame, SwitchPort from) {
        if (inside.contains(from)) {
            note(frame, true);
        }
        return true;
    }

    @Override
    public boolean passesOut(Frame frame, SwitchPort from, SwitchPort to) {
        if (!inside.contains(to) || frame.etherType() == Frame.ARP || isNeighbourDiscovery(frame)) {
            return true;
        }
        if (frame.protocol() == 0 || frame.transport() == 0) {
            return false; // not IP, or a later fragment, of which nobody knows whose it is
        }
        if (note(frame, false)) {
            return true;
        }
        if (isError(frame)) {
            return quotesKnown(frame);
        }
        boolean begins = frame.protocol() == Frame.UDP
                || frame.protocol() == Frame.TCP && (frame.getByte(frame.transport() + 13) & (SYN | ACK)) == SYN;
        if (begins && services.contains(new Service(to, frame.protocol(), frame.destinationPort()))) {
            add(frame);
            return true;
        }
        return false;
    }

    private static boolean isNeighbourDiscovery(Frame frame) {
        if (frame.protocol() != Frame.ICMPV6 || frame.transport() == 0 || frame.transport() >= frame.length()) {
            return false;
        }
        int type = frame.getByte(frame.transport());
        return type >= 133 && type <= 136 && !frame.isFragment();
    }

    private static boolean isError(Frame frame) {
        int at = frame.transport();
        if (at + 8 > frame.length()) {
            return false;
        }
        int type = frame.getByte(at);
        return frame.protocol() == Frame.ICMP
                ? type == 3 || type == 11 || type == 12
                : frame.protocol() == Frame.ICMPV6 && type >= 1 && type <= 4;
    }

    /** Notes a packet of a connection; returns whether it is known. Only packets from inside begin one. */
    private boolean note(Frame frame, boolean fromInside) {
        if (frame.transport() == 0) {
            return false;
        }
        synchronized (keys) {
            if (!key(frame, fromInside)) {
                return false;
            }
            long now = clock.getAsLong();
            int slot = find(now);
            if (slot < 0 && (!fromInside || !mayBegin(frame))) {
                return false;
            }
            touch(slot < 0 ? place(now) : slot, frame, now);
            return true;
        }
    }

    private static boolean mayBegin(Frame frame) {
        return frame.protocol() != Frame.TCP || (frame.getByte(frame.transport() + 13) & (SYN | ACK)) == SYN;
    }

    /** A connection that somebody outside begins. */
    private void add(Frame frame) {
        synchronized (keys) {
            if (key(frame, false)) {
                long now = clock.getAsLong();
                touch(place(now), frame, now);
            }
        }
    }

    private void touch(int slot, Frame frame, long now) {
        boolean lasting = false;
        if (frame.protocol() == Frame.TCP) {
            int flags = frame.getByte(frame.transport() + 13);
            lasting = (flags & FIN_OR_RESET) == 0 && (flags & SYN) == 0;
        }
        until[slot] = now + (lasting ? TCP_IDLE : SHORT_IDLE);
    }

    /** Fills {@link #key} with a connection, the side inside first; false if there is none. */
    private boolean key(Frame frame, boolean fromInside) {
        int at = frame.transport();
        int ports;
        switch (frame.protocol()) {
            case Frame.TCP, Frame.UDP -> {
                int own = frame.getShort(fromInside ? at : at + 2);
                int other = frame.getShort(fromInside ? at + 2 : at);
                ports = own << 16 | other;
            }
            case Frame.ICMP, Frame.ICMPV6 -> {
                if (at + 8 > frame.length()) {
                    return false;
                }
                int type = frame.getByte(at);
                boolean echo = frame.protocol() == Frame.ICMP ? type == 8 || type == 0 : type == 128 || type == 129;
                if (!echo) {
                    return false;
                }
                ports = frame.getShort(at + 4) << 16;
            }
            default -> {
                return false;
            }
        }
        address(frame, fromInside, 0);
        address(frame, !fromInside, 2);
        key[4] = (long) frame.protocol() << 32 | ports & 0xFFFF_FFFFL;
        return true;
    }

    private void address(Frame frame, boolean source, int to) {
        if (frame.etherType() == Frame.IPV4) {
            key[to] = 0;
            key[to + 1] = frame.getInt(Frame.HEADER + (source ? 12 : 16)) & 0xFFFF_FFFFL;
        } else {
            key[to] = frame.getLong(Frame.HEADER + (source ? 8 : 24));
            key[to + 1] = frame.getLong(Frame.HEADER + (source ? 16 : 32));
        }
    }

    private int first() {
        long hash = secret;
        for (long word : key) {
            hash = (hash ^ word) * 0x9E37_79B9_7F4A_7C15L;
            hash ^= hash >>> 32;
        }
        return (int) hash & SLOTS - 1;
    }

    private int find(long now) {
        int at = first();
        for (int i = 0; i < PROBES; i++, at = at + 1 & SLOTS - 1) {
            if (taken[at] && until[at] - now > 0 && is(at)) {
                return at;
            }
        }
        return -1;
    }

    private boolean is(int slot) {
        for (int i = 0; i < WORDS; i++) {
            if (keys[WORDS * slot + i] != key[i]) {
                return false;
            }
        }
        return true;
    }

    private int place(long now) {
        int at = first();
        int best = at;
        for (int i = 0; i < PROBES; i++, at = at + 1 & SLOTS - 1) {
            if (!taken[at] || until[at] - now <= 0) {
                best = at;
                break;
            }
            if (until[at] - until[best] < 0) {
                best = at;
            }
        }
        taken[best] = true;
        System.arraycopy(key, 0, keys, WORDS * best, WORDS);
        return best;
    }

    /** Whether an error quotes the beginning of a packet that went out on a known connection. */
    private boolean quotesKnown(Frame error) {
        int quoted = error.transport() + 8;
        Frame inner = new Frame(Math.max(60, Frame.HEADER + error.length() - quoted));
        System.arraycopy(error.bytes(), quoted, inner.bytes(), Frame.HEADER, error.length() - quoted);
        inner.putShort(12, error.etherType());
        inner.begin(Frame.HEADER + error.length() - quoted);
        // Only eight bytes of the transport's header need be there (RFC 792): the ports are among them.
        int protocol = quotedProtocol(inner);
        int at = Frame.HEADER + (inner.getShort(12) == Frame.IPV4 ? (inner.getByte(Frame.HEADER) & 0xF) * 4 : 40);
        if ((protocol != Frame.TCP && protocol != Frame.UDP) || at + 8 > inner.length()) {
            return false;
        }
        synchronized (keys) {
            inner.parse(); // for its EtherType
            address(inner, true, 0);
            address(inner, false, 2);
            key[4] = (long) protocol << 32 | inner.getInt(at) & 0xFFFF_FFFFL;
            return find(clock.getAsLong()) >= 0;
        }
    }

    private static int quotedProtocol(Frame inner) {
        boolean four = inner.getShort(12) == Frame.IPV4;
        if (inner.length() < Frame.HEADER + (four ? 20 : 40)) {
            return 0;
        }
        return inner.getByte(Frame.HEADER + (four ? 9 : 6));
    }

    /** Whether a port's station is protected. */
    public boolean isProtected(@Nullable SwitchPort port) {
        return port != null && inside.contains(Objects.requireNonNull(port));
    }
}
