package io.javisor.jmh.race;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** A writer that waits for room in a full ring while the reader makes some: either is told of the other. */
@JCStressTest
@Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "The writer finds room.")
@Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "The reader signals.")
@Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "Both: one signal too many.")
@Outcome(id = "false, false", expect = Expect.FORBIDDEN, desc = "A writer that waits for ever.")
@State
public class RoomRace {
    private final RaceRing ring = new RaceRing();

    /** A full ring, of which the reader has read a packet and not yet said so. */
    public RoomRace() {
        ring.fill();
        ring.read();
    }

    /** Asks to be told of room. */
    @Actor
    public void writer(ZZ_Result r) {
        r.r1 = ring.out.awaitRoom(RaceRing.packetBytes());
    }

    /** Gives room back. */
    @Actor
    public void reader(ZZ_Result r) {
        r.r2 = ring.in.commit();
    }
}
