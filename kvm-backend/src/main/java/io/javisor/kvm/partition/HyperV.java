package io.javisor.kvm.partition;

import io.javisor.kvm.CpuidEntry;
import io.javisor.kvm.Msr;
import io.javisor.kvm.Vcpu;
import java.util.ArrayList;
import java.util.List;

/** The identity and features with which a guest recognizes Hyper-V (Hypervisor Top-Level Functional Specification, 2 and 19). */
final class HyperV {
    /** First of the CPUID leaves that a hypervisor describes itself with. */
    private static final int FIRST_LEAF = 0x4000_0000;

    /** KVM would put its own leaves here. */
    private static final int LAST_LEAF = 0x4000_FFFF;

    private static final int INTERFACE = 0x4000_0001;
    private static final int FEATURES = 0x4000_0003;
    private static final int RECOMMENDATIONS = 0x4000_0004;

    /** Limits; what lies beyond (hardware features, nesting, debugging) is not offered. */
    private static final int LIMITS = 0x4000_0005;

    // Features (TLFS 2.4.4).
    private static final int ACCESS_REENLIGHTENMENT = 1 << 13;
    private static final int POST_MESSAGES = 1 << 4;
    private static final int SIGNAL_EVENTS = 1 << 5;
    private static final int EXTENDED_HYPERCALLS = 1 << 20;
    private static final int GUEST_DEBUGGING = 1 << 1;
    private static final int DEBUG_MSRS = 1 << 11;

    /** Recommendations (TLFS 2.4.5): nested enlightened VMCS is for guests that are hypervisors. */
    private static final int ENLIGHTENED_VMCS = 1 << 14;

    // What lies beside (Linux: HYPERV_CPUID_VIRT_STACK_INTERFACE, "VS#1", and _PROPERTIES in asm/hyperv-tlfs.h).
    private static final int VIRTUALIZATION_STACK = 0x4000_0080;
    private static final int VIRTUALIZATION_STACK_INTERFACE = 0x4000_0081;
    private static final int VIRTUALIZATION_STACK_PROPERTIES = 0x4000_0082;

    /** I/O APIC entries have room for more than 8 bits of an APIC ID: HYPERV_VS_PROPERTIES_EAX_EXTENDED_IOAPIC_RTE. */
    private static final int EXTENDED_IOAPIC_ENTRIES = 1 << 2;

    private HyperV() {}

    /**
     * A vCPU's CPUID with Hyper-V's leaves in place of KVM's own.
     *
     * @param basis leaves of the processor, maybe with KVM's
     * @param supported what KVM_GET_SUPPORTED_HV_CPUID offers
     * @param extended whether the guest may make extended hypercalls
     * @param shortIds whether all APIC IDs have 8 bits. Then Linux may be told that the I/O APIC takes longer ones, which it will not
     *     try; else it would put a remapping of interrupts before the I/O APIC, by which each end of a level-triggered interrupt is
     *     twelve accesses to its registers (eoi_ioapic_pin), and so twelve exits
     */
    static List<CpuidEntry> identity(
            List<CpuidEntry> basis, List<CpuidEntry> supported, boolean extended, boolean shortIds) {
        var leaves = new ArrayList<CpuidEntry>();
        for (CpuidEntry leaf : basis) {
            if (leaf.function() < FIRST_LEAF || leaf.function() > LAST_LEAF) {
                leaves.add(leaf);
            }
        }
        for (CpuidEntry leaf : supported) {
            switch (leaf.function()) {
                // Linux compares the vendor with "Microsoft Hv"; KVM says "Linux KVM Hv".
                case FIRST_LEAF -> leaves.add(leaf.with(LIMITS, ascii("Micr"), ascii("osof"), ascii("t Hv")));
                case FEATURES ->
                    leaves.add(leaf.with(
                            leaf.eax() & ~ACCESS_REENLIGHTENMENT,
                            leaf.ebx() & (POST_MESSAGES | SIGNAL_EVENTS | (extended ? EXTENDED_HYPERCALLS : 0)),
                            leaf.ecx(),
                            leaf.edx() & ~(GUEST_DEBUGGING | DEBUG_MSRS)));
                case RECOMMENDATIONS ->
                    leaves.add(leaf.with(leaf.eax() & ~ENLIGHTENED_VMCS, leaf.ebx(), leaf.ecx(), leaf.edx()));
                default -> {
                    if (leaf.function() >= INTERFACE && leaf.function() <= LIMITS) {
                        leaves.add(leaf);
                    }
                }
            }
        }
        if (shortIds) {
            leaves.add(leaf(
                    VIRTUALIZATION_STACK,
                    VIRTUALIZATION_STACK_PROPERTIES,
                    ascii("Micr"),
                    ascii("osof"),
                    ascii("t VS")));
            leaves.add(leaf(VIRTUALIZATION_STACK_INTERFACE, ascii("VS#1"), 0, 0, 0));
            leaves.add(leaf(VIRTUALIZATION_STACK_PROPERTIES, EXTENDED_IOAPIC_ENTRIES, 0, 0, 0));
        }
        return List.copyOf(leaves);
    }

    private static CpuidEntry leaf(int function, int eax, int ebx, int ecx, int edx) {
        return new CpuidEntry(function, 0, 0, eax, ebx, ecx, edx);
    }

    /** Whether KVM passes extended hypercalls on. */
    static boolean hasExtendedHypercalls(List<CpuidEntry> supported) {
        return supported.stream()
                .anyMatch(leaf -> leaf.function() == FEATURES && (leaf.ebx() & EXTENDED_HYPERCALLS) != 0);
    }

    /** What a vCPU's guest left in HV_X64_MSR_CRASH_P0 to P4 (TLFS appendix F). */
    static long[] crashParameters(Vcpu vcpu) {
        return vcpu.msrs(0x4000_0100, 0x4000_0101, 0x4000_0102, 0x4000_0103, 0x4000_0104).stream()
                .mapToLong(Msr::value)
                .toArray();
    }

    private static int ascii(String four) {
        return four.charAt(0) | four.charAt(1) << 8 | four.charAt(2) << 16 | four.charAt(3) << 24;
    }
}
