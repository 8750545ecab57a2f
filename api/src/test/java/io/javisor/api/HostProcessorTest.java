package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.kvm.CpuidEntry;
import java.util.List;
import org.junit.jupiter.api.Test;

class HostProcessorTest {
    private static final CpuidEntry MAX = new CpuidEntry(0x80000000, 0, 0, 0x8000000A, 1, 2, 3);
    private static final CpuidEntry NO_BRAND = new CpuidEntry(0x80000002, 0, 0, 0, 0, 0, 0);
    private static final CpuidEntry POWER = new CpuidEntry(0x80000007, 0, 0, 4, 5, 6, 0x10);

    @Test
    void theGuestSeesTheBrand() {
        assertThat(new HostProcessor("AMD EPYC 9654").complete(List.of(MAX, NO_BRAND, POWER)))
                .containsExactly(
                        MAX,
                        new CpuidEntry(0x80000002, 0, 0, 0x20444D41, 0x43595045, 0x35363920, 0x34),
                        POWER,
                        new CpuidEntry(0x80000003, 0, 0, 0, 0, 0, 0),
                        new CpuidEntry(0x80000004, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void aTranslatedProcessorHasAConstantCounterAndDoesNotSpeculate() {
        assertThat(new HostProcessor("QEMU TCG CPU version 2.5+").complete(List.of(MAX, NO_BRAND, POWER)))
                .contains(
                        new CpuidEntry(0x80000000, 0, 0, 0x80000021, 1, 2, 3),
                        new CpuidEntry(0x80000007, 0, 0, 4, 5, 6, 0x110),
                        new CpuidEntry(0x80000021, 0, 0, 1 << 29, 0, 0, 0));
    }

    @Test
    void theBrandOfThisHostIsRead() {
        assertThat(HostProcessor.here().brand()).isNotEmpty();
    }
}
