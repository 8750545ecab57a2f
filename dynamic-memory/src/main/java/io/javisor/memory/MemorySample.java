package io.javisor.memory;

import java.time.Instant;

/**
 * A machine's memory at one moment; bytes.
 *
 * @param at when
 * @param assigned what the guest may use
 * @param target what it shall have
 * @param demand what its programs need, with the guest driver's floor; 0 while not known
 * @param ballooned what it has given up
 * @param added what was hot-added
 * @param available what it could hand out without swapping, as it says
 * @param resident what it has of the host's memory
 */
public record MemorySample(
        Instant at,
        long assigned,
        long target,
        long demand,
        long ballooned,
        long added,
        long available,
        long resident) {

    /** Demand in percent of what is assigned; 0 while not known. */
    public int pressure() {
        return assigned == 0 ? 0 : (int) Math.min(100_000, (double) demand / assigned * 100);
    }
}
