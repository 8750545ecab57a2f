package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** On which host NUMA node each page of a range lies, asked or changed page by page (move_pages(2)). */
public final class PagePlacement {
    private static final int MOVE = 2;

    private PagePlacement() {}

    /**
     * Where pages lie.
     *
     * @param range native memory whose first byte begins a page
     * @param step bytes between the pages asked about: 4 KiB, or the size of huge pages
     * @return per page its node, or a negative errno: −ENOENT where no page is present
     */
    public static int[] nodes(MemorySegment range, long step) {
        return call(range, step, -1);
    }

    /**
     * Moves pages to a node.
     *
     * @return per page its node after the move, or a negative errno: −ENOENT where no page is present, −EBUSY where it is in
     *     use, −ENOMEM where the node has no room
     */
    public static int[] move(MemorySegment range, long step, int node) {
        if (node < 0) {
            throw new IllegalArgumentException("node " + node);
        }
        return call(range, step, node);
    }

    private static int[] call(MemorySegment range, long step, int node) {
        if (step < 4096 || Long.bitCount(step) != 1) {
            throw new IllegalArgumentException("step " + step + " is not a power of two from 4096");
        }
        int count = Math.toIntExact((range.byteSize() + step - 1) / step);
        if (count == 0) {
            return new int[0];
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pages = arena.allocate(JAVA_LONG, count);
            MemorySegment status = arena.allocate(JAVA_INT, count);
            MemorySegment nodes = MemorySegment.NULL;
            for (int i = 0; i < count; i++) {
                pages.setAtIndex(JAVA_LONG, i, range.address() + i * step);
            }
            if (node >= 0) {
                nodes = arena.allocate(JAVA_INT, count);
                for (int i = 0; i < count; i++) {
                    nodes.setAtIndex(JAVA_INT, i, node);
                }
            }
            int result =
                    NumaCalls.movePages(CallState.current(), count, pages, nodes, status, node >= 0 ? MOVE : 0, range);
            if (result < 0 && result != -Errno.ENOENT) {
                throw new LinuxException("move_pages", count + " pages, node " + node, -result);
            }
            return status.toArray(JAVA_INT);
        }
    }
}
