package io.javisor.memory;

/**
 * How much of the host's memory is kept from machines: a part that is always the host's, and more while the host's own tasks
 * wait for memory. Pure but for what it remembers; not safe for several threads.
 */
final class HostReserve {
    /** Percent of time in which a task waits for memory above which the host takes more for itself. */
    static final double STRAINED = 5;

    /** Below this it gives some back. */
    static final double RELAXED = 1;

    /** What it takes in a round, and what it gives back: parts of all memory. */
    private static final int TAKES = 100;

    private static final int GIVES = 400;
    /** It takes a quarter of all memory at most. */
    private static final int MOST = 4;

    private final long fixed;
    private long more;

    HostReserve(long fixed) {
        this.fixed = fixed;
    }

    /** What is kept from now on, in bytes. */
    long next(HostMemory host) {
        if (host.pressure() >= STRAINED) {
            more = Math.min(host.total() / MOST, more + host.total() / TAKES);
        } else if (host.pressure() < RELAXED) {
            more = Math.max(0, more - host.total() / GIVES);
        }
        return fixed + more;
    }
}
