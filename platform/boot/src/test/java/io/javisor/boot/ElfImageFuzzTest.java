package io.javisor.boot;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.javisor.partition.topology.AddressSpacePlan;
import org.junit.jupiter.api.Tag;

/** Any ELF and program headers before 12 KiB of segments, or any file. Run it by itself: one target fuzzes per JVM. */
@Tag("fuzz")
class ElfImageFuzzTest {
    private static final AddressSpacePlan PLAN = AddressSpacePlan.single(32L << 20);
    private static final TestMemory MEMORY = new TestMemory(PLAN);

    @FuzzTest(maxDuration = "5m")
    void headers(byte[] data) {
        if (data.length > 0 && data[0] < 0) {
            KernelFuzz.tryLoad(data, PLAN, MEMORY.memory);
            return;
        }
        byte[] file = Kernels.elf();
        // Bytes of the input flip bits of the headers behind the magic, so that an input of zeroes is a good kernel.
        for (int i = 0; i < data.length && i < 0x400; i++) {
            file[4 + i] ^= data[i];
        }
        KernelFuzz.tryLoad(file, PLAN, MEMORY.memory);
    }
}
