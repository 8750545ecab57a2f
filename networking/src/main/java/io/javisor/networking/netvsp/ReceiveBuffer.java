package io.javisor.networking.netvsp;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The guest's receive buffer, in sections of one size. A transaction takes one or more and is known by its first. Its sections are
 * filled, then {@linkplain #sent the guest's} until it completes the transaction on the channel on which it was sent. Safe from any
 * thread; what is in a section and who comes after it is its taker's.
 */
final class ReceiveBuffer {
    /** More are not used, however large the buffer. */
    static final int MOST_SECTIONS = 16_384;

    /** No section. */
    static final int NONE = -1;

    private final LentMemory memory;
    private final int gpadl;
    private final int id;
    private final int sectionBytes;
    private final int[] next;
    private final int[] bytes; // in each section of a transaction
    private final int[] following; // of the first section of a transaction that waits: that of the next
    private final short[] owner; // of the first section of a transaction with the guest: its channel + 1
    private int free = NONE;
    private int freeCount;

    ReceiveBuffer(LentMemory memory, int gpadl, int id, int sectionBytes) {
        this.memory = memory;
        this.gpadl = gpadl;
        this.id = id;
        this.sectionBytes = sectionBytes;
        int count = (int) Math.min(MOST_SECTIONS, memory.length() / sectionBytes);
        next = new int[count];
        bytes = new int[count];
        following = new int[count];
        owner = new short[count];
        for (int i = count - 1; i >= 0; i--) {
            put(i);
        }
    }

    private void put(int section) {
        next[section] = free;
        free = section;
        freeCount++;
    }

    LentMemory memory() {
        return memory;
    }

    int gpadl() {
        return gpadl;
    }

    int id() {
        return id;
    }

    int sectionBytes() {
        return sectionBytes;
    }

    int count() {
        return next.length;
    }

    synchronized int freeCount() {
        return freeCount;
    }

    /**
     * Takes sections for a transaction, which the guest does not know of yet.
     *
     * @return the first, by which it is known; or {@link #NONE} if there are not enough
     */
    synchronized int take(int sections) {
        if (freeCount < sections) {
            return NONE;
        }
        int first = free;
        int last = first;
        for (int i = 1; i < sections; i++) {
            last = next[last];
        }
        free = next[last];
        next[last] = NONE;
        freeCount -= sections;
        return first;
    }

    /** The guest has been told of a transaction, on a channel. */
    synchronized void sent(int first, int channel) {
        owner[first] = (short) (channel + 1);
    }

    /** Gives the sections of a transaction back that the guest has not been told of. */
    synchronized void giveBack(int first) {
        for (int section = first; section != NONE; ) {
            int after = next[section];
            put(section);
            section = after;
        }
    }

    /** How much is in a section of a transaction. */
    int bytes(int section) {
        return bytes[section];
    }

    void setBytes(int section, int count) {
        bytes[section] = count;
    }

    /** The transaction that waits behind one, as {@link #setFollowing} was told. */
    int following(int first) {
        return following[first];
    }

    void setFollowing(int first, int then) {
        following[first] = then;
    }

    /** The section after one of a transaction; {@link #NONE} after the last. */
    synchronized int after(int section) {
        return next[section];
    }

    /**
     * Gives the sections of a transaction back.
     *
     * @return false if the channel has no such transaction
     */
    synchronized boolean complete(long transaction, int channel) {
        if (transaction < 0 || transaction >= next.length || owner[(int) transaction] != channel + 1) {
            return false;
        }
        owner[(int) transaction] = 0;
        giveBack((int) transaction);
        return true;
    }

    /** Gives back all that a channel had, which is closed. */
    synchronized void completeAll(int channel) {
        for (int i = 0; i < owner.length; i++) {
            if (owner[i] == channel + 1) {
                complete(i, channel);
            }
        }
    }

    synchronized void save(StateWriter out) {
        out.put("gpadl", gpadl & 0xFFFF_FFFFL);
        out.put("id", id);
        out.put("sectionBytes", sectionBytes);
        ByteBuffer held = ByteBuffer.allocate(8 * next.length);
        for (int i = 0; i < next.length; i++) {
            for (int s = owner[i] == 0 ? NONE : i; s != NONE; s = next[s]) {
                held.putShort((short) s).putShort(s == i ? owner[i] : 0);
            }
        }
        out.put("held", Arrays.copyOf(held.array(), held.position()));
    }

    /** Takes from a fresh buffer what the guest had when the state was saved. */
    synchronized void restore(StateReader in, int channels) {
        ByteBuffer held = ByteBuffer.wrap(in.getBytes("held"));
        boolean[] taken = new boolean[next.length];
        int last = NONE;
        while (held.remaining() >= 4) {
            int section = held.getShort() & 0xFFFF;
            int whose = held.getShort() & 0xFFFF;
            if (section >= next.length || taken[section] || whose > channels || (whose == 0 && last == NONE)) {
                throw new StateException("receive buffer: section " + section + " of channel " + (whose - 1));
            }
            taken[section] = true;
            owner[section] = (short) whose;
            next[section] = NONE;
            if (whose == 0) {
                next[last] = section;
            }
            last = section;
        }
        free = NONE;
        freeCount = 0;
        for (int i = next.length - 1; i >= 0; i--) {
            if (!taken[i]) {
                put(i);
            }
        }
    }
}
