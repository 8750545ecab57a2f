package io.javisor.boot.image;

import com.code_intelligence.jazzer.junit.FuzzTest;
import org.junit.jupiter.api.Tag;

/** Any bytes as a kernel module: information, or an {@link ImageException}. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class ModuleInfoFuzzTest {
    @FuzzTest(maxDuration = "40s")
    void module(byte[] data) {
        try {
            ModuleInfo.parse("fuzz.ko", data);
        } catch (ImageException e) {
            // refused, as it should be
        }
    }
}
