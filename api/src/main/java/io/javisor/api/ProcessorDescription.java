package io.javisor.api;

import io.javisor.kvm.CpuidEntry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A machine's processors, as its guest knows them.
 *
 * @param cpu what was asked for
 * @param vendor as CPUID gives it, {@code "GenuineIntel"}
 * @param brand as in the guest's {@code /proc/cpuinfo}; empty if it has none
 * @param family display family (Intel SDM volume 2, CPUID, leaf 1)
 * @param model display model
 * @param stepping its revision
 * @param tscKhz frequency of the time stamp counter in kHz; 0 if the host's KVM does not say
 */
public record ProcessorDescription(
        CpuSpec cpu, String vendor, String brand, int family, int model, int stepping, int tscKhz) {
    private static final int BRAND = 0x8000_0002;

    static ProcessorDescription of(CpuSpec cpu, List<CpuidEntry> leaves, int tscKhz) {
        CpuidEntry zero = leaf(leaves, 0);
        int signature = leaf(leaves, 1).eax();
        int family = signature >> 8 & 0xF;
        int model = signature >> 4 & 0xF;
        if (family == 6 || family == 15) {
            model |= (signature >> 16 & 0xF) << 4;
        }
        if (family == 15) {
            family += signature >> 20 & 0xFF;
        }
        ByteBuffer brand = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 3; i++) {
            CpuidEntry part = leaf(leaves, BRAND + i);
            brand.putInt(part.eax()).putInt(part.ebx()).putInt(part.ecx()).putInt(part.edx());
        }
        ByteBuffer vendor = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        vendor.putInt(zero.ebx()).putInt(zero.edx()).putInt(zero.ecx());
        return new ProcessorDescription(cpu, text(vendor), text(brand), family, model, signature & 0xF, tscKhz);
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.ISO_8859_1
                .decode(bytes.clear())
                .toString()
                .replace("\0", "")
                .strip();
    }

    private static CpuidEntry leaf(List<CpuidEntry> leaves, int function) {
        return leaves.stream()
                .filter(l -> l.function() == function)
                .findFirst()
                .orElse(new CpuidEntry(function, 0, 0, 0, 0, 0, 0));
    }
}
