package io.javisor.kvm.partition;

import static io.javisor.kvm.partition.CpuFeature.Register.EBX;
import static io.javisor.kvm.partition.CpuFeature.Register.ECX;
import static io.javisor.kvm.partition.CpuFeature.Register.EDX;

import io.javisor.kvm.CpuidEntry;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is left of a host's CPUID leaves under a level of the x86-64 psABI. Pure. */
final class BaselineLeaves {
    private static final int XSAVE = 0xD;

    // Features beyond the levels that a guest has if its host does, as masks. Instruction-set extensions are not among
    // them.

    /** VMX and PDCM (both taken away later unless asked for), PCID, x2APIC, TSC-deadline timer, hypervisor. */
    private static final int KERNEL_1_ECX = 1 << 5 | 1 << 15 | 1 << 17 | 1 << 21 | 1 << 24 | 1 << 31;

    /** VME, DE, PSE, MCE, SEP, MTRR, MCA, PSE-36, CLFLUSH, self-snoop, HTT. */
    private static final int KERNEL_1_EDX =
            1 << 1 | 1 << 2 | 1 << 3 | 1 << 7 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 17 | 1 << 19 | 1 << 27 | 1 << 28;

    /** FSGSBASE, TSC_ADJUST, SMEP, ERMS, INVPCID, SMAP. */
    private static final int KERNEL_7_EBX = 1 | 1 << 1 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 20;

    /** UMIP. */
    private static final int KERNEL_7_ECX = 1 << 2;

    /** SRBDS_CTRL, MD_CLEAR, SPEC_CTRL, STIBP, L1D_FLUSH, ARCH_CAPABILITIES, SSBD. */
    private static final int SPECULATION_7_EDX = 1 << 9 | 1 << 10 | 1 << 26 | 1 << 27 | 1 << 28 | 1 << 29 | 1 << 31;

    /** CmpLegacy, SVM, CR8 in 32-bit mode, TopologyExtensions, core performance counters. */
    private static final int KERNEL_AMD_ECX = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 22 | 1 << 23;

    /** What repeats leaf 1, EDX, on AMD; 1 GiB pages, RDTSCP. */
    private static final int KERNEL_AMD_EDX = 0x0183_F3FF | 1 << 26 | 1 << 27;

    /** IBPB, IBRS, STIBP, their modes, SSBD, VIRT_SSBD, SSB_NO, PSFD. */
    private static final int SPECULATION_AMD_EBX =
            0x1F << 14 | 1 << 12 | 1 << 19 | 1 << 24 | 1 << 25 | 1 << 26 | 1 << 28;

    /** LFENCE serializes, null selectors clear the base, automatic IBRS, and what tells of SRSO. */
    private static final int SPECULATION_AMD_2 = 1 << 2 | 1 << 6 | 1 << 8 | 0xF << 27;

    private static final int INVARIANT_TSC = 1 << 8;

    /** XCR0: x87, SSE, AVX; with AVX-512 three more (Intel SDM volume 1, 13.1). */
    private static final int COMPONENTS_V3 = 0x07;

    private static final int COMPONENTS_V4 = 0xE7;

    /** Legacy region and header, which every area begins with. */
    private static final int XSAVE_START = 576;

    /** XSAVEOPT, XSAVEC, XGETBV with ECX = 1; not XSAVES. */
    private static final int XSAVE_FORMS = 7;

    private BaselineLeaves() {}

    /** A leaf as it is under a level; null if it is empty. */
    static @Nullable CpuidEntry keep(CpuidEntry leaf, int level, List<CpuidEntry> host) {
        return switch (leaf.function()) {
            case 1 ->
                leaf.with(
                        leaf.eax(),
                        leaf.ebx(),
                        leaf.ecx() & (CpuFeature.bits(level, 1, ECX) | KERNEL_1_ECX),
                        leaf.edx() & (CpuFeature.bits(level, 1, EDX) | KERNEL_1_EDX));
            case 7 ->
                leaf.index() != 0
                        ? null
                        : leaf.with(
                                0,
                                leaf.ebx() & (CpuFeature.bits(level, 7, EBX) | KERNEL_7_EBX),
                                leaf.ecx() & KERNEL_7_ECX,
                                leaf.edx() & SPECULATION_7_EDX);
            case XSAVE -> level < 3 ? null : xsave(leaf, level >= 4 ? COMPONENTS_V4 : COMPONENTS_V3, host);
            case CpuFeature.AMD_FEATURES ->
                leaf.with(
                        leaf.eax(),
                        leaf.ebx(),
                        leaf.ecx() & (CpuFeature.bits(level, CpuFeature.AMD_FEATURES, ECX) | KERNEL_AMD_ECX),
                        leaf.edx() & (CpuFeature.bits(level, CpuFeature.AMD_FEATURES, EDX) | KERNEL_AMD_EDX));
            case 0x8000_0007 -> leaf.with(0, 0, 0, leaf.edx() & INVARIANT_TSC);
            case 0x8000_0008 -> leaf.with(leaf.eax(), leaf.ebx() & SPECULATION_AMD_EBX, leaf.ecx(), 0);
            case 0x8000_0021 -> leaf.with(leaf.eax() & SPECULATION_AMD_2, 0, 0, 0);
            // Vendor, caches, topology, brand; performance counters and SVM, which are taken away unless asked for; and
            // what KVM says of itself.
            case 0,
                    2,
                    4,
                    0xA,
                    0xB,
                    0x1F,
                    0x4000_0000,
                    0x4000_0001,
                    0x8000_0000,
                    0x8000_0002,
                    0x8000_0003,
                    0x8000_0004,
                    0x8000_0005,
                    0x8000_0006,
                    0x8000_000A,
                    0x8000_001D,
                    0x8000_001E,
                    0x8000_0022 -> leaf;
            default -> null;
        };
    }

    private static @Nullable CpuidEntry xsave(CpuidEntry leaf, int components, List<CpuidEntry> host) {
        return switch (leaf.index()) {
            case 0 -> {
                int size = areaSize(leaf.eax() & components, host);
                // EBX is for what XCR0 has at the moment, which KVM fills in.
                yield leaf.with(leaf.eax() & components, size, size, 0);
            }
            case 1 -> leaf.with(leaf.eax() & XSAVE_FORMS, 0, 0, 0);
            default -> leaf.index() < Integer.SIZE && (components >>> leaf.index() & 1) == 1 ? leaf : null;
        };
    }

    /** Where the last component ends: each tells its size in EAX and its offset in EBX. */
    private static int areaSize(int components, List<CpuidEntry> host) {
        int end = XSAVE_START;
        for (CpuidEntry part : host) {
            if (part.function() == XSAVE
                    && part.index() >= 2
                    && part.index() < Integer.SIZE
                    && (components >>> part.index() & 1) == 1) {
                end = Math.max(end, part.ebx() + part.eax());
            }
        }
        return end;
    }
}
