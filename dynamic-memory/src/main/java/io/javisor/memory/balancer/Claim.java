package io.javisor.memory.balancer;

/**
 * What one machine, or one node of it, asks of a pool of memory; bytes.
 *
 * @param minimum it gets in any case
 * @param demand what its programs need, between minimum and maximum
 * @param want demand and buffer, between minimum and maximum
 * @param maximum it gets at most
 * @param weight 0 to 10,000; more for a part of a machine than for a smaller part
 * @param assigned what it has now
 */
public record Claim(long minimum, long demand, long want, long maximum, double weight, long assigned) {
    /** Checks the order: minimum ≤ demand ≤ want ≤ maximum. */
    public Claim {
        if (minimum < 0 || demand < minimum || want < demand || maximum < want || !(weight >= 0) || assigned < 0) {
            throw new IllegalArgumentException("claim: minimum " + minimum + ", demand " + demand + ", want " + want
                    + ", maximum " + maximum + ", weight " + weight + ", assigned " + assigned);
        }
    }
}
