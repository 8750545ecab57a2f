package io.javisor.jmh.race;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** A reader that asks for signals again while a writer publishes: either is told of the other. */
@JCStressTest
@Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "The writer signals.")
@Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "The reader looks again.")
@Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "Both: one signal too many.")
@Outcome(id = "false, false", expect = Expect.FORBIDDEN, desc = "A lost signal.")
@State
public class SignalRace {
    private final RaceRing ring = new RaceRing();

    /** A reader that has masked signals. */
    public SignalRace() {
        ring.in.mask();
    }

    /** Publishes the first packet. */
    @Actor
    public void writer(ZZ_Result r) {
        ring.write(1);
        r.r1 = ring.out.publish();
    }

    /** Has read all there was. */
    @Actor
    public void reader(ZZ_Result r) {
        r.r2 = ring.in.unmask();
    }
}
