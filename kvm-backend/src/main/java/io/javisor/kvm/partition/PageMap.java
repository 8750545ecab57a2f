package io.javisor.kvm.partition;

import io.javisor.linux.HostFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Which pages of a private mapping are this process's own, from /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst):
 * those that it has written, swapped out or not.
 */
final class PageMap {
    private static final long PAGE = 4096;
    private static final int CHUNK = 4096; // entries, of 16 MiB of memory
    private static final long PRESENT = 1L << 63;
    private static final long SWAPPED = 1L << 62;
    private static final long OF_FILE = 1L << 61;

    private PageMap() {}

    /** Hears of pages, in order. */
    interface Visitor {
        /** Of one page; false to hear no more. */
        boolean page(long offset, boolean own);
    }

    /** Looks at the pages of a mapping from an offset on. */
    static void visit(MemorySegment mapping, long from, Visitor visitor) {
        try (HostFile map = HostFile.open(Path.of("/proc/self/pagemap"), HostFile.READ_ONLY);
                Arena arena = Arena.ofConfined()) {
            MemorySegment entries = arena.allocate(8L * CHUNK, 8);
            long pages = mapping.byteSize() / PAGE;
            for (long page = from / PAGE; page < pages; ) {
                long n = Math.min(CHUNK, pages - page);
                long read = map.read(entries.asSlice(0, 8 * n), (mapping.address() / PAGE + page) * 8) / 8;
                if (read <= 0) {
                    return;
                }
                for (int i = 0; i < read; i++) {
                    long entry = entries.getAtIndex(ValueLayout.JAVA_LONG, i);
                    boolean own = (entry & SWAPPED) != 0 || (entry & (PRESENT | OF_FILE)) == PRESENT;
                    if (!visitor.page((page + i) * PAGE, own)) {
                        return;
                    }
                }
                page += read;
            }
        }
    }

    /** Bytes of a mapping that are this process's own. */
    static long ownBytes(MemorySegment mapping) {
        long[] sum = new long[1];
        visit(mapping, 0, (_, own) -> {
            sum[0] += own ? PAGE : 0;
            return true;
        });
        return sum[0];
    }
}
