package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

/**
 * One CPUID leaf: struct kvm_cpuid_entry2.
 *
 * @param function what the guest puts in EAX
 * @param index what it puts in ECX, if {@code flags} says that it matters
 * @param flags {@link #SIGNIFICANT_INDEX} or 0
 * @param eax result
 * @param ebx result
 * @param ecx result
 * @param edx result
 */
public record CpuidEntry(int function, int index, int flags, int eax, int ebx, int ecx, int edx) {
    /** The leaf depends on ECX (KVM_CPUID_FLAG_SIGNIFCANT_INDEX). */
    public static final int SIGNIFICANT_INDEX = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

    /** The same leaf with other results. */
    public CpuidEntry with(int newEax, int newEbx, int newEcx, int newEdx) {
        return new CpuidEntry(function, index, flags, newEax, newEbx, newEcx, newEdx);
    }

    /** The leaf in hexadecimal. */
    @Override
    public String toString() {
        return String.format(
                "%08x.%x%s: eax %08x ebx %08x ecx %08x edx %08x",
                function, index, flags == 0 ? "" : " (flags " + flags + ")", eax, ebx, ecx, edx);
    }
}
