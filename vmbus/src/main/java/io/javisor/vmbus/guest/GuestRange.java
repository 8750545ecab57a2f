package io.javisor.vmbus.guest;

import io.javisor.vmbus.ring.PageRuns;
import java.util.ArrayList;
import java.util.List;

/**
 * Guest memory as the wire describes it.
 *
 * @param bytes its length
 * @param offset in the first page
 * @param pages page numbers
 */
public record GuestRange(int bytes, int offset, List<Long> pages) {
    /** Copies the list. */
    public GuestRange {
        pages = List.copyOf(pages);
    }

    /** Memory that is contiguous. */
    public static GuestRange of(long gpa, int bytes) {
        List<Long> pages = new ArrayList<>();
        for (long page = gpa / PageRuns.PAGE; page * PageRuns.PAGE < gpa + bytes; page++) {
            pages.add(page);
        }
        return new GuestRange(bytes, (int) (gpa % PageRuns.PAGE), pages);
    }

    void addTo(List<Long> words) {
        words.add((bytes & 0xFFFF_FFFFL) | (long) offset << 32);
        words.addAll(pages);
    }
}
