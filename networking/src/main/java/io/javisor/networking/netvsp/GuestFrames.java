package io.javisor.networking.netvsp;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.FrameBody;
import io.javisor.networking.frame.FrameQueue;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Frames on their way to the guest. Whoever brings one fills sections of the guest's receive buffer with it, which wait in a list for
 * the channel's reactor. What finds no section, or comes while the machine stands still, waits in a queue of the host's own. Safe
 * from any thread; allocates nothing for a frame.
 */
final class GuestFrames {
    /** Sections of the largest packet that a guest takes in parts (Linux: NVSP_RSC_MAX). */
    private static final int MOST_PARTS = 562;

    private static final int MOST_HEADER = Rndis.PACKET_HEADER + 4 * 16;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private enum Filled {
        YES,
        /** There is no section free. */
        LATER,
        /** It can't be, whatever the guest does. */
        NEVER
    }

    /** Tells the guest of a transaction, known by the first of its sections; false if there is no room for that now. */
    interface Sender {
        boolean send(ReceiveBuffer buffer, int sections);
    }

    private final NetworkAdapter adapter;

    // All that follows belongs to who holds the monitor.
    private final FrameQueue queue = new FrameQueue();
    private final byte[] header = new byte[MOST_HEADER];
    private final MemorySegment headerSegment = MemorySegment.ofArray(header);
    private @Nullable ReceiveBuffer filled;
    private int first = ReceiveBuffer.NONE;
    private int last = ReceiveBuffer.NONE;
    private boolean held;
    private boolean closed;

    /**
     * @param held whether the machine stands still
     */
    GuestFrames(NetworkAdapter adapter, boolean held) {
        this.adapter = adapter;
        this.held = held;
    }

    /** The machine stands still, so that the guest's memory is left alone once this returns; or it goes on. */
    synchronized void hold(boolean now) {
        held = now;
    }

    /** No frame is taken any more, and what waits is forgotten. */
    synchronized void close() {
        closed = true;
        forget();
        queue.clear();
    }

    /** The receive buffer that there was is not written any more once this returns. */
    synchronized void receiveBufferGone() {
        forget();
    }

    private void forget() {
        ReceiveBuffer buffer = filled;
        for (int next = first; next != ReceiveBuffer.NONE && buffer != null; ) {
            int sections = next;
            next = buffer.following(sections);
            buffer.giveBack(sections);
            adapter.lost();
        }
        filled = null;
        first = ReceiveBuffer.NONE;
        last = ReceiveBuffer.NONE;
    }

    /**
     * Takes a frame.
     *
     * @return false if it is lost
     */
    synchronized boolean put(Frame frame, int checksumInfo, int hash) {
        if (closed) {
            return false;
        }
        Filled now = held || !queue.isEmpty()
                ? Filled.LATER
                : fill(frame, frame.length(), frame.vlan(), frame.priority(), checksumInfo, frame.mss(), hash);
        return now == Filled.YES || (now == Filled.LATER && queue.put(frame, checksumInfo, hash));
    }

    /** Sends what waits; false if some of it has to wait on. */
    boolean sendAll(Sender to) {
        Sent last;
        do {
            last = sendNext(to);
        } while (last == Sent.ONE);
        return last == Sent.ALL;
    }

    private enum Sent {
        ONE,
        ALL,
        /** There is no section, or no room in the ring. */
        BLOCKED
    }

    private synchronized Sent sendNext(Sender to) {
        if (closed || held) {
            return Sent.ALL; // of what may be sent now
        }
        ReceiveBuffer buffer = filled;
        if (first != ReceiveBuffer.NONE && buffer != null) {
            if (!to.send(buffer, first)) {
                return Sent.BLOCKED;
            }
            first = buffer.following(first);
            return Sent.ONE;
        }
        if (!queue.next()) {
            return Sent.ALL;
        }
        Filled now = fill(
                queue, queue.length(), queue.vlan(), queue.priority(), queue.checksumInfo(), queue.mss(), queue.hash());
        if (now == Filled.LATER) {
            return Sent.BLOCKED;
        }
        if (now == Filled.NEVER) {
            adapter.lost();
        }
        queue.remove();
        return Sent.ONE;
    }

    /** Fills sections with a frame, which then wait. */
    private Filled fill(FrameBody from, int length, int vlan, int priority, int checksumInfo, int mss, int hash) {
        ReceiveBuffer buffer = adapter.session().receiveBuffer();
        if (buffer == null) {
            return Filled.NEVER;
        }
        int before = header(vlan, priority, checksumInfo, hash, false);
        int most = buffer.sectionBytes();
        int parts = 1;
        if (before + length > most) {
            if (mss == 0) {
                return Filled.NEVER;
            }
            before = header(vlan, priority, checksumInfo, hash, true);
            parts = (length + most - before - 1) / (most - before);
            if (parts > MOST_PARTS) {
                return Filled.NEVER;
            }
        }
        int sections = buffer.take(parts);
        if (sections == ReceiveBuffer.NONE) {
            return Filled.LATER;
        }
        fill(buffer, sections, parts, before, from, length);
        if (first == ReceiveBuffer.NONE) {
            filled = buffer;
            first = sections;
        } else {
            buffer.setFollowing(last, sections);
        }
        buffer.setFollowing(sections, ReceiveBuffer.NONE);
        last = sections;
        return Filled.YES;
    }

    private void fill(ReceiveBuffer buffer, int sections, int parts, int before, FrameBody from, int length) {
        int most = buffer.sectionBytes();
        int done = 0;
        int section = sections;
        for (int part = 0; part < parts; part++) {
            int n = Math.min(length - done, most - before);
            if (parts > 1) {
                int flags = Rndis.ID_PART | (part == 0 ? Rndis.ID_FIRST : 0) | (part == parts - 1 ? Rndis.ID_LAST : 0);
                INT.set(header, before - 4, Rndis.ID_VERSION | flags << 8);
            }
            INT.set(header, 4, before + n);
            INT.set(header, 12, n);
            long to = (long) section * most;
            buffer.memory().write(to, headerSegment, 0, before);
            buffer.memory().write(to + before, from, done, n);
            buffer.setBytes(section, before + n);
            done += n;
            section = parts > 1 ? buffer.after(section) : section;
        }
    }

    /** Makes an RNDIS packet's header; returns its length. What depends on the part is filled in later. */
    private int header(int vlan, int priority, int checksumInfo, int hash, boolean parts) {
        int at = Rndis.PACKET_HEADER;
        if (checksumInfo != 0) {
            at = info(at, Rndis.INFO_CHECKSUM, checksumInfo);
        }
        if (vlan != 0 || priority != 0) {
            at = info(at, Rndis.INFO_VLAN, vlan << 4 | priority);
        }
        if (hash != 0) {
            at = info(at, Rndis.INFO_HASH, hash);
        }
        if (parts) {
            at = info(at, Rndis.INFO_PACKET_ID, 0);
        }
        INT.set(header, 0, Rndis.PACKET);
        INT.set(header, 8, at - Rndis.BASE);
        INT.set(header, 28, at == Rndis.PACKET_HEADER ? 0 : Rndis.PACKET_HEADER - Rndis.BASE);
        INT.set(header, 32, at - Rndis.PACKET_HEADER);
        return at;
    }

    private int info(int at, int kind, int value) {
        INT.set(header, at, 16);
        INT.set(header, at + 4, kind);
        INT.set(header, at + 8, Rndis.INFO_HEADER);
        INT.set(header, at + 12, value);
        return at + 16;
    }
}
