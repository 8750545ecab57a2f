package io.javisor.memory.simulation;

import java.util.SplittableRandom;

/**
 * Kinds of synthetic demand; not recorded from anything, but drawn from a seed. Each gives a machine's demand as a part of its
 * maximum, second by second of a day.
 */
public enum Workload {
    /** People at work: low at night, high by day, with a dip at noon; everybody a little different. */
    OFFICE {
        @Override
        double demand(int second, Nature c) {
            double hour = second / 3600.0 + c.shift;
            double day = Math.exp(-Math.pow((hour - 10.5) / 2, 2)) + Math.exp(-Math.pow((hour - 15.5) / 2.2, 2));
            return c.low + (c.high - c.low) * Math.min(1, day) + c.noise(second, 30) * 0.03;
        }
    },
    /** Jobs: nothing, then much at once for some minutes, at times of their own. */
    BATCH {
        @Override
        double demand(int second, Nature c) {
            int period = 1800 + (int) (c.random(0) * 5400);
            int phase = (second + (int) (c.random(1) * period)) % period;
            double busy = 0.1 + 0.3 * c.random(2 + (second + (int) (c.random(1) * period)) / period);
            double ramp = Math.min(1, phase / 20.0);
            return phase < period * busy ? c.low + (c.high - c.low) * ramp : c.low;
        }
    },
    /** Services that grow until they are started anew, once in some hours. */
    LEAK {
        @Override
        double demand(int second, Nature c) {
            int period = 3 * 3600 + (int) (c.random(0) * 5 * 3600);
            double age = (double) ((second + (int) (c.random(1) * period)) % period) / period;
            return c.low + (c.high - c.low) * age + c.noise(second, 60) * 0.02;
        }
    },
    /** Up and down from second to second about a level: what must not make memory go to and fro. */
    JITTER {
        @Override
        double demand(int second, Nature c) {
            return (c.low + c.high) / 2 + c.noise(second, 5) * 0.05;
        }
    };

    /** What is one machine's own in a workload. */
    static final class Nature {
        final double low;
        final double high;
        final double shift;
        private final long seed;

        Nature(long seed) {
            this.seed = seed;
            var random = new SplittableRandom(seed);
            low = 0.08 + 0.12 * random.nextDouble();
            high = 0.35 + 0.6 * random.nextDouble();
            shift = random.nextDouble() * 2 - 1;
        }

        /** A number between 0 and 1 that is always the same for this machine and index. */
        double random(long index) {
            long z = seed + 0x9E37_79B9_7F4A_7C15L * (index + 1);
            z = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
            z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
            return ((z ^ z >>> 31) >>> 11) * 0x1p-53;
        }

        /** Smooth noise between −1 and 1, new every so many seconds. */
        double noise(int second, int every) {
            double a = random(1000 + second / every);
            double b = random(1001 + second / every);
            double t = (double) (second % every) / every;
            return 2 * (a + (b - a) * t) - 1;
        }
    }

    /** Demand as a part of the maximum; may lie outside 0 to 1. */
    abstract double demand(int second, Nature c);
}
