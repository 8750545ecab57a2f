package io.javisor.partition.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.topology.AddressSpacePlan.Affinity;
import io.javisor.partition.topology.AddressSpacePlan.Kind;
import io.javisor.partition.topology.AddressSpacePlan.Range;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AddressSpacePlanTest {
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;
    private static final long TIB = 1L << 40;

    @Test
    void smallMachineIsOneRange() {
        var plan = AddressSpacePlan.builder().node(512 * MIB).build();
        assertThat(plan.bootMemory()).containsExactly(new Range(Kind.BOOT_MEMORY, 0, 512 * MIB, 0, 0));
        assertThat(plan.ranges(Kind.VMBUS_MMIO))
                .containsExactly(new Range(Kind.VMBUS_MMIO, 0xF8000000L, 64 * MIB, -1, 0));
        assertThat(plan.affinities()).containsExactly(new Affinity(0, 0, 512 * MIB));
    }

    @Test
    void memoryThatStraddlesTheHoleIsSplit() {
        var plan = AddressSpacePlan.builder().node(2 * GIB).node(2 * GIB).build();
        assertThat(plan.bootMemory())
                .containsExactly(
                        new Range(Kind.BOOT_MEMORY, 0, 2 * GIB, 0, 0),
                        new Range(Kind.BOOT_MEMORY, 2 * GIB, GIB, 1, 0),
                        new Range(Kind.BOOT_MEMORY, 4 * GIB, GIB, 1, GIB));
        assertThat(plan.endOfBootMemory()).isEqualTo(5 * GIB);
        assertThat(plan.endOfLowMemory()).isEqualTo(3 * GIB);
        assertThat(plan.backingBytes(1)).isEqualTo(2 * GIB);
    }

    @Test
    void smallGrowingMachineStaysBelowTheHole() {
        var plan = AddressSpacePlan.builder().node(512 * MIB, 1024 * MIB).build();
        assertThat(plan.ranges(Kind.BOOT_MEMORY))
                .containsExactly(
                        new Range(Kind.BOOT_MEMORY, 0, 384 * MIB, 0, 0),
                        new Range(Kind.BOOT_MEMORY, 1408 * MIB, 128 * MIB, 0, 384 * MIB));
        assertThat(plan.growthWindows())
                .containsExactly(new Range(Kind.GROWTH_WINDOW, 384 * MIB, 1024 * MIB, 0, 512 * MIB));
        assertThat(plan.affinities()).containsExactly(new Affinity(0, 0, 1536 * MIB));
    }

    @Test
    void largeGrowthOfTheFirstNodeGoesAboveTheHoleWithItsTail() {
        var plan = AddressSpacePlan.builder()
                .node(GIB, 16 * GIB)
                .node(GIB, 8 * GIB)
                .build();
        assertThat(plan.affinities())
                .containsExactly(
                        new Affinity(0, 0, GIB - 128 * MIB),
                        new Affinity(0, 4 * GIB, 16 * GIB + 128 * MIB),
                        new Affinity(1, 20 * GIB + 128 * MIB, 9 * GIB));
    }

    @Test
    void twelveTebibytesOverSixtyFourNodes() {
        var builder = AddressSpacePlan.builder().addressBits(46);
        for (int i = 0; i < 64; i++) {
            builder.node(192 * GIB);
        }
        var plan = builder.build();
        assertThat(plan.bootBytes()).isEqualTo(12 * TIB);
        assertThat(plan.endOfBootMemory()).isEqualTo(12 * TIB + GIB);
    }

    @Test
    void tooMuchMemoryNamesTheNodeAndTheWidth() {
        var builder = AddressSpacePlan.builder().addressBits(40).node(512 * GIB).node(512 * GIB);
        assertThatThrownBy(builder::build)
                .isInstanceOf(AddressSpaceException.class)
                .hasMessageContaining("node 1")
                .hasMessageContaining("40 bits");
        assertThat(builder.addressBits(41).build().bootBytes()).isEqualTo(TIB);
    }

    @Test
    void hugeNumbersDoNotWrapAround() {
        long most = Long.MAX_VALUE & -(2 * MIB);
        assertThatThrownBy(
                        () -> AddressSpacePlan.builder().node(most).node(most).build())
                .isInstanceOf(AddressSpaceException.class);
        long growth = Long.MAX_VALUE & -(128 * MIB);
        assertThatThrownBy(() -> AddressSpacePlan.builder()
                        .node(GIB, growth)
                        .node(GIB, growth)
                        .addressBits(52)
                        .build())
                .isInstanceOf(AddressSpaceException.class);
        assertThatThrownBy(() ->
                        AddressSpacePlan.builder().node(GIB).highVmbusMmio(most).build())
                .isInstanceOf(AddressSpaceException.class);
    }

    @Test
    void badValuesAreRefused() {
        assertThatThrownBy(() -> AddressSpacePlan.builder().node(MIB)).hasMessageContaining("2 MiB");
        assertThatThrownBy(() -> AddressSpacePlan.builder().node(-2 * MIB)).hasMessageContaining("2 MiB");
        assertThatThrownBy(() -> AddressSpacePlan.builder().node(0, GIB)).hasMessageContaining("can't grow");
        assertThatThrownBy(() -> AddressSpacePlan.builder().node(GIB, MIB).build())
                .hasMessageContaining("multiple of the alignment");
        assertThatThrownBy(() -> AddressSpacePlan.builder().node(2 * MIB, GIB).build())
                .hasMessageContaining("too few");
        assertThatThrownBy(() -> AddressSpacePlan.builder().node(0).build()).hasMessageContaining("no node");
        assertThatThrownBy(() -> AddressSpacePlan.builder().growthAlignment(64 * MIB))
                .hasMessageContaining("128 MiB");
        assertThatThrownBy(() -> AddressSpacePlan.builder().addressBits(53)).hasMessageContaining("33 to 52");
    }

    @Test
    void tenThousandRandomMachines() {
        for (int seed = 0; seed < 10_000; seed++) {
            checkRandomMachine(seed);
        }
    }

    private static void checkRandomMachine(int seed) {
        var random = new Random(seed);
        long growthAlignment = (128 * MIB) << random.nextInt(5);
        long nodeAlignment = random.nextInt(4) == 0 ? GIB : 2 * MIB;
        var builder = AddressSpacePlan.builder()
                .addressBits(52)
                .growthAlignment(growthAlignment)
                .nodeAlignment(nodeAlignment)
                .vmbusMmio(random.nextInt(65) * MIB);
        int nodes = 1 + random.nextInt(8);
        long[] boot = new long[nodes];
        long[] growth = new long[nodes];
        for (int n = 0; n < nodes; n++) {
            boolean memory = n == 0 || random.nextInt(5) > 0;
            int scale = random.nextInt(12);
            boot[n] = memory ? 2 * MIB * (1 + random.nextInt(1 << scale)) : 0;
            if (nodeAlignment == GIB) {
                boot[n] *= 512;
            }
            boolean grows = boot[n] > 2 * nodeAlignment && random.nextBoolean();
            growth[n] = grows ? growthAlignment * (1 + random.nextInt(20)) : 0;
            builder.node(boot[n], growth[n]);
        }
        AddressSpacePlan plan = builder.build();
        String what = "seed " + seed;

        long end = 0;
        for (Range r : plan.ranges()) {
            assertThat(r.gpa()).as(what).isGreaterThanOrEqualTo(end);
            assertThat(r.length()).as(what).isPositive();
            boolean memory = r.kind() == Kind.BOOT_MEMORY || r.kind() == Kind.GROWTH_WINDOW;
            if (memory) {
                assertThat(r.end() <= 3 * GIB || r.gpa() >= 4 * GIB).as(what).isTrue();
                // Host pages of the node's alignment can back the range: address and offset agree modulo that size.
                if (r.kind() == Kind.BOOT_MEMORY) {
                    assertThat((r.gpa() - r.backingOffset()) % nodeAlignment)
                            .as(what)
                            .isZero();
                }
                assertThat((r.gpa() - r.backingOffset()) % (2 * MIB)).as(what).isZero();
            }
            end = r.end();
        }
        for (int n = 0; n < nodes; n++) {
            int node = n;
            assertThat(plan.bootBytes(n)).as(what).isEqualTo(boot[n]);
            List<Range> own =
                    plan.ranges().stream().filter(r -> r.node() == node).toList();
            assertThat(own.stream().mapToLong(Range::length).sum()).as(what).isEqualTo(boot[n] + growth[n]);
            checkBackingIsFilled(own, what);
            for (Range window :
                    own.stream().filter(r -> r.kind() == Kind.GROWTH_WINDOW).toList()) {
                assertThat(window.gpa() % growthAlignment).as(what).isZero();
                assertThat(window.length() % growthAlignment).as(what).isZero();
                assertThat(window.end()).as(what).isLessThan(plan.endOfBootMemory());
                // The guest knows the window's node by boot memory in the same SRAT entry.
                assertThat(plan.affinities())
                        .as(what)
                        .anyMatch(a -> a.node() == node
                                && a.gpa() <= window.gpa()
                                && a.end() > window.end()
                                && plan.bootMemory().stream()
                                        .anyMatch(b -> b.node() == node && b.gpa() >= a.gpa() && b.end() <= a.end()));
            }
        }
        long last = 0;
        for (Affinity a : plan.affinities()) {
            assertThat(a.gpa()).as(what).isGreaterThanOrEqualTo(last);
            last = a.end();
            for (Range r : plan.ranges()) {
                if (r.gpa() < a.end() && a.gpa() < r.end()) {
                    assertThat(r.node()).as(what + ": " + r + " in " + a).isEqualTo(a.node());
                }
            }
        }
    }

    private static void checkBackingIsFilled(List<Range> own, String what) {
        long at = 0;
        for (Range r : own.stream()
                .sorted(Comparator.comparingLong(Range::backingOffset))
                .toList()) {
            assertThat(r.backingOffset()).as(what).isGreaterThanOrEqualTo(at);
            if (r.kind() == Kind.BOOT_MEMORY) {
                assertThat(r.backingOffset()).as(what).isEqualTo(at);
            }
            at = r.backingOffset() + r.length();
        }
    }
}
