package io.javisor.partition.bus;

/**
 * How often a device's registers were accessed by the guest.
 *
 * @param reads of any size
 * @param writes of any size
 */
public record Accesses(long reads, long writes) {
    /** Both together. */
    public Accesses plus(Accesses other) {
        return new Accesses(reads + other.reads, writes + other.writes);
    }

    /** Reads and writes. */
    public long total() {
        return reads + writes;
    }
}
