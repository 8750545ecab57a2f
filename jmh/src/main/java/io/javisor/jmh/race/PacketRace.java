package io.javisor.jmh.race;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Two packets are published together while the reader reads: it sees both or none, whole and in order. */
@JCStressTest
@Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "Too early.")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "Published between the two looks.")
@Outcome(id = "1, 2", expect = Expect.ACCEPTABLE, desc = "Both.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Part of a packet, or of a batch.")
@State
public class PacketRace {
    private final RaceRing ring = new RaceRing();

    /** Publishes two. */
    @Actor
    public void writer() {
        ring.write(1);
        ring.write(2);
        ring.out.publish();
    }

    /** Reads what is there. */
    @Actor
    public void reader(II_Result r) {
        r.r1 = ring.read();
        r.r2 = ring.read();
    }
}
