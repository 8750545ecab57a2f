package io.javisor.memory.balancer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BalancerTest {
    private static final long MIB = 1 << 20;
    private static final long GIB = 1 << 30;

    private static Claim claim(long minimum, long demand, long want, long maximum, int weight) {
        return new Claim(minimum * MIB, demand * MIB, want * MIB, maximum * MIB, weight, minimum * MIB);
    }

    private static List<Long> divide(long capacity, Claim... claims) {
        return Arrays.stream(BalancingPolicy.weightedFair().divide(capacity * MIB, List.of(claims)))
                .mapToObj(b -> b / MIB)
                .toList();
    }

    private static MachineClaim machine(long id, long assigned, long demand, int weight) {
        return new MachineClaim(
                id,
                256 * MIB,
                4 * GIB,
                20,
                weight,
                demand * MIB,
                assigned * MIB,
                List.of(new MachineClaim.Node(0, 4 * GIB, assigned * MIB)));
    }

    @Test
    void whileThereIsEnoughAllGetWhatTheyWant() {
        assertThat(divide(1000, claim(100, 200, 240, 900, 1), claim(100, 600, 720, 900, 9)))
                .containsExactly(240L, 720L);
    }

    @Test
    void demandsComeBeforeBuffers() {
        assertThat(divide(800, claim(100, 200, 240, 900, 1), claim(100, 600, 720, 900, 10_000)))
                .containsExactly(200L, 600L);
    }

    @Test
    void aShortHostIsDividedByWeightAboveTheMinimum() {
        assertThat(divide(
                        900,
                        claim(100, 800, 900, 900, 1000),
                        claim(100, 800, 900, 900, 2000),
                        claim(100, 800, 900, 900, 3000)))
                .containsExactly(200L, 300L, 400L);
        assertThat(divide(
                        200,
                        claim(100, 800, 900, 900, 1000),
                        claim(100, 800, 900, 900, 2000),
                        claim(100, 800, 900, 900, 3000)))
                .as("none below its minimum, even so")
                .containsExactly(100L, 100L, 100L);
    }

    @Test
    void whatOneDoesNotNeedGoesToTheOthers() {
        assertThat(divide(
                        1000,
                        claim(100, 150, 150, 900, 9000),
                        claim(100, 900, 900, 900, 1000),
                        claim(100, 900, 900, 900, 1000)))
                .containsExactly(150L, 425L, 425L);
    }

    @Test
    void noWeightGetsLeastButNotNothing() {
        List<Long> got = divide(1000, claim(100, 900, 900, 900, 0), claim(100, 900, 900, 900, 10_000));
        assertThat(got.get(0)).isBetween(100L, 110L);
        assertThat(divide(1500, claim(100, 900, 900, 900, 0), claim(100, 900, 900, 900, 10_000))
                        .get(0))
                .isBetween(590L, 600L);
    }

    @Test
    void growthIsAtOnceAndShrinkingWaits() {
        var balancer = new Balancer(BalancingPolicy.weightedFair());
        long[] capacity = {16 * GIB};
        assertThat(balancer.round(capacity, List.of(machine(1, 512, 1000, 5000)))
                                .getFirst()
                                .bytes()
                        / MIB)
                .isEqualTo(1200);
        for (int round = 1; round < Balancer.STEADY_SECONDS; round++) {
            assertThat(balancer.round(capacity, List.of(machine(1, 1200, 300, 5000)))
                                    .getFirst()
                                    .bytes()
                            / MIB)
                    .as("round " + round)
                    .isEqualTo(1200);
        }
        assertThat(balancer.round(capacity, List.of(machine(1, 1200, 300, 5000)))
                                .getFirst()
                                .bytes()
                        / MIB)
                .as("a step of a quarter")
                .isEqualTo(900);
        assertThat(balancer.round(capacity, List.of(machine(1, 370, 300, 5000)))
                                .getFirst()
                                .bytes()
                        / MIB)
                .as("too little to be worth it")
                .isEqualTo(370);
    }

    @Test
    void whoseNeedRisesFastHasSecondsOfItAhead() {
        var balancer = new Balancer(BalancingPolicy.weightedFair());
        long[] capacity = {16 * GIB};
        balancer.round(capacity, List.of(machine(1, 256, 100, 5000)));
        assertThat(balancer.round(capacity, List.of(machine(1, 256, 150, 5000)))
                                .getFirst()
                                .bytes()
                        / MIB)
                .as("four seconds of 50 MiB")
                .isEqualTo(350);
        assertThat(balancer.round(capacity, List.of(machine(1, 350, 2000, 5000)))
                                .getFirst()
                                .bytes()
                        / MIB)
                .as("the percentage is more")
                .isEqualTo(2400);
        assertThat(new Balancer(BalancingPolicy.weightedFair())
                                .round(capacity, List.of(machine(1, 256, 200, 5000)))
                                .getFirst()
                                .bytes()
                        / MIB)
                .as("the first that is known of it is no rise")
                .isEqualTo(256);
    }

    /**
     * As Linux's hv_balloon behaves: it wants a floor that grows with the memory it has, a report comes a second later, and it
     * gives up 256 MiB a second. The least favourable are much memory and a need that is small beside the floor.
     */
    @Test
    void whatIsNoLongerNeededIsBackWithinAMinute() {
        for (long programs : new long[] {20, 60, 120, 250, 500}) {
            for (long from : new long[] {700, 1300, 3072, 4096}) {
                var balancer = new Balancer(BalancingPolicy.weightedFair());
                long[] capacity = {16 * GIB};
                for (int round = 0; round < 60; round++) {
                    // It grew a moment ago.
                    balancer.round(capacity, List.of(machine(1, from - 64, from * 10 / 12, 5000)));
                }
                long assigned = from;
                long reported = from * 10 / 12;
                int seconds = 0;
                while (assigned > 1.15 * Math.max(256, (programs + floor(assigned)) * 1.2)) {
                    MachineClaim claim = machine(1, assigned, reported, 5000);
                    reported = programs + floor(assigned);
                    long target =
                            balancer.round(capacity, List.of(claim)).getFirst().bytes() / MIB;
                    assertThat(target).isLessThanOrEqualTo(assigned);
                    assigned = Math.max(target, assigned - 256);
                    seconds++;
                    assertThat(seconds)
                            .as("from %d MiB to programs of %d MiB, at %d", from, programs, assigned)
                            .isLessThanOrEqualTo(45);
                }
            }
        }
    }

    /** compute_balloon_floor in Linux's hv_balloon.c: MiB that a guest of so many wants to keep. */
    private static long floor(long mib) {
        if (mib < 128) {
            return 8 + mib / 2;
        }
        if (mib < 512) {
            return 40 + mib / 4;
        }
        return mib < 2048 ? 104 + mib / 8 : 232 + mib / 16;
    }

    @Test
    void nothingIsPromisedTwice() {
        var random = new SplittableRandom(7);
        var balancer = new Balancer(BalancingPolicy.weightedFair());
        long capacity = 24 * GIB;
        long[] assigned = new long[20];
        Arrays.fill(assigned, 512);
        for (int round = 0; round < 2000; round++) {
            var claims = new ArrayList<MachineClaim>();
            for (int i = 0; i < assigned.length; i++) {
                claims.add(machine(i, assigned[i], random.nextInt(100, 3500), random.nextInt(10_001)));
            }
            List<Balancer.Target> targets = balancer.round(new long[] {capacity}, claims);
            long sum = 0;
            for (int i = 0; i < assigned.length; i++) {
                long target = targets.get(i).bytes() / MIB;
                assertThat(target).isBetween(256L, 4096L);
                // Who shall shrink may not; who may grow does.
                assigned[i] = target > assigned[i] || random.nextBoolean() ? target : assigned[i];
                sum += assigned[i];
            }
            assertThat(sum * MIB).isLessThanOrEqualTo(capacity);
        }
    }

    @Test
    void whatASlowGuestWasPromisedIsNotGivenToAnother() {
        var balancer = new Balancer(BalancingPolicy.weightedFair());
        long[] capacity = {2 * GIB};
        MachineClaim slow = machine(1, 512, 1000, 5000);
        long promised = balancer.round(capacity, List.of(slow)).getFirst().bytes();
        assertThat(promised / MIB).isEqualTo(1200);
        MachineClaim onItsWay = new MachineClaim(
                1,
                256 * MIB,
                4 * GIB,
                20,
                5000,
                1000 * MIB,
                512 * MIB,
                List.of(new MachineClaim.Node(0, 4 * GIB, 512 * MIB, promised)));
        List<Balancer.Target> next = balancer.round(capacity, List.of(onItsWay, machine(2, 512, 1000, 5000)));
        assertThat(next.get(0).bytes()).isLessThanOrEqualTo(promised);
        assertThat(promised + next.get(1).bytes()).isLessThanOrEqualTo(2 * GIB);
    }

    @Test
    void eachHostNodeIsDividedByItself() {
        var balancer = new Balancer(BalancingPolicy.weightedFair());
        MachineClaim both = new MachineClaim(
                1,
                512 * MIB,
                4 * GIB,
                20,
                5000,
                3 * GIB,
                512 * MIB,
                List.of(new MachineClaim.Node(0, 2 * GIB, 256 * MIB), new MachineClaim.Node(1, 2 * GIB, 256 * MIB)));
        List<Long> nodes = balancer.round(new long[] {GIB, 8 * GIB}, List.of(both))
                .getFirst()
                .nodes();
        assertThat(nodes.get(0)).as("the poor node").isEqualTo(GIB);
        assertThat(nodes.get(1)).as("the rich one").isEqualTo((long) (3 * GIB * 1.2 / 2) & -2 * MIB);
    }

    @Test
    void aMachineThatHasMoreThanItMayIsCharged() {
        var balancer = new Balancer(BalancingPolicy.weightedFair());
        MachineClaim stray = new MachineClaim(
                1, 256 * MIB, GIB, 20, 5000, 300 * MIB, 2 * GIB, List.of(new MachineClaim.Node(0, GIB, 512 * MIB)));
        MachineClaim other = machine(2, 512, 3000, 5000);
        Balancer.Target grown =
                balancer.round(new long[] {3 * GIB}, List.of(stray, other)).get(1);
        assertThat(grown.bytes()).as("no more than is really free").isEqualTo(GIB);
    }
}
