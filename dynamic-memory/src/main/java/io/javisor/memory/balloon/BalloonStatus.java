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
 * @param committed as the guest reports it: with what is ballooned, with what is added and not online, and with a floor
 * @param available as the guest reports it
 * @param resident what it has of the host's memory
 * @param overdue whether it is late with an answer
 */
public record BalloonStatus(
        boolean ready,
        long reports,
        List<Long> assigned,
        List<Long> ballooned,
        long added,
        long room,
        long committed,
        long available,
        long resident,
        boolean overdue) {
    /** Copies the lists. */
    public BalloonStatus {
        assigned = List.copyOf(assigned);
        ballooned = List.copyOf(ballooned);
    }

    /** What the guest may use, in all. */
    public long assignedBytes() {
        return assigned.stream().mapToLong(Long::longValue).sum();
    }

    /** What the guest has given up, in all. */
    public long balloonedBytes() {
        return ballooned.stream().mapToLong(Long::longValue).sum();
    }

    /** What programs in the guest need, with the guest driver's floor: committed without what is ballooned. */
    public long demand() {
        return Math.max(0, committed - balloonedBytes());
    }

    /** What the guest costs the host: what it may use, or what it has if that is more. */
    public long charged() {
        return Math.max(assignedBytes(), resident);
    }
}
