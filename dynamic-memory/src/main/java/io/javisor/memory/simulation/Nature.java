package io.javisor.memory.simulation;

import java.util.SplittableRandom;

/** What is one machine's own in a workload: drawn from its seed, and always the same for it. Immutable. */
public final class Nature {
    private final double low;
    private final double high;
    private final double shift;
    private final long seed;

    /** Draws a nature. */
    public Nature(long seed) {
        this.seed = seed;
        var random = new SplittableRandom(seed);
        low = 0.08 + 0.12 * random.nextDouble();
        high = 0.35 + 0.6 * random.nextDouble();
        shift = random.nextDouble() * 2 - 1;
    }

    /** Its demand when it has nothing to do: 0.08 to 0.2 of its maximum. */
    public double low() {
        return low;
    }

    /** Its demand when it has all to do: 0.35 to 0.95 of its maximum. */
    public double high() {
        return high;
    }

    /** Hours by which its day is later: −1 to 1. */
    public double shift() {
        return shift;
    }

    /** A number between 0 and 1 that is always the same for this machine and index. */
    public double random(long index) {
        long z = seed + 0x9E37_79B9_7F4A_7C15L * (index + 1); // SplitMix64
        z = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
        return ((z ^ z >>> 31) >>> 11) * 0x1p-53;
    }

    /** Smooth noise between −1 and 1, new every so many seconds. */
    public double noise(int second, int every) {
        double a = random(1000 + second / every);
        double b = random(1001 + second / every);
        double t = (double) (second % every) / every;
        return 2 * (a + (b - a) * t) - 1;
    }
}
