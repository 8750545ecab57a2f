package io.javisor.vmbus.service;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** Answers of a guest to shutdown requests. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class ShutdownFuzzTest {
    @FuzzTest(maxDuration = "5m")
    void answers(byte[] data) {
        ServiceFuzz.run(
                data,
                new ShutdownService(),
                s -> List.of(s.request(ShutdownService.Kind.SHUTDOWN, true, "", Duration.ofSeconds(1))));
    }
}
