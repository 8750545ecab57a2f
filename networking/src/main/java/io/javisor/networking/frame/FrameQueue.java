package io.javisor.networking.frame;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Frames on their way from threads that may not wait to one that takes them: many threads put, one takes. Copied in once, and
 * used from here. Bounded in bytes; allocates nothing once it has had its first frame.
 *
 * <pre>
 * record: 0 bytes of frame (−1: go on at the start)   4 VLAN   8 priority   12 checksum info   16 MSS   20 hash   24 frame, to 8
 * </pre>
 */
public final class FrameQueue implements FrameBody {
    /** Bytes of waiting frames. */
    public static final int CAPACITY = 1 << 20;

    private static final int HEADER = 24;
    private static final int WRAP = -1;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private byte @Nullable [] memory;
    private @Nullable MemorySegment segment;
    private int head; // where the next is taken
    private int tail; // where the next is put
    private int used;
    private volatile int count;

    /** An empty queue. */
    public FrameQueue() {}

    /** Whether nothing waits. From any thread. */
    public boolean isEmpty() {
        return count == 0;
    }

    /**
     * Puts a frame. From any thread.
     *
     * @param checksumInfo of the taker's choice
     * @param hash of the taker's choice
     * @return false if there is no room
     */
    public synchronized boolean put(Frame frame, int checksumInfo, int hash) {
        byte[] to = memory;
        if (to == null) {
            to = new byte[CAPACITY];
            memory = to;
            segment = MemorySegment.ofArray(to);
        }
        int bytes = HEADER + (frame.length() + 7 & ~7);
        int gap = CAPACITY - tail;
        int skip = gap < bytes ? gap : 0;
        if (used + skip + bytes > CAPACITY) {
            return false;
        }
        if (skip > 0) {
            INT.set(to, tail, WRAP);
            used += skip;
            tail = 0;
        }
        INT.set(to, tail, frame.length());
        INT.set(to, tail + 4, frame.vlan());
        INT.set(to, tail + 8, frame.priority());
        INT.set(to, tail + 12, checksumInfo);
        INT.set(to, tail + 16, frame.mss());
        INT.set(to, tail + 20, hash);
        frame.copy(0, segment(), tail + HEADER, frame.length());
        tail = (tail + bytes) % CAPACITY;
        used += bytes;
        count = count + 1;
        return true;
    }

    /** Moves to the next frame; false if none waits. The taker's only; the fields are its own until {@link #remove}. */
    public synchronized boolean next() {
        if (count == 0 || memory == null) {
            return false;
        }
        if (CAPACITY - head >= 4 && (int) INT.get(memory, head) == WRAP) {
            used -= CAPACITY - head;
            head = 0;
        }
        return true;
    }

    private int field(int at) {
        return (int) INT.get(memory(), head + at);
    }

    /** Bytes of the frame. */
    public int length() {
        return field(0);
    }

    /** Its VLAN. */
    public int vlan() {
        return field(4);
    }

    /** Its priority. */
    public int priority() {
        return field(8);
    }

    /** What {@link #put} was told of its checksum. */
    public int checksumInfo() {
        return field(12);
    }

    /** Its {@link Frame#mss}. */
    public int mss() {
        return field(16);
    }

    /** What {@link #put} was told of its hash. */
    public int hash() {
        return field(20);
    }

    /** Copies bytes of the frame that {@link #next} moved to. */
    @Override
    public void copy(int from, MemorySegment into, long to, int bytes) {
        Objects.checkFromIndexSize(from, bytes, length());
        MemorySegment.copy(
                segment(), ValueLayout.JAVA_BYTE, head + HEADER + from, into, ValueLayout.JAVA_BYTE, to, bytes);
    }

    /** Never: the queue is on Java's heap. */
    @Override
    public boolean gather(int from, int bytes, Pieces to) {
        return false;
    }

    private MemorySegment segment() {
        MemorySegment from = segment;
        if (from == null) {
            throw new IllegalStateException("the queue has had no frame");
        }
        return from;
    }

    /** Removes the frame that {@link #next} moved to. */
    public synchronized void remove() {
        int bytes = HEADER + (length() + 7 & ~7);
        head = (head + bytes) % CAPACITY;
        used -= bytes;
        count = count - 1;
    }

    /** Copies the frame that {@link #next} moved to, and removes it. It has to be parsed again. */
    public void take(Frame into) {
        into.begin(length());
        System.arraycopy(memory(), head + HEADER, into.bytes(), 0, length());
        into.setVlan(vlan(), priority());
        remove();
    }

    private byte[] memory() {
        byte[] from = memory;
        if (from == null) {
            throw new IllegalStateException("the queue has had no frame");
        }
        return from;
    }

    /** Forgets what waits. */
    public synchronized void clear() {
        head = 0;
        tail = 0;
        used = 0;
        count = 0;
    }
}
