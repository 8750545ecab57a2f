package io.javisor.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Minimum requests a second, by a clock that the test sets. */
class MinimumWatchTest {
    private static final long MILLI = 1_000_000;

    private final List<Boolean> told = new ArrayList<>();
    private long now = 77;
    private final MinimumWatch watch = new MinimumWatch(100, () -> now, told::add);

    private void requests(int count, long bytes, long millisEach, long millisBetween) {
        for (int i = 0; i < count; i++) {
            watch.begin();
            now += millisEach * MILLI;
            watch.end(bytes);
            now += millisBetween * MILLI;
        }
    }

    @Test
    void aDiskThatIsSlowMissesItAndRecovers() {
        requests(100, 4096, 20, 0); // 50 a second
        assertThat(told).containsExactly(true);
        assertThat(watch.isBelow()).isTrue();
        assertThat(watch.misses()).isEqualTo(2);
        requests(400, 4096, 5, 0); // 200 a second
        assertThat(told).containsExactly(true, false);
        assertThat(watch.isBelow()).isFalse();
        assertThat(watch.misses()).isEqualTo(2);
    }

    @Test
    void largeRequestsCountAsManySmallOnes() {
        requests(100, 16384, 20, 0); // 50 a second, each as much as two
        assertThat(told).isEmpty();
        requests(100, 8192, 20, 0);
        assertThat(told).containsExactly(true);
    }

    @Test
    void aGuestThatAsksLittleGetsWhatItAsks() {
        requests(100, 4096, 5, 30); // 28 a second, and the disk idle for most of the time
        now += 10_000 * MILLI;
        assertThat(watch.isBelow()).isFalse();
        assertThat(told).isEmpty();
    }

    @Test
    void manyAtATimeAreOneBusyTime() {
        for (int round = 0; round < 30; round++) {
            for (int i = 0; i < 8; i++) {
                watch.begin();
            }
            now += 100 * MILLI;
            for (int i = 0; i < 8; i++) {
                watch.end(512);
            }
        }
        assertThat(told).as("80 a second").containsExactly(true);
    }

    @Test
    void aRequestThatHangsIsSeenByWhoLooks() {
        watch.begin();
        now += 3000 * MILLI;
        assertThat(watch.isBelow()).isTrue();
        assertThat(watch.misses()).isEqualTo(1);
        assertThat(told).containsExactly(true);
        watch.end(512);
        now += 5000 * MILLI;
        assertThat(watch.isBelow()).as("nobody asks any more").isFalse();
        assertThat(told).containsExactly(true, false);
    }

    @Test
    void whatFailsIsNotDone() {
        for (int i = 0; i < 300; i++) {
            watch.begin();
            now += 5 * MILLI;
            watch.end(i % 4 == 0 ? 512 : -1); // 200 a second, of which 50 are done
        }
        assertThat(told).containsExactly(true);
    }

    @Test
    void aDiskCountsMissesOverChangesOfItsMinimum() {
        var disk = new MeteredDisk(DiskImage.memory("m", 1 << 20, 512));
        disk.setMinimum(1, told::add);
        disk.read(0, IoMemory.of(new byte[512]));
        disk.setMinimum(0, told::add);
        disk.read(0, IoMemory.of(new byte[512]));
        assertThat(disk.statistics().belowMinimum()).isFalse();
        assertThat(disk.statistics().minimumMisses()).isZero();
        assertThat(disk.statistics().reads()).isEqualTo(2);
        disk.close();
    }
}
