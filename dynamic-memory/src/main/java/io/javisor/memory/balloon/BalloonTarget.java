package io.javisor.memory.balloon;

import java.util.List;

/**
 * How much memory a guest shall have.
 *
 * @param bytes in all
 * @param nodes of each guest node, adding up to all; empty to divide it by the nodes' sizes
 */
public record BalloonTarget(long bytes, List<Long> nodes) {
    /** Copies the list and checks its sum. */
    public BalloonTarget {
        nodes = List.copyOf(nodes);
        long sum = nodes.stream().mapToLong(Long::longValue).sum();
        if (bytes < 0 || !nodes.isEmpty() && sum != bytes) {
            throw new IllegalArgumentException("target of " + bytes + " bytes, by node " + nodes);
        }
    }

    /** So much in all, divided by the nodes' sizes. */
    public static BalloonTarget of(long bytes) {
        return new BalloonTarget(bytes, List.of());
    }
}
