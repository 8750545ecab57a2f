package io.javisor.vmbus.service;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** Answers of a guest to key/value questions. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class KeyValueFuzzTest {
    @FuzzTest(maxDuration = "5m")
    void answers(byte[] data) {
        ServiceFuzz.run(
                data,
                new KeyValueService(),
                s -> List.of(
                        s.enumerate(KeyValueService.Pool.GUEST),
                        s.get(KeyValueService.Pool.INTRINSIC, "OSName"),
                        s.set("key", "value"),
                        s.delete("key")));
    }
}
