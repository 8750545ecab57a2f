package io.javisor.linux;

import java.lang.foreign.MemorySegment;

/**
 * Whether this process may have so many more mappings (sysctl vm.max_map_count). A JVM that has no room left dies at the end of its
 * next thread, so that whoever makes many mappings asks before. The kernel does not tell; it can only be tried. Who asks again within
 * a second is told what a larger try found. Safe from any thread.
 */
public final class MappingRoom {
    private static final MappingRoom OF_PROCESS = new MappingRoom(); // as the limit is

    /** What the JVM needs to begin and end threads of its own: it does not live on without. */
    public static final int FOR_THE_JVM = 200;

    /** So many are tried at most, if somebody asks again. */
    private static final int AHEAD = 1024;

    private static final long FRESH_NANOS = 1_000_000_000;

    private static final long PAGE = 4096;
    private static final int PROT_NONE = 0;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;

    private boolean asked;
    private long when; // of the last try
    private int left; // of what it found

    private MappingRoom() {}

    /** The room of this process. */
    public static MappingRoom ofProcess() {
        return OF_PROCESS;
    }

    /**
     * Whether somebody may take so many, and {@link #FOR_THE_JVM} are left then.
     *
     * @param mappings that will be made, at least 1
     */
    public synchronized boolean take(int mappings) {
        long now = System.nanoTime();
        boolean fresh = asked && now - when < FRESH_NANOS;
        if (fresh && left >= mappings) {
            left -= mappings;
            return true;
        }
        asked = true;
        when = now;
        left = 0;
        if (fresh && mappings < AHEAD && isFor(AHEAD + FOR_THE_JVM)) {
            left = AHEAD - mappings;
            return true;
        }
        boolean found = isFor(mappings + FOR_THE_JVM);
        for (int look = 0; !found && look < Addresses.LOOKS; look++) {
            Addresses.freeForgotten(look);
            found = isFor(mappings + FOR_THE_JVM);
        }
        return found;
    }

    /**
     * Tries it, and gives all of them back: one mapping whose pages are split into so many. Takes half a microsecond for each.
     *
     * @param mappings at least 1
     */
    static boolean isFor(int mappings) {
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
