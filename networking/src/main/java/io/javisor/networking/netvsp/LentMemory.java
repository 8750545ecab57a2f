package io.javisor.networking.netvsp;

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
        copy(to, from, at, bytes, true);
    }

    void read(long from, MemorySegment into, long at, int bytes) {
        copy(from, into, at, bytes, false);
    }

    private void copy(long where, MemorySegment other, long at, int bytes, boolean in) {
        Objects.checkFromIndexSize(where, bytes, length);
        if (bytes == 0) {
            return;
        }
        int found = Arrays.binarySearch(starts, where);
        int i = found >= 0 ? found : -found - 2;
        for (int done = 0; done < bytes; i++) {
            long inRun = where + done - starts[i];
            int n = (int) Math.min(bytes - done, runs[i].byteSize() - inRun);
            if (in) {
                MemorySegment.copy(other, ValueLayout.JAVA_BYTE, at + done, runs[i], ValueLayout.JAVA_BYTE, inRun, n);
            } else {
                MemorySegment.copy(runs[i], ValueLayout.JAVA_BYTE, inRun, other, ValueLayout.JAVA_BYTE, at + done, n);
            }
            done += n;
        }
    }
}
