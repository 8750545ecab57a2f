package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.storage.disk.IoLimits;
import org.junit.jupiter.api.Test;

/** Limits, by a clock that the test moves. */
class PaceTest {
    private static final long SECOND = 1_000_000_000;

    /** How many requests may start within a time if each is sent as soon as the one before may start. */
    private static long within(Pace pace, long bytes, long from, long nanos) {
        long now = from;
        long started = 0;
        while (true) {
            now += pace.take(bytes, now);
            if (now >= from + nanos) {
                return started;
            }
            started++;
        }
    }

    @Test
    void requestsOfUpTo8KibCountOnce() {
        var limits = new IoLimits(1000, 0);
        assertThat(within(new Pace(limits), 512, 0, 10 * SECOND)).isBetween(9_990L, 10_110L);
        assertThat(within(new Pace(limits), 8192, 0, 10 * SECOND)).isBetween(9_990L, 10_110L);
    }

    @Test
    void largerRequestsCountByTheir8Kib() {
        var limits = new IoLimits(1000, 0);
        assertThat(within(new Pace(limits), 8193, 0, 10 * SECOND)).isBetween(4_990L, 5_060L);
        assertThat(within(new Pace(limits), 1 << 20, 0, 10 * SECOND)).isBetween(77L, 80L);
    }

    @Test
    void bandwidthIsBytesASecond() {
        var limits = new IoLimits(0, 10 << 20);
        assertThat(within(new Pace(limits), 1 << 20, 0, 10 * SECOND)).isBetween(99L, 102L);
        assertThat(within(new Pace(limits), 4096, 0, 10 * SECOND)).isBetween(25_590L, 25_900L);
    }

    @Test
    void bothLimitsHold() {
        var pace = new Pace(new IoLimits(100, 1 << 20));
        assertThat(within(pace, 512, 0, 10 * SECOND)).isBetween(999L, 1_011L);
        assertThat(within(new Pace(new IoLimits(100, 1 << 20)), 64 << 10, 0, 10 * SECOND))
                .isBetween(124L, 127L); // 100 × 8 KiB < 1 MiB
    }

    @Test
    void anIdleDiskSavesUpATenthOfASecondAndNoMore() {
        var pace = new Pace(new IoLimits(1000, 0));
        int burst = 0;
        while (pace.take(512, 50 * SECOND) == 0) {
            burst++;
        }
        assertThat(burst).isBetween(99, 101);
        burst = 0;
        while (pace.take(512, 1000 * SECOND) == 0) {
            burst++;
        }
        assertThat(burst).isBetween(99, 101);
    }

    @Test
    void requestsThatComeTogetherWaitOneAfterTheOther() {
        var pace = new Pace(new IoLimits(10, 0));
        long last = -1;
        for (int i = 0; i < 50; i++) {
            long wait = pace.take(512, 0);
            assertThat(wait).isGreaterThanOrEqualTo(last);
            last = wait;
        }
        assertThat(last).isBetween((49 - 1) * SECOND / 10, 50 * SECOND / 10);
    }

    @Test
    void withoutLimitsNothingWaits() {
        assertThat(new Pace(IoLimits.NONE).take(Long.MAX_VALUE, 0)).isZero();
    }

    @Test
    void refusesLimitsThatCannotBe() {
        assertThatThrownBy(() -> new IoLimits(-1, 0)).hasMessageContaining("iops is -1");
        assertThatThrownBy(() -> new IoLimits(10_000_001, 0)).hasMessageContaining("10000000");
        assertThatThrownBy(() -> new IoLimits(100, 0, 101))
                .hasMessageContaining("minimum iops is 101; 1 to the limit of 100");
        assertThatThrownBy(() -> new IoLimits(0, 0, -1)).hasMessageContaining("minimum iops is -1");
        assertThatThrownBy(() -> new IoLimits(0, 4095)).hasMessageContaining("bandwidth is 4095");
    }
}
