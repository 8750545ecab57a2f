package io.javisor.vmbus.service;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;

/** Answers of a guest to freeze and thaw. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class BackupFuzzTest {
    @FuzzTest(maxDuration = "5m")
    void answers(byte[] data) {
        byte[] freeze = new byte[12];
        freeze[0] = 5;
        byte[] thaw = new byte[12];
        thaw[0] = 6;
        ServiceFuzz.run(
                data,
                new BackupService(),
                s -> List.<CompletableFuture<?>>of(
                        s.ask(freeze, Duration.ofMinutes(1)), s.tell(thaw, Duration.ofMinutes(1))));
    }
}
