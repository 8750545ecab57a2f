package io.javisor.memory.balloon;

import io.javisor.memory.protocol.PageRange;
import io.javisor.partition.topology.AddressSpacePlan;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a machine's memory can still grow, node by node: windows of addresses, filled from the front. Pure; not safe for several
 * threads.
 */
final class GrowthWindows {
    private static final int GRANULE = (int) (AddressSpacePlan.GRANULE / PageRange.PAGE);

    /**
     * The next piece of a window.
     *
     * @param node whose
     * @param pages that shall be added
     * @param region what the guest must reserve for them: whole units of its alignment; empty if it has reserved it before
     */
    record Piece(int node, PageRange pages, PageRange region) {}

    private static final class Window {
        final int node;
        final PageRange range;
        long taken; // first page that the guest does not have

        Window(int node, PageRange range) {
            this.node = node;
            this.range = range;
            taken = range.first();
        }
    }

    private final List<Window> windows = new ArrayList<>();

    GrowthWindows(AddressSpacePlan plan) {
        for (AddressSpacePlan.Range range : plan.growthWindows()) {
            windows.add(new Window(range.node(), PageRange.ofBytes(range.gpa(), range.length())));
        }
    }

    /** Pages that a node can still grow by, for a guest that wants regions aligned so. */
    long room(int node, long alignment) {
        long room = 0;
        for (Window w : windows) {
            if (w.node == node) {
                room += Math.max(0, end(w, unit(alignment)) - start(w, unit(alignment)));
            }
        }
        return room;
    }

    /**
     * The next pages of a node.
     *
     * @param wanted pages; rounded down to the grain
     * @param alignment of the guest's regions in bytes
     * @param grain in which pages are added: a power of two, from 2 MiB
     * @return no pages if the node is full, or less than a grain is wanted
     */
    Piece next(int node, long wanted, long alignment, long grain) {
        long unit = unit(alignment);
        long step = Math.max(GRANULE, grain / PageRange.PAGE);
        for (Window w : windows) {
            long first = start(w, unit);
            long most = Math.min((end(w, unit) - first) & -step, PageRange.MAX_COUNT & -step);
            if (w.node != node || most <= 0 || wanted < step) {
                continue;
            }
            PageRange pages = new PageRange(first, Math.min(most, wanted & -step));
            // What continues a region needs none: the guest finds the one that it has.
            PageRange region =
                    first % unit == 0 ? new PageRange(first, alignUp(pages.end(), unit) - first) : new PageRange(0, 0);
            return new Piece(node, pages, region.count() > PageRange.MAX_COUNT ? new PageRange(0, 0) : region);
        }
        return new Piece(node, new PageRange(0, 0), new PageRange(0, 0));
    }

    /** Everything before this page is the guest's, what follows in the same window is not. */
    void taken(PageRange offered, long pages) {
        of(offered).taken = offered.first() + pages;
    }

    /**
     * What follows the guest's memory in each window, as far as memory slots may reach, which are made in units of
     * {@link GrowingMemory#SLOT}: addresses that the guest could touch, and should not.
     */
    List<Piece> beyond() {
        var all = new ArrayList<Piece>();
        for (Window w : windows) {
            long end = Math.min(w.range.end(), alignUp(w.taken, GrowingMemory.SLOT / PageRange.PAGE));
            all.add(new Piece(w.node, new PageRange(w.taken, end - w.taken), new PageRange(0, 0)));
        }
        return all;
    }

    private Window of(PageRange pages) {
        for (Window w : windows) {
            if (pages.first() >= w.range.first() && pages.end() <= w.range.end()) {
                return w;
            }
        }
        throw new IllegalArgumentException(pages + " are in no growth window");
    }

    private static long unit(long alignment) {
        return Math.max(GRANULE, alignment / PageRange.PAGE);
    }

    /** A region that was begun goes on anywhere; a new one begins aligned. */
    private static long start(Window w, long unit) {
        return w.taken == w.range.first() ? alignUp(w.taken, unit) : w.taken;
    }

    private static long end(Window w, long unit) {
        return w.range.end() & -unit;
    }

    private static long alignUp(long value, long unit) {
        return (value + unit - 1) & -unit;
    }
}
