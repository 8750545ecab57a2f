package io.javisor.networking.vswitch;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Where addresses were seen: by VLAN and MAC, a port and a time. Looking up takes no lock; learning takes one only for what is
 * new or has moved. Bounded; allocates only when it is swept.
 */
final class MacTable {
    /** Addresses at most. */
    static final int MOST = 16_384;

    private static final int SLOTS = 4 * MOST; // a power of two, sparse, so that probes are short
    private static final long AGE_STEP = 1_000_000_000L; // how exactly ages are kept
    private static final VarHandle KEYS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle PORTS = MethodHandles.arrayElementVarHandle(SwitchPort[].class);
    private static final VarHandle SEEN = MethodHandles.arrayElementVarHandle(long[].class);

    /** One generation; entries are only added and changed, never taken out. */
    private static final class Slots {
        final long[] keys = new long[SLOTS];
        final @Nullable SwitchPort[] ports = new SwitchPort[SLOTS];
        final long[] seen = new long[SLOTS];
    }

    private final long maxAgeNanos;
    private volatile @Nullable Slots slots;
    private int count; // guarded by this
    private long lastSweep;
    private final LongSupplier clock;

    MacTable(long maxAgeNanos, LongSupplier clock) {
        this.maxAgeNanos = maxAgeNanos;
        this.clock = clock;
        lastSweep = clock.getAsLong();
    }

    private static long key(int vlan, long mac) {
        return (long) vlan + 1 << 48 | mac; // never 0
    }

    private static int slot(long key) {
        long mixed = key * 0x9E37_79B9_7F4A_7C15L;
        return (int) (mixed >>> 40) & SLOTS - 1;
    }

    private static int find(Slots in, long key) {
        for (int i = slot(key); ; i = i + 1 & SLOTS - 1) {
            long there = (long) KEYS.getAcquire(in.keys, i);
            if (there == key) {
                return i;
            }
            if (there == 0) {
                return ~i;
            }
        }
    }

    /** The port behind which an address was seen not too long ago; null if there is none. */
    @Nullable
    SwitchPort lookUp(int vlan, long mac, long now) {
        Slots here = slots;
        if (here == null) {
            return null;
        }
        int at = find(here, key(vlan, mac));
        if (at < 0 || now - (long) SEEN.getOpaque(here.seen, at) > maxAgeNanos) {
            return null;
        }
        return (SwitchPort) PORTS.getAcquire(here.ports, at);
    }

    /** Notes where an address was seen. */
    void learn(int vlan, long mac, SwitchPort port, long now) {
        long key = key(vlan, mac);
        Slots here = slots;
        if (here != null) {
            int at = find(here, key);
            if (at >= 0 && (SwitchPort) PORTS.getAcquire(here.ports, at) == port) {
                if (now - (long) SEEN.getOpaque(here.seen, at) > AGE_STEP) {
                    SEEN.setOpaque(here.seen, at, now);
                }
                return;
            }
        }
        change(key, port, now);
    }

    private synchronized void change(long key, SwitchPort port, long now) {
        Slots here = slots;
        if (here == null) {
            here = new Slots();
            slots = here;
        }
        int at = find(here, key);
        if (at >= 0) {
            SwitchPort before = here.ports[at];
            if (before != port && port.mayLearn()) {
                port.learnt(1);
                if (before != null) {
                    before.learnt(-1);
                }
                SEEN.setOpaque(here.seen, at, now);
                PORTS.setRelease(here.ports, at, port);
            }
            return;
        }
        if (count >= MOST && now - lastSweep > AGE_STEP) {
            here = sweep(now, null);
            at = find(here, key);
        }
        if (count >= MOST || !port.mayLearn()) {
            return; // frames to it are flooded
        }
        at = ~at;
        count++;
        port.learnt(1);
        SEEN.setOpaque(here.seen, at, now);
        PORTS.setRelease(here.ports, at, port);
        KEYS.setRelease(here.keys, at, key); // the last, because it shows the others
    }

    /** Forgets what is old. */
    synchronized void age(long now) {
        if (slots != null) {
            sweep(now, null);
        }
    }

    /** Forgets what was seen behind a port. */
    synchronized void forget(SwitchPort port) {
        if (slots != null) {
            sweep(clock.getAsLong(), port);
        }
    }

    private Slots sweep(long now, @Nullable SwitchPort gone) {
        Slots old = slots;
        var fresh = new Slots();
        lastSweep = now;
        count = 0;
        if (old != null) {
            for (int i = 0; i < SLOTS; i++) {
                SwitchPort port = old.ports[i];
                if (old.keys[i] == 0 || port == null) {
                    continue;
                }
                if (port == gone || now - old.seen[i] > maxAgeNanos) {
                    port.learnt(-1);
                    continue;
                }
                int at = ~find(fresh, old.keys[i]);
                fresh.keys[at] = old.keys[i];
                fresh.ports[at] = port;
                fresh.seen[at] = old.seen[i];
                count++;
            }
        }
        slots = fresh;
        return fresh;
    }

    /** Addresses that are known, old ones too until they are swept. */
    synchronized int size() {
        return count;
    }
}
