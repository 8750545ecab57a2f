package io.javisor.linux;

import java.lang.foreign.MemorySegment;

/**
 * Whether this process may have so many more mappings (sysctl vm.max_map_count). A JVM that has no room left dies at the end of its
 * next thread, so that whoever makes many mappings asks before.
 */
public final class MappingRoom {
    private static final long PAGE = 4096;
    private static final int PROT_NONE = 0;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;

    private MappingRoom() {}

    /**
     * Tries it, and gives all of them back: one mapping whose pages are split into so many. Takes half a microsecond for each.
     *
     * @param mappings at least 1
     */
    public static boolean isFor(int mappings) {
        if (mappings < 1) {
            throw new IllegalArgumentException("room for " + mappings + " mappings");
        }
        CallState state = CallState.current();
        long size = (long) mappings * PAGE;
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        long address = MemoryCalls.mmap(state, 0, size, PROT_NONE, flags, -1, 0);
        if (address < 0 && address > -PAGE) {
            return false;
        }
        try {
            // Every other page differs from those beside it.
            for (long at = PAGE; at < size; at += 2 * PAGE) {
                MemorySegment page = MemorySegment.ofAddress(address + at);
                if (MemoryCalls.madvise(state, page, PAGE, Advice.DONT_DUMP.number()) < 0) {
                    return false;
                }
            }
            return true;
        } finally {
            MemoryCalls.munmap(state, address, size); // as a whole, which splits no mapping
        }
    }
}
