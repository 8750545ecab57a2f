package io.javisor.kvm.partition;

import io.javisor.kvm.CpuidEntry;
import java.util.List;

/**
 * A feature as CPUID tells of it (Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E).
 *
 * @param name as in the guest's {@code /proc/cpuinfo}
 * @param level the lowest level of the x86-64 psABI that has it
 * @param function leaf
 * @param register of the leaf
 * @param bit in the register
 */
record CpuFeature(String name, int level, int function, Register register, int bit) {
    static final int FEATURES = 1;
    static final int EXTENDED_FEATURES = 7;
    static final int AMD_FEATURES = 0x8000_0001;

    /** A register that CPUID answers in. */
    enum Register {
        EAX,
        EBX,
        ECX,
        EDX;

        int of(CpuidEntry leaf) {
            return switch (this) {
                case EAX -> leaf.eax();
                case EBX -> leaf.ebx();
                case ECX -> leaf.ecx();
                case EDX -> leaf.edx();
            };
        }
    }

    /** What each level must have: what the psABI lists, and what 64-bit kernels can't do without. */
    static final List<CpuFeature> REQUIRED = List.of(
            new CpuFeature("fpu", 1, FEATURES, Register.EDX, 0),
            new CpuFeature("tsc", 1, FEATURES, Register.EDX, 4),
            new CpuFeature("msr", 1, FEATURES, Register.EDX, 5),
            new CpuFeature("pae", 1, FEATURES, Register.EDX, 6),
            new CpuFeature("cx8", 1, FEATURES, Register.EDX, 8),
            new CpuFeature("apic", 1, FEATURES, Register.EDX, 9),
            new CpuFeature("pge", 1, FEATURES, Register.EDX, 13),
            new CpuFeature("cmov", 1, FEATURES, Register.EDX, 15),
            new CpuFeature("pat", 1, FEATURES, Register.EDX, 16),
            new CpuFeature("mmx", 1, FEATURES, Register.EDX, 23),
            new CpuFeature("fxsr", 1, FEATURES, Register.EDX, 24),
            new CpuFeature("sse", 1, FEATURES, Register.EDX, 25),
            new CpuFeature("sse2", 1, FEATURES, Register.EDX, 26),
            new CpuFeature("syscall", 1, AMD_FEATURES, Register.EDX, 11),
            new CpuFeature("nx", 1, AMD_FEATURES, Register.EDX, 20),
            new CpuFeature("lm", 1, AMD_FEATURES, Register.EDX, 29),
            new CpuFeature("pni", 2, FEATURES, Register.ECX, 0),
            new CpuFeature("ssse3", 2, FEATURES, Register.ECX, 9),
            new CpuFeature("cx16", 2, FEATURES, Register.ECX, 13),
            new CpuFeature("sse4_1", 2, FEATURES, Register.ECX, 19),
            new CpuFeature("sse4_2", 2, FEATURES, Register.ECX, 20),
            new CpuFeature("popcnt", 2, FEATURES, Register.ECX, 23),
            new CpuFeature("lahf_lm", 2, AMD_FEATURES, Register.ECX, 0),
            new CpuFeature("fma", 3, FEATURES, Register.ECX, 12),
            new CpuFeature("movbe", 3, FEATURES, Register.ECX, 22),
            new CpuFeature("xsave", 3, FEATURES, Register.ECX, 26),
            new CpuFeature("avx", 3, FEATURES, Register.ECX, 28),
            new CpuFeature("f16c", 3, FEATURES, Register.ECX, 29),
            new CpuFeature("bmi1", 3, EXTENDED_FEATURES, Register.EBX, 3),
            new CpuFeature("avx2", 3, EXTENDED_FEATURES, Register.EBX, 5),
            new CpuFeature("bmi2", 3, EXTENDED_FEATURES, Register.EBX, 8),
            new CpuFeature("abm", 3, AMD_FEATURES, Register.ECX, 5), // LZCNT
            new CpuFeature("avx512f", 4, EXTENDED_FEATURES, Register.EBX, 16),
            new CpuFeature("avx512dq", 4, EXTENDED_FEATURES, Register.EBX, 17),
            new CpuFeature("avx512cd", 4, EXTENDED_FEATURES, Register.EBX, 28),
            new CpuFeature("avx512bw", 4, EXTENDED_FEATURES, Register.EBX, 30),
            new CpuFeature("avx512vl", 4, EXTENDED_FEATURES, Register.EBX, 31));

    boolean isIn(List<CpuidEntry> leaves) {
        for (CpuidEntry leaf : leaves) {
            if (leaf.function() == function && leaf.index() == 0) {
                return (register.of(leaf) >>> bit & 1) == 1;
            }
        }
        return false;
    }

    /** The bits of a leaf's register that a level has. */
    static int bits(int level, int function, Register register) {
        int bits = 0;
        for (CpuFeature feature : REQUIRED) {
            if (feature.level <= level && feature.function == function && feature.register == register) {
                bits |= 1 << feature.bit;
            }
        }
        return bits;
    }
}
