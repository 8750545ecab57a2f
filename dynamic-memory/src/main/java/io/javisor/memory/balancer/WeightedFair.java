package io.javisor.memory.balancer;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToLongFunction;

/** Weighted max–min fairness in two tiers: demands, then buffers. Pure. */
final class WeightedFair {
    /** So that a claim of weight 0 gets something where others need it least. */
    private static final double LEAST_WEIGHT = 1;

    private WeightedFair() {}

    static long[] divide(long capacity, List<Claim> claims) {
        long[] result = claims.stream().mapToLong(Claim::minimum).toArray();
        long left = capacity - Arrays.stream(result).sum();
        left = fill(result, left, claims, Claim::demand);
        fill(result, left, claims, Claim::want);
        return result;
    }

    /**
     * Raises all to a goal as far as there is enough: each by its weight times a level that is the same for all, and no further
     * than its goal. The claims that are full at the lowest level are filled first, so one pass in that order is enough.
     */
    private static long fill(long[] result, long capacity, List<Claim> claims, ToLongFunction<Claim> goal) {
        int n = claims.size();
        long[] need = new long[n];
        double[] weight = new double[n];
        double[] full = new double[n]; // level at which it is full
        Integer[] order = new Integer[n];
        double weights = 0;
        double needs = 0;
        for (int i = 0; i < n; i++) {
            need[i] = Math.max(0, goal.applyAsLong(claims.get(i)) - result[i]);
            weight[i] = Math.max(LEAST_WEIGHT, claims.get(i).weight());
            full[i] = need[i] / weight[i];
            weights += weight[i];
            needs += need[i];
            order[i] = i;
        }
        if (needs <= capacity) {
            for (int i = 0; i < n; i++) {
                result[i] += need[i];
            }
            return capacity - (long) needs;
        }
        Arrays.sort(order, (a, b) -> Double.compare(full[a], full[b]));
        long left = Math.max(0, capacity);
        for (int i : order) {
            long share = Math.min(need[i], (long) (left * (weight[i] / weights)));
            result[i] += share;
            left -= share;
            weights -= weight[i];
        }
        return left;
    }
}
