package io.javisor.memory.balloon;

import io.javisor.memory.protocol.DmProtocolException;
import io.javisor.memory.protocol.PageRange;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.vmbus.protocol.Wire;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The books of one guest's memory: what there is, and which of its pages the guest has given up. One bit a page, kept only for
 * blocks of 128 MiB in which pages are given up, so that it never grows beyond 1/32,768 of the guest's memory. Pure; not safe
 * for several threads.
 */
public final class PageLedger {
    private static final int BLOCK_SHIFT = 15;
    private static final int BLOCK_PAGES = 1 << BLOCK_SHIFT;
    private static final int WORDS = BLOCK_PAGES / Long.SIZE;

    /**
     * Memory that the guest has, ballooned or not.
     *
     * @param pages where
     * @param node the guest NUMA node that it belongs to
     * @param added whether it was hot-added
     */
    public record Area(PageRange pages, int node, boolean added) {}

    private final TreeMap<Long, Area> areas = new TreeMap<>(); // by first page
    private final TreeMap<Long, long[]> blocks = new TreeMap<>(); // a bit is set for a page that was given up
    private final long[] total;
    private final long[] ballooned;

    /** Books of a guest without memory, with so many nodes. */
    public PageLedger(int nodes) {
        total = new long[nodes];
        ballooned = new long[nodes];
    }

    /** Takes memory up. Throws IllegalArgumentException if some of it is there already. */
    public void add(Area area) {
        PageRange pages = area.pages();
        Map.Entry<Long, Area> before = areas.lowerEntry(pages.end());
        if (pages.count() == 0 || before != null && before.getValue().pages().end() > pages.first()) {
            throw new IllegalArgumentException("memory of a guest is empty or overlaps: " + area);
        }
        areas.put(pages.first(), area);
        total[area.node()] += pages.count();
    }

    /** The guest has taken only the first pages of an area that was added, none of which it has given up. */
    void shrink(PageRange area, long pages) {
        Area old = areas.remove(area.first());
        if (old == null || !old.pages().equals(area) || count(area) != 0) {
            throw new IllegalStateException("no such area, or some of it is given up: " + area);
        }
        total[old.node()] -= area.count();
        if (pages > 0) {
            add(new Area(new PageRange(area.first(), pages), old.node(), old.added()));
        }
    }

    /** The guest NUMA node of a page. Throws IllegalArgumentException if the guest has none there. */
    public int nodeOf(long page) {
        Map.Entry<Long, Area> area = areas.floorEntry(page);
        if (area == null || area.getValue().pages().end() <= page) {
            throw new IllegalArgumentException("no memory at page 0x" + Long.toHexString(page));
        }
        return area.getValue().node();
    }

    /** All memory, by address. */
    public List<Area> areas() {
        return List.copyOf(areas.values());
    }

    /** NUMA nodes. */
    public int nodes() {
        return total.length;
    }

    /** Pages of a node, given up or not. */
    public long totalPages(int node) {
        return total[node];
    }

    /** Pages of a node that the guest has given up. */
    public long balloonedPages(int node) {
        return ballooned[node];
    }

    /** Pages that the guest has given up. */
    public long balloonedPages() {
        return sum(ballooned);
    }

    /** Pages of a node that the guest may use. */
    public long assignedPages(int node) {
        return total[node] - ballooned[node];
    }

    /** Pages that the guest may use. */
    public long assignedPages() {
        return sum(total) - sum(ballooned);
    }

    private static long sum(long[] values) {
        long sum = 0;
        for (long value : values) {
            sum += value;
        }
        return sum;
    }

    /**
     * The guest gives pages up.
     *
     * @throws DmProtocolException if one is not in its memory, or was given up before; nothing is changed then
     */
    public void take(PageRange range) {
        requireMemory(range);
        if (range.count() > 0 && count(range) != 0) {
            throw new DmProtocolException("the guest gives up " + range + ", of which it has given up some before");
        }
        mark(range, true);
    }

    /** Pages chosen by {@link #pick} could not be given back after all. */
    public void putBack(PageRange range) {
        mark(range, true);
    }

    /** Pages that were put back are on their way to the guest after all. */
    void unmark(PageRange range) {
        mark(range, false);
    }

    private void requireMemory(PageRange range) {
        long at = range.first();
        while (at < range.end()) {
            Map.Entry<Long, Area> area = areas.floorEntry(at);
            if (area == null || area.getValue().pages().end() <= at) {
                throw new DmProtocolException(
                        "the guest gives up " + range + ", but has no memory at page 0x" + Long.toHexString(at));
            }
            at = area.getValue().pages().end();
        }
    }

    /** How many pages of a range are given up. */
    long count(PageRange range) {
        long sum = 0;
        for (long at = range.first(); at < range.end(); at = (at >>> BLOCK_SHIFT) + 1 << BLOCK_SHIFT) {
            long[] block = blocks.get(at >>> BLOCK_SHIFT);
            if (block != null) {
                int from = (int) (at & BLOCK_PAGES - 1);
                int to = (int) Math.min(BLOCK_PAGES, from + (range.end() - at));
                for (int i = from; i < to; i = (i | 63) + 1) {
                    sum += Long.bitCount(block[i >>> 6] & bits(i, to));
                }
            }
        }
        return sum;
    }

    /** Sets or clears bits that all are not, and counts. */
    private void mark(PageRange range, boolean givenUp) {
        for (long at = range.first(); at < range.end(); at = (at >>> BLOCK_SHIFT) + 1 << BLOCK_SHIFT) {
            long key = at >>> BLOCK_SHIFT;
            long[] block = givenUp ? blocks.computeIfAbsent(key, _ -> new long[WORDS]) : blocks.get(key);
            if (block == null) {
                throw new IllegalStateException("not given up: " + range);
            }
            int from = (int) (at & BLOCK_PAGES - 1);
            int to = (int) Math.min(BLOCK_PAGES, from + (range.end() - at));
            for (int i = from; i < to; i = (i | 63) + 1) {
                if (givenUp) {
                    block[i >>> 6] |= bits(i, to);
                } else {
                    block[i >>> 6] &= ~bits(i, to);
                }
            }
            if (!givenUp && isEmpty(block)) {
                blocks.remove(key);
            }
        }
        long at = range.first();
        while (at < range.end()) {
            Area area = areas.floorEntry(at).getValue();
            long end = Math.min(range.end(), area.pages().end());
            ballooned[area.node()] += givenUp ? end - at : at - end;
            at = end;
        }
    }

    /** Of the word that holds bit {@code i}: the bits from there to {@code to}. */
    private static long bits(int i, int to) {
        long high = -1L << (i & 63);
        int end = to - (i & ~63);
        return end >= 64 ? high : high & (1L << end) - 1;
    }

    private static boolean isEmpty(long[] block) {
        for (long word : block) {
            if (word != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Chooses pages to give back, in order of address; they count as the guest's from now on.
     *
     * @param node of which, or −1 for any
     * @param most pages
     * @param mostRanges ranges in the answer, each at most {@link PageRange#MAX_COUNT} pages
     */
    public List<PageRange> pick(int node, long most, int mostRanges) {
        var picked = new ArrayList<PageRange>();
        long left = most;
        for (Area area : areas.values()) {
            if (node >= 0 && area.node() != node) {
                continue;
            }
            long at = area.pages().first();
            while (left > 0 && picked.size() < mostRanges) {
                PageRange run = nextRun(
                        at, Math.min(left, PageRange.MAX_COUNT), area.pages().end());
                if (run.count() == 0) {
                    break;
                }
                picked.add(run);
                left -= run.count();
                at = run.end();
            }
        }
        picked.forEach(range -> mark(range, false));
        return picked;
    }

    /** The next pages that are given up, from a page on, before an end; 0 pages if there are none. */
    private PageRange nextRun(long from, long most, long end) {
        long first = next(from, end, true);
        long last = first == end ? end : next(first, Math.min(end, first + most), false);
        return new PageRange(first, last - first);
    }

    /** The first page from here that is given up, or that is not; the end if there is none. */
    private long next(long from, long end, boolean givenUp) {
        long at = from;
        while (at < end) {
            Map.Entry<Long, long[]> entry = blocks.ceilingEntry(at >>> BLOCK_SHIFT);
            if (entry == null || entry.getKey() != at >>> BLOCK_SHIFT) {
                if (!givenUp || entry == null) {
                    return givenUp ? end : at;
                }
                at = entry.getKey() << BLOCK_SHIFT;
                continue;
            }
            int bit = (int) (at & BLOCK_PAGES - 1);
            long word = entry.getValue()[bit >>> 6];
            long wanted = (givenUp ? word : ~word) & -1L << (bit & 63);
            if (wanted != 0) {
                return Math.min(end, (at & ~63L) + Long.numberOfTrailingZeros(wanted));
            }
            at = (at & ~63L) + 64;
        }
        return end;
    }

    /** All pages that are given up, in order of address, as few ranges as there can be. */
    public List<PageRange> ballooned() {
        var all = new ArrayList<PageRange>();
        for (Area area : areas.values()) {
            long at = area.pages().first();
            while (at < area.pages().end()) {
                PageRange run = nextRun(at, Long.MAX_VALUE >>> 1, area.pages().end());
                if (run.count() == 0) {
                    break;
                }
                all.add(run);
                at = run.end();
            }
        }
        return all;
    }

    /** Of given-up pages in a range: how many of it, and whether that is the whole range. */
    boolean isWhollyBallooned(PageRange range) {
        return next(range.first(), range.end(), false) == range.end();
    }

    /** The guest's driver has begun anew, and knows of nothing that was given up before. */
    public void forgetBallooned() {
        blocks.clear();
        java.util.Arrays.fill(ballooned, 0);
    }

    void save(StateWriter out) {
        int areaCount = 0;
        for (Area area : areas.values()) {
            if (area.added()) {
                ByteBuffer bytes = Wire.buffer(new byte[20])
                        .putLong(area.pages().first())
                        .putLong(area.pages().count())
                        .putInt(area.node());
                out.put("added" + areaCount++, Wire.bytes(bytes));
            }
        }
        out.put("added", areaCount);
        int count = 0;
        for (Map.Entry<Long, long[]> block : blocks.entrySet()) {
            ByteBuffer bytes = Wire.buffer(new byte[Long.BYTES * (1 + WORDS)]).putLong(block.getKey());
            for (long word : block.getValue()) {
                bytes.putLong(word);
            }
            out.put("block" + count++, Wire.bytes(bytes));
        }
        out.put("blocks", count);
    }

    /** Reads memory that had been added, and takes it up. The caller adds it to the machine. */
    List<Area> restoreAreas(StateReader in) {
        var added = new ArrayList<Area>();
        int count = in.getInt("added", 0, 1 << 16);
        try {
            for (int i = 0; i < count; i++) {
                ByteBuffer bytes = Wire.buffer(in.getBytes("added" + i, 20));
                var area = new Area(new PageRange(bytes.getLong(), bytes.getLong()), bytes.getInt(), true);
                if (area.node() < 0 || area.node() >= nodes()) {
                    throw new StateException("dynamic memory: hot-added memory of node " + area.node());
                }
                add(area);
                added.add(area);
            }
        } catch (IllegalArgumentException e) {
            throw new StateException("dynamic memory: " + e.getMessage());
        }
        return added;
    }

    /** Reads which pages were given up; memory is there already. */
    void restoreBallooned(StateReader in) {
        int count = in.getInt("blocks", 0, 1 << 25);
        for (int i = 0; i < count; i++) {
            ByteBuffer bytes = Wire.buffer(in.getBytes("block" + i, Long.BYTES * (1 + WORDS)));
            long key = bytes.getLong();
            if (key < 0 || key >= 1L << 25) {
                throw new StateException("dynamic memory: pages of block " + key);
            }
            try {
                for (int w = 0; w < WORDS; w++) {
                    long word = bytes.getLong();
                    while (word != 0) {
                        int from = Long.numberOfTrailingZeros(word);
                        int length = Long.numberOfTrailingZeros(~(word >>> from));
                        length = Math.min(length, 64 - from);
                        take(new PageRange((key << BLOCK_SHIFT) + 64L * w + from, length));
                        word &= length == 64 ? 0 : ~((1L << length) - 1 << from);
                    }
                }
            } catch (DmProtocolException e) {
                throw new StateException(String.valueOf(e.getMessage()));
            }
        }
    }
}
