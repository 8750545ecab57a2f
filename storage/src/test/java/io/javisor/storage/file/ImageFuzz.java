package io.javisor.storage.file;

import com.code_intelligence.jazzer.junit.FuzzTest;
import org.junit.jupiter.api.Tag;

/** Coverage-guided damage. One target at a time: {@code -Dtest.groups=fuzz -Dtest=ImageFuzz#vhdx}. */
@Tag("fuzz")
class ImageFuzz {
    private static final Hostile VHDX = Hostile.vhdx();
    private static final Hostile VHD = Hostile.vhd();

    @FuzzTest(maxDuration = "5m")
    void vhdx(byte[] input) {
        VHDX.attack(input);
    }

    @FuzzTest(maxDuration = "5m")
    void vhd(byte[] input) {
        VHD.attack(input);
    }
}
