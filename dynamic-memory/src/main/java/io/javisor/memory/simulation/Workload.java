package io.javisor.memory.simulation;

/**
 * Kinds of synthetic demand; not recorded from anything, but drawn from a seed. Each gives a machine's demand as a part of its
 * maximum, second by second of a day.
 */
public enum Workload implements Demand {
    /** People at work: low at night, high by day, with a dip at noon; everybody a little different. */
    OFFICE {
        @Override
        public double demand(int second, Nature c) {
            double hour = second / 3600.0 + c.shift();
            double day = Math.exp(-Math.pow((hour - 10.5) / 2, 2)) + Math.exp(-Math.pow((hour - 15.5) / 2.2, 2));
            return c.low() + (c.high() - c.low()) * Math.min(1, day) + c.noise(second, 30) * 0.03;
        }
    },
    /** Jobs: nothing, then much at once for some minutes, at times of their own. */
    BATCH {
        @Override
        public double demand(int second, Nature c) {
            int period = 1800 + (int) (c.random(0) * 5400);
            int phase = (second + (int) (c.random(1) * period)) % period;
            double busy = 0.1 + 0.3 * c.random(2 + (second + (int) (c.random(1) * period)) / period);
            double ramp = Math.min(1, phase / 20.0);
            return phase < period * busy ? c.low() + (c.high() - c.low()) * ramp : c.low();
        }
    },
    /** Services that grow until they are started anew, once in some hours. */
    LEAK {
        @Override
        public double demand(int second, Nature c) {
            int period = 3 * 3600 + (int) (c.random(0) * 5 * 3600);
            double age = (double) ((second + (int) (c.random(1) * period)) % period) / period;
            return c.low() + (c.high() - c.low()) * age + c.noise(second, 60) * 0.02;
        }
    },
    /** Up and down from second to second about a level: what must not make memory go to and fro. */
    JITTER {
        @Override
        public double demand(int second, Nature c) {
            return (c.low() + c.high()) / 2 + c.noise(second, 5) * 0.05;
        }
    };

    @Override
    public String source() {
        return "synthetic";
    }
}
