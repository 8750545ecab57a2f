package io.javisor.vmbus.service;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** Answers of a guest to heartbeats. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class HeartbeatFuzzTest {
    @FuzzTest(maxDuration = "5m")
    void answers(byte[] data) {
        ServiceFuzz.run(data, new HeartbeatService(state -> {}), s -> List.of());
    }
}
