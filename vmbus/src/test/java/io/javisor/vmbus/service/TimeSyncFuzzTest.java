package io.javisor.vmbus.service;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.vmbus.guest.MemorySynIc;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** Answers of a guest to time samples. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class TimeSyncFuzzTest {
    private static final MemorySynIc SYNIC = new MemorySynIc(1, () -> 0);

    @FuzzTest(maxDuration = "5m")
    void answers(byte[] data) {
        ServiceFuzz.run(
                data, new TimeSyncService(SYNIC, InstantSource.fixed(Instant.EPOCH)), s -> List.of(s.synchronize()));
    }
}
