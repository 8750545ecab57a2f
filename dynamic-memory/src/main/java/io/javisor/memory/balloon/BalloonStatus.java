package io.javisor.memory.balloon;

import java.util.List;

/**
 * What is known of a guest's memory at one moment; bytes throughout.
 *
 * @param ready whether the guest's driver serves the channel
 * @param reports how many status reports it has sent; 0 while nothing is known of demand
 * @param assigned what the guest may use, by guest node
 * @param ballooned what it has given up, by guest node
 * @param added what was hot-added, of which some may be ballooned
 * @param room by how much memory it can still grow
 * @param demand what programs in the guest need, with the guest driver's floor: committed, as it reported, without what was
 *     ballooned then
 * @param used what it could not hand out when it last reported, its kernel's own memory among it: what it had without what was
 *     available
 * @param available as the guest reports it
 * @param residents what it has of the host's memory, by guest node
 * @param overdue whether it is late with an answer
 */
public record BalloonStatus(
        boolean ready,
        long reports,
        List<Long> assigned,
        List<Long> ballooned,
        long added,
        long room,
        long demand,
        long used,
        long available,
        List<Long> residents,
        boolean overdue) {
    /** Copies the lists. */
    public BalloonStatus {
        assigned = List.copyOf(assigned);
        ballooned = List.copyOf(ballooned);
        residents = List.copyOf(residents);
    }

    /** What the guest may use, in all. */
    public long assignedBytes() {
        return assigned.stream().mapToLong(Long::longValue).sum();
    }

    /** What the guest has given up, in all. */
    public long balloonedBytes() {
        return ballooned.stream().mapToLong(Long::longValue).sum();
    }

    /** What it has of the host's memory, in all. */
    public long resident() {
        return residents.stream().mapToLong(Long::longValue).sum();
    }

    /** What the guest costs the host: what it may use, or what it has if that is more. */
    public long charged() {
        return Math.max(assignedBytes(), resident());
    }
}
