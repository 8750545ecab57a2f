package io.javisor.kvm.partition;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * What is watched, by tokens that are never given twice: what epoll still tells of a watch that is gone finds nothing. Looking up
 * allocates nothing. One thread at a time.
 */
final class WatchTable {
    private static final int INDEX_BITS = 24;
    private static final int MOST = 1 << INDEX_BITS;

    private EpollReactor.@Nullable Watch[] watches = new EpollReactor.Watch[16];
    private long[] tokens = new long[16];
    private final BitSet taken = new BitSet();
    private long given;

    WatchTable() {
        taken.set(0); // no token is 0
    }

    /**
     * Its token from now on.
     *
     * @throws IllegalStateException if there are 2²⁴ − 1, more than a process may have descriptors by default
     */
    long add(EpollReactor.Watch watch) {
        int index = taken.nextClearBit(0);
        if (index == MOST) {
            throw new IllegalStateException("a reactor watches " + (MOST - 1) + " descriptors and no more");
        }
        if (index == watches.length) {
            watches = Arrays.copyOf(watches, 2 * index);
            tokens = Arrays.copyOf(tokens, 2 * index);
        }
        long token = ++given << INDEX_BITS | index;
        taken.set(index);
        watches[index] = watch;
        tokens[index] = token;
        return token;
    }

    /** Null if it is gone. */
    EpollReactor.@Nullable Watch get(long token) {
        int index = (int) token & MOST - 1;
        return index < tokens.length && tokens[index] == token ? watches[index] : null;
    }

    /** Whether it was there. */
    boolean remove(long token) {
        if (get(token) == null) {
            return false;
        }
        int index = (int) token & MOST - 1;
        taken.clear(index);
        watches[index] = null;
        return true;
    }

    void clear() {
        taken.clear(1, taken.length());
        Arrays.fill(watches, null);
    }
}
