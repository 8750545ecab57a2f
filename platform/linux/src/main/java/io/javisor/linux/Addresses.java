package io.javisor.linux;

import java.util.concurrent.locks.LockSupport;

/**
 * Finds room in this process's address space. Addresses of closed {@link Mapping}s are free again only when the garbage collector has
 * seen that nobody refers to them, so that it is asked to look where the kernel says that there is no room.
 */
final class Addresses {
    /** How often a look may find nothing to free, for half a second together: cleaners work on a thread of their own. */
    static final int LOOKS = 8;

    private static final long FIRST_PAUSE_NANOS = 2_000_000;

    private Addresses() {}

    /** As mmap(2) at any address: where the range is, or a negative errno. */
    static long find(long length, int protection, int flags, int fd, long offset) {
        long address = MemoryCalls.mmap(CallState.current(), 0, length, protection, flags, fd, offset);
        for (int look = 0; address == -Errno.ENOMEM && look < LOOKS; look++) {
            freeForgotten(look);
            address = MemoryCalls.mmap(CallState.current(), 0, length, protection, flags, fd, offset);
        }
        return address;
    }

    /** Has the collector look for mappings that nobody refers to any more, and gives cleaners time to unmap them. */
    static void freeForgotten(int look) {
        if (look == 0) {
            System.gc();
        }
        LockSupport.parkNanos(FIRST_PAUSE_NANOS << look);
    }
}
