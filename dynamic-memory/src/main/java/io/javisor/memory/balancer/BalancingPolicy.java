package io.javisor.memory.balancer;

import java.util.List;

/** Divides a pool of memory. Pure: the same input gives the same answer, and nothing else happens. */
@FunctionalInterface
public interface BalancingPolicy {
    /**
     * Divides.
     *
     * @param capacity bytes that there are; minimums are given even if they exceed it
     * @param claims who asks
     * @return bytes for each claim, in the same order; what is outside minimum and maximum is clamped
     */
    long[] divide(long capacity, List<Claim> claims);

    /**
     * Everybody gets what they want while there is enough. When there is not, everybody gets the minimum, then all rise at a
     * speed that is their weight: first to their demand, and when all demands are met, to what they want.
     */
    static BalancingPolicy weightedFair() {
        return WeightedFair::divide;
    }

    /** For comparison: what there is, in proportion to what is wanted, whatever the weights. */
    static BalancingPolicy proportional() {
        return (capacity, claims) -> {
            double sum = claims.stream().mapToDouble(Claim::want).sum();
            double part = sum <= capacity ? 1 : capacity / sum;
            return claims.stream()
                    .mapToLong(c -> Math.clamp((long) (c.want() * part), c.minimum(), c.maximum()))
                    .toArray();
        };
    }

    /** For comparison: everybody keeps what they have. */
    static BalancingPolicy none() {
        return (capacity, claims) -> claims.stream().mapToLong(Claim::assigned).toArray();
    }
}
