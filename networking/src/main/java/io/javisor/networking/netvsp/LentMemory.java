package io.javisor.networking.netvsp;

import io.javisor.networking.frame.FrameBody;
import io.javisor.vmbus.channel.GuestBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;

/** Memory that the guest lent for long, with copies in and out that allocate nothing. Safe from any thread. */
final class LentMemory {
    private final MemorySegment[] runs;
    private final long[] starts;
    private final long length;

    LentMemory(GuestBuffer buffer) {
        runs = new MemorySegment[buffer.count()];
        starts = new long[runs.length];
        long at = 0;
        for (int i = 0; i < runs.length; i++) {
            runs[i] = buffer.segment(i);
            starts[i] = at;
            at += runs[i].byteSize();
        }
        length = at;
    }

    long length() {
        return length;
    }

    void write(long to, MemorySegment from, long at, int bytes) {
        Objects.checkFromIndexSize(to, bytes, length);
        int i = run(to);
        for (int done = 0; done < bytes; i++) {
            long inRun = to + done - starts[i];
            int n = inRun(i, inRun, bytes - done);
            MemorySegment.copy(from, ValueLayout.JAVA_BYTE, at + done, runs[i], ValueLayout.JAVA_BYTE, inRun, n);
            done += n;
        }
    }

    void write(long to, FrameBody from, int at, int bytes) {
        Objects.checkFromIndexSize(to, bytes, length);
        int i = run(to);
        for (int done = 0; done < bytes; i++) {
            long inRun = to + done - starts[i];
            int n = inRun(i, inRun, bytes - done);
            from.copy(at + done, runs[i], inRun, n);
            done += n;
        }
    }

    void read(long from, MemorySegment into, long at, int bytes) {
        Objects.checkFromIndexSize(from, bytes, length);
        int i = run(from);
        for (int done = 0; done < bytes; i++) {
            long inRun = from + done - starts[i];
            int n = inRun(i, inRun, bytes - done);
            MemorySegment.copy(runs[i], ValueLayout.JAVA_BYTE, inRun, into, ValueLayout.JAVA_BYTE, at + done, n);
            done += n;
        }
    }

    /** Tells where bytes lie; false if one of the pieces was not taken. */
    boolean gather(long from, int bytes, FrameBody.Pieces to) {
        Objects.checkFromIndexSize(from, bytes, length);
        int i = run(from);
        for (int done = 0; done < bytes; i++) {
            long inRun = from + done - starts[i];
            int n = inRun(i, inRun, bytes - done);
            if (!to.add(runs[i], inRun, n)) {
                return false;
            }
            done += n;
        }
        return true;
    }

    private int run(long at) {
        int found = Arrays.binarySearch(starts, at);
        return found >= 0 ? found : -found - 2;
    }

    private int inRun(int run, long at, int bytes) {
        return (int) Math.min(bytes, runs[run].byteSize() - at);
    }
}
