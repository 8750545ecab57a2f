package io.javisor.numa.cpuid;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Whose way of describing topology a processor follows. */
public enum CpuVendor {
    /** Intel's: leaves 4, 0xB and 0x1F. Centaur and Zhaoxin follow it. */
    INTEL,
    /** AMD's: leaves 0xB, 0x80000008, 0x8000001D and 0x8000001E. Hygon follows it. */
    AMD;

    /** The vendor that leaf 0 names. */
    public static CpuVendor of(List<CpuidLeaf> leaves) {
        return leaves.stream()
                .filter(l -> l.function() == 0)
                .findFirst()
                .map(CpuVendor::name)
                .filter(n -> n.equals("AuthenticAMD") || n.equals("HygonGenuine"))
                .map(n -> AMD)
                .orElse(INTEL);
    }

    private static String name(CpuidLeaf zero) {
        ByteBuffer text = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        text.putInt(zero.ebx()).putInt(zero.edx()).putInt(zero.ecx());
        return new String(text.array(), StandardCharsets.US_ASCII);
    }
}
