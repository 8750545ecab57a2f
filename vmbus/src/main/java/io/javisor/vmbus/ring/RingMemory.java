package io.javisor.vmbus.ring;

import io.javisor.vmbus.channel.GuestBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** The bytes of one ring: its control page, and its data pages as if they were contiguous and wrapped around. */
public final class RingMemory {
    private static final VarHandle U32 =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    static final int IN = 0;
    static final int OUT = 4;
    static final int INTERRUPT_MASK = 8;
    static final int PENDING_SEND_SIZE = 12;
    static final int FEATURES = 64;
    static final int FEATURE_PENDING_SEND_SIZE = 1;

    private final MemorySegment control;
    private final MemorySegment[] runs;
    private final int[] starts;
    private final int[] runOfPage;
    private final int size;
    private final @Nullable MemorySegment only; // the data, where it is one run: as Linux allocates it

    /**
     * A ring.
     *
     * @param pages page-aligned runs of whole pages: the control page, then at least one data page
     */
    public RingMemory(PageRuns pages) {
        if (pages.length() < 2 * PageRuns.PAGE || pages.length() % PageRuns.PAGE != 0 || pages.length() > 1 << 30) {
            throw new IllegalArgumentException("a ring of " + pages.length() + " bytes");
        }
        control = pages.part(0, PageRuns.PAGE).segment(0);
        GuestBuffer data = pages.part(PageRuns.PAGE, pages.length() - PageRuns.PAGE);
        runs = new MemorySegment[data.count()];
        starts = new int[data.count()];
        int at = 0;
        for (int i = 0; i < runs.length; i++) {
            runs[i] = data.segment(i);
            starts[i] = at;
            at += (int) runs[i].byteSize();
        }
        size = at;
        only = runs.length == 1 ? runs[0] : null;
        runOfPage = new int[size / PageRuns.PAGE];
        for (int i = 0, page = 0; page < runOfPage.length; page++) {
            if (i + 1 < runs.length && starts[i + 1] <= page * PageRuns.PAGE) {
                i++;
            }
            runOfPage[page] = i;
        }
    }

    /** Bytes of data. */
    public int size() {
        return size;
    }

    /** What the guest's driver does before it opens a channel: both indices 0, and the flow-control feature on. */
    public void initialize() {
        control.fill((byte) 0);
        setRelease(FEATURES, FEATURE_PENDING_SEND_SIZE);
    }

    int getAcquire(int field) {
        return (int) U32.getAcquire(control, (long) field);
    }

    int getOpaque(int field) {
        return (int) U32.getOpaque(control, (long) field);
    }

    void setRelease(int field, int value) {
        U32.setRelease(control, (long) field, value);
    }

    void setOpaque(int field, int value) {
        U32.setOpaque(control, (long) field, value);
    }

    /** An index that the peer owns, checked. */
    int index(int field, String name) {
        int index = getAcquire(field);
        if (index < 0 || index >= size || (index & 7) != 0) {
            throw new RingCorruptException(
                    "ring of " + size + " bytes has " + name + " index " + Integer.toUnsignedString(index));
        }
        return index;
    }

    /** The run that holds these bytes without a break; null if they wrap around or lie in several. */
    @Nullable
    MemorySegment whole(int at, int bytes) {
        MemorySegment all = only;
        if (all != null) {
            return bytes <= size - at ? all : null;
        }
        int i = runOf(at);
        MemorySegment run = runs[i];
        return bytes <= run.byteSize() - (at - starts[i]) ? run : null;
    }

    /** Where in its run a place is. */
    int within(int at) {
        if (only != null) {
            return at;
        }
        return at - starts[runOf(at)];
    }

    /** Eight bytes at an 8-aligned place. */
    long getLong(int at) {
        MemorySegment all = only;
        if (all != null) {
            return all.get(U64, at);
        }
        int i = runOf(at);
        return runs[i].get(U64, at - starts[i]);
    }

    /** Eight bytes at an 8-aligned place. */
    void putLong(int at, long value) {
        int i = runOf(at);
        runs[i].set(U64, at - starts[i], value);
    }

    /** Copies out; wraps around at most once. */
    void read(int at, MemorySegment into, long to, int bytes) {
        copy(at, into, to, bytes, true);
    }

    /** Copies in; wraps around at most once. */
    void write(int at, MemorySegment from, long start, int bytes) {
        copy(at, from, start, bytes, false);
    }

    private void copy(int at, MemorySegment other, long place, int bytes, boolean out) {
        int i = runOf(at);
        while (bytes > 0) {
            MemorySegment run = runs[i];
            int from = at - starts[i];
            int n = (int) Math.min(bytes, run.byteSize() - from);
            if (out) {
                MemorySegment.copy(run, from, other, place, n);
            } else {
                MemorySegment.copy(other, place, run, from, n);
            }
            place += n;
            bytes -= n;
            at += n;
            i++;
            if (at == size) {
                at = 0;
                i = 0;
            }
        }
    }

    private int runOf(int at) {
        return runOfPage[at / PageRuns.PAGE];
    }
}
