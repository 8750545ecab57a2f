package io.javisor.linux;

/** What madvise(2) can tell the host about a range of memory (asm-generic/mman-common.h). */
public enum Advice {
    /** Nothing special. */
    NORMAL(0),
    /** Will be read at random. */
    RANDOM(1),
    /** Will be needed soon. */
    WILL_NEED(3),
    /** Drop this process's pages; shared memory comes back from its file on the next touch. */
    DONT_NEED(4),
    /** Punch a hole into the shared memory behind it. */
    REMOVE(9),
    /** Not inherited by a fork. */
    DONT_FORK(10),
    /** Huge pages are welcome. */
    HUGE_PAGE(14),
    /** No huge pages. */
    NO_HUGE_PAGE(15),
    /** Not in core dumps. */
    DONT_DUMP(16),
    /** May be swapped out first. */
    COLD(20),
    /** Swap out now. */
    PAGE_OUT(21),
    /** Fault in for reading now (Linux 5.14). */
    POPULATE_READ(22),
    /** Fault in for writing now, so that a short host is ENOMEM here and not SIGBUS later (Linux 5.14). */
    POPULATE_WRITE(23),
    /** Gather to huge pages now (Linux 6.1). */
    COLLAPSE(25);

    private final int number;

    Advice(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }
}
