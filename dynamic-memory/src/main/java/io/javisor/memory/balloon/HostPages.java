package io.javisor.memory.balloon;

import io.javisor.memory.protocol.PageRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Ranges of guest pages as the host's pages behind them. Pure. */
final class HostPages {
    private HostPages() {}

    /**
     * The whole host pages that ranges touch, in order, without overlap.
     *
     * @param unit guest pages of a host page, a power of two
     */
    static List<PageRange> around(List<PageRange> ranges, long unit) {
        var wide = new ArrayList<PageRange>();
        for (PageRange range : ranges) {
            long first = range.first() & -unit;
            wide.add(new PageRange(first, (range.end() + unit - 1 & -unit) - first));
        }
        return merged(wide);
    }

    /** A range of whole host pages, one by one. */
    static List<PageRange> units(PageRange range, long unit) {
        var all = new ArrayList<PageRange>();
        for (long at = range.first(); at < range.end(); at += unit) {
            all.add(new PageRange(at, unit));
        }
        return all;
    }

    /** The same pages in order, adjacent and overlapping ranges joined. */
    static List<PageRange> merged(List<PageRange> ranges) {
        var sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(PageRange::first));
        var all = new ArrayList<PageRange>();
        for (PageRange range : sorted) {
            PageRange last = all.isEmpty() ? null : all.getLast();
            if (range.count() == 0) {
                continue;
            }
            if (last != null && range.first() <= last.end()) {
                all.removeLast();
                all.add(new PageRange(last.first(), Math.max(last.end(), range.end()) - last.first()));
            } else {
                all.add(range);
            }
        }
        return all;
    }
}
