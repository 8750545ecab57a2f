package io.javisor.vmbus.ring;

import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.vmbus.channel.GuestBuffer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A guest buffer made of pages as the guest listed them; pages that follow each other become one run. Built by one thread,
 * used again after {@link #clear}; while nobody builds it, safe from any thread.
 */
public final class PageRuns implements GuestBuffer {
    /** Bytes of a page on the wire, whatever the host's page size (HV_HYP_PAGE_SIZE). */
    public static final int PAGE = 4096;

    private static final int FIRST_CAPACITY = 4;

    private final GuestMemory memory;
    private MemorySegment[] segments = new MemorySegment[FIRST_CAPACITY];
    private long[] starts = new long[FIRST_CAPACITY];
    private int count;
    private long length;
    private long runGpa;
    private long runLength;

    /** An empty buffer. */
    public PageRuns(GuestMemory memory) {
        this.memory = memory;
    }

    /** Forgets everything. */
    public void clear() {
        Arrays.fill(segments, 0, count, null);
        count = 0;
        length = 0;
        runLength = 0;
    }

    /**
     * Adds bytes of guest memory. {@link #seal} must follow the last.
     *
     * @throws GuestAddressException if they are not in guest memory
     */
    public void add(long gpa, long bytes) {
        if (runLength != 0 && gpa == runGpa + runLength) {
            runLength += bytes;
            return;
        }
        seal();
        runGpa = gpa;
        runLength = bytes;
    }

    /**
     * Adds a page by its number, or a part of it.
     *
     * @throws GuestAddressException if it is not in guest memory
     */
    public void addPage(long pfn, int offset, int bytes) {
        if (pfn >>> 40 != 0) { // x86 has at most 52 address bits
            throw new GuestAddressException(pfn << 12, bytes);
        }
        add(pfn * PAGE + offset, bytes);
    }

    /**
     * Ends the building.
     *
     * @throws GuestAddressException if the last bytes are not in guest memory
     */
    public void seal() {
        while (runLength > 0) {
            long bytes = memory.runLength(runGpa, runLength);
            if (bytes == 0) {
                throw new GuestAddressException(runGpa, runLength);
            }
            append(memory.slice(runGpa, bytes));
            runGpa += bytes;
            runLength -= bytes;
        }
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public MemorySegment segment(int index) {
        return segments[Objects.checkIndex(index, count)];
    }

    @Override
    public void read(long offset, MemorySegment into) {
        copy(offset, into, true);
    }

    @Override
    public void write(long offset, MemorySegment from) {
        copy(offset, from, false);
    }

    private void copy(long offset, MemorySegment other, boolean out) {
        long bytes = other.byteSize();
        Objects.checkFromIndexSize(offset, bytes, length);
        int i = indexOf(offset);
        for (long done = 0; done < bytes; i++) {
            MemorySegment run = segments[i];
            long from = offset + done - starts[i];
            long n = Math.min(bytes - done, run.byteSize() - from);
            if (out) {
                MemorySegment.copy(run, from, other, done, n);
            } else {
                MemorySegment.copy(other, done, run, from, n);
            }
            done += n;
        }
    }

    /** The run that holds an offset; the offset is in the buffer, or at its end. */
    private int indexOf(long offset) {
        int i = Arrays.binarySearch(starts, 0, count, offset);
        return i >= 0 ? i : -i - 2;
    }

    /** A part of it, as a buffer of its own. */
    public PageRuns part(long offset, long bytes) {
        Objects.checkFromIndexSize(offset, bytes, length);
        PageRuns part = new PageRuns(memory);
        for (int i = indexOf(offset); bytes > 0; i++) {
            long from = offset - starts[i];
            long n = Math.min(bytes, segments[i].byteSize() - from);
            part.append(segments[i].asSlice(from, n));
            offset += n;
            bytes -= n;
        }
        return part;
    }

    /** Buffers one after the other, as one; of the same memory, at least one. */
    public static PageRuns concat(List<PageRuns> parts) {
        PageRuns all = new PageRuns(parts.getFirst().memory);
        for (PageRuns part : parts) {
            for (int i = 0; i < part.count; i++) {
                all.append(part.segments[i]);
            }
        }
        return all;
    }

    private void append(MemorySegment segment) {
        if (count == segments.length) {
            segments = Arrays.copyOf(segments, 2 * count);
            starts = Arrays.copyOf(starts, 2 * count);
        }
        segments[count] = segment;
        starts[count++] = length;
        length += segment.byteSize();
    }
}
