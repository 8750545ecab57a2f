package io.javisor.memory.balancer;

import java.util.List;

/**
 * One machine before a round of balancing; bytes.
 *
 * @param id the same in every round
 * @param minimum it gets in any case
 * @param maximum it gets at most
 * @param bufferPercent of its demand, 5 to 2,000, that it shall have besides
 * @param weight 0 to 10,000
 * @param demand what its programs need
 * @param charged what it costs: what it may use, or what it has of the host's memory if that is more
 * @param nodes its parts
 */
public record MachineClaim(
        long id,
        long minimum,
        long maximum,
        int bufferPercent,
        int weight,
        long demand,
        long charged,
        List<Node> nodes) {
    /** Any host node. */
    public static final int ANY = -1;

    /**
     * One guest node.
     *
     * @param hostNode where its memory comes from: an index into the host's capacities, or {@link #ANY}
     * @param size bytes that it can have at most
     * @param assigned bytes that it may use now
     * @param promised bytes that an earlier round gave it, and that it may still be on its way to; at least those assigned
     */
    public record Node(int hostNode, long size, long assigned, long promised) {
        /** Checks the order. */
        public Node {
            if (promised < assigned) {
                throw new IllegalArgumentException("promised " + promised + " bytes, less than assigned: " + assigned);
            }
        }

        /** A node that is on its way to nothing. */
        public Node(int hostNode, long size, long assigned) {
            this(hostNode, size, assigned, assigned);
        }
    }

    /** Copies the list. */
    public MachineClaim {
        nodes = List.copyOf(nodes);
    }

    /** What it may use now. */
    public long assigned() {
        return nodes.stream().mapToLong(Node::assigned).sum();
    }

    /** What it may use now, or is on its way to if that is more. */
    public long promised() {
        return nodes.stream().mapToLong(Node::promised).sum();
    }

    /** Demand and buffer, within minimum and maximum. */
    public long want() {
        // A cast saturates.
        return Math.clamp((long) ((double) demand * (100 + bufferPercent) / 100), minimum, maximum);
    }
}
