package io.javisor.numa.cpuid;

/**
 * One answer of CPUID.
 *
 * @param function EAX of the question
 * @param index ECX of the question; 0 if it doesn't matter
 * @param indexed whether ECX matters (KVM_CPUID_FLAG_SIGNIFCANT_INDEX)
 * @param eax answer
 * @param ebx answer
 * @param ecx answer
 * @param edx answer
 */
public record CpuidLeaf(int function, int index, boolean indexed, int eax, int ebx, int ecx, int edx) {

    /** An answer that does not depend on ECX. */
    public static CpuidLeaf of(int function, int eax, int ebx, int ecx, int edx) {
        return new CpuidLeaf(function, 0, false, eax, ebx, ecx, edx);
    }

    /** An answer for one value of ECX. */
    public static CpuidLeaf indexed(int function, int index, int eax, int ebx, int ecx, int edx) {
        return new CpuidLeaf(function, index, true, eax, ebx, ecx, edx);
    }

    CpuidLeaf with(int newEax, int newEbx, int newEcx, int newEdx) {
        return new CpuidLeaf(function, index, indexed, newEax, newEbx, newEcx, newEdx);
    }

    @Override
    public String toString() {
        return String.format(
                java.util.Locale.ROOT,
                "CPUID %08x.%x: eax %08x ebx %08x ecx %08x edx %08x",
                function,
                index,
                eax,
                ebx,
                ecx,
                edx);
    }
}
