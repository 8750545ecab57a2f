package io.javisor.lab.guest;

import static io.javisor.api.MemorySize.mib;

import io.javisor.lab.junit.LabTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Need that comes and goes ten times leaves nothing behind. */
@LabTest(guests = "6.12-cloud", memory = "2560M", timeout = 1_500)
@Tag("long")
class MemoryWavesTest {
    @Test
    void tenWavesWithoutDrift() throws Exception {
        MemoryWaves.run("6.12-cloud", 10, mib(384));
    }
}
