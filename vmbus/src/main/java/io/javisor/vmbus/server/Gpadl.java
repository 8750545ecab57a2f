package io.javisor.vmbus.server;

import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.vmbus.channel.GuestBuffer;
import io.javisor.vmbus.ring.PageRuns;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Memory that the guest described once (a guest physical address descriptor list) and refers to by a handle. */
public final class Gpadl {
    private final int relId;
    private final int id;
    private final long[] words;
    private final List<PageRuns> ranges;

    private Gpadl(int relId, int id, long[] words, List<PageRuns> ranges) {
        this.relId = relId;
        this.id = id;
        this.words = words;
        this.ranges = ranges;
    }

    /**
     * Resolves a description.
     *
     * @param words each range: byte count in the lower half, offset in the first page in the upper; then its pages
     * @param count number of ranges
     * @throws GuestAddressException if a page is not in guest memory
     * @throws IllegalArgumentException if the ranges are empty, or don't fill the words exactly
     */
    static Gpadl resolve(GuestMemory memory, int relId, int id, long[] words, int count) {
        List<PageRuns> ranges = new ArrayList<>();
        int at = 0;
        for (int i = 0; i < count; i++) {
            if (at >= words.length) {
                throw new IllegalArgumentException("range " + i + " of " + count + " is missing");
            }
            long left = words[at] & 0xFFFF_FFFFL;
            int offset = (int) (words[at] >>> 32);
            at++;
            if (left == 0 || offset < 0 || offset >= PageRuns.PAGE) {
                throw new IllegalArgumentException(
                        "range " + i + " has " + left + " bytes at offset " + Integer.toUnsignedString(offset));
            }
            if ((offset + left + PageRuns.PAGE - 1) / PageRuns.PAGE > words.length - at) {
                throw new IllegalArgumentException(
                        "range " + i + " has " + left + " bytes and only " + (words.length - at) + " pages");
            }
            PageRuns range = new PageRuns(memory);
            while (left > 0) {
                int n = (int) Math.min(left, PageRuns.PAGE - offset);
                range.addPage(words[at++], offset, n);
                offset = 0;
                left -= n;
            }
            range.seal();
            ranges.add(range);
        }
        if (at != words.length || ranges.isEmpty()) {
            throw new IllegalArgumentException(count + " ranges in " + at + " of " + words.length + " words");
        }
        return new Gpadl(relId, id, words, List.copyOf(ranges));
    }

    /** The channel for which it was made. */
    public int relId() {
        return relId;
    }

    /** The guest's handle. */
    public int id() {
        return id;
    }

    /** All ranges, one after the other. */
    public GuestBuffer buffer() {
        return ranges.size() == 1 ? ranges.getFirst() : PageRuns.concat(ranges);
    }

    /** Its ranges, resolved. */
    public List<PageRuns> ranges() {
        return ranges;
    }

    /** Whether it can hold rings: one range that begins at a page, whole pages. */
    boolean isRing() {
        return ranges.size() == 1 && words[0] >>> 32 == 0 && ranges.getFirst().length() % PageRuns.PAGE == 0;
    }

    /** Words of its description. */
    int size() {
        return words.length;
    }

    /** Its description. */
    long[] words() {
        return words.clone();
    }

    /** A description that is still coming in. */
    static final class Incomplete {
        final int relId;
        final int id;
        final int rangeCount;
        final int total;
        private long[] words;
        private int have;

        Incomplete(int relId, int id, int rangeCount, int total) {
            this.relId = relId;
            this.id = id;
            this.rangeCount = rangeCount;
            this.total = total;
            words = new long[Math.min(total, 32)];
        }

        /** Takes more words; false if they are too many. */
        boolean add(List<Long> more) {
            if (more.size() > total - have) {
                return false;
            }
            if (have + more.size() > words.length) {
                words = Arrays.copyOf(words, Math.min(total, Math.max(have + more.size(), 2 * words.length)));
            }
            for (long word : more) {
                words[have++] = word;
            }
            return true;
        }

        boolean isComplete() {
            return have == total;
        }

        Gpadl resolve(GuestMemory memory) {
            return Gpadl.resolve(memory, relId, id, words(), rangeCount);
        }

        long[] words() {
            return Arrays.copyOf(words, have);
        }
    }
}
