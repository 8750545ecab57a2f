package io.javisor.jmh.race;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A packet is written over the place of one that is being read: the reader's copy is of the old one, and whole. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "No room yet.")
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "Written after the reader gave the place back.")
@Outcome(expect = Expect.FORBIDDEN, desc = "A packet that changed while it was read.")
@State
public class ReuseRace {
    private final RaceRing ring = new RaceRing();

    /** A full ring whose first packet is number 1. */
    public ReuseRace() {
        ring.fill();
    }

    /** Writes where the first packet was, as soon as that is allowed. */
    @Actor
    public void writer(II_Result r) {
        r.r2 = ring.write(77) ? 1 : 0;
    }

    /** Reads the first packet and gives its place back. */
    @Actor
    public void reader(II_Result r) {
        r.r1 = ring.read();
        ring.in.commit();
    }
}
