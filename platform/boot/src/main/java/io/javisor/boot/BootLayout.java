package io.javisor.boot;

import java.util.List;
import java.util.OptionalLong;

/**
 * What was written where, and how vCPU 0 begins.
 *
 * @param entry registers of vCPU 0
 * @param kernelAddress where the kernel was put
 * @param kernelLength bytes that the kernel needs there until it has set itself up
 * @param initrdAddress where the initramfs was put, if there is one
 * @param acpiAddress where the ACPI tables were put
 * @param acpiLength how many bytes they take
 * @param memoryMap the e820 map that the guest was given
 */
public record BootLayout(
        BootEntry entry,
        long kernelAddress,
        long kernelLength,
        OptionalLong initrdAddress,
        long acpiAddress,
        int acpiLength,
        List<E820Entry> memoryMap) {
    /** Copies the map. */
    public BootLayout {
        memoryMap = List.copyOf(memoryMap);
    }
}
