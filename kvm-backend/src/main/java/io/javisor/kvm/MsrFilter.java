package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_MSR_FILTER_DEFAULT_DENY;
import static io.javisor.kvm.abi.Constants.KVM_MSR_FILTER_MAX_BITMAP_SIZE;
import static io.javisor.kvm.abi.Constants.KVM_MSR_FILTER_MAX_RANGES;
import static io.javisor.kvm.abi.Constants.KVM_MSR_FILTER_READ;
import static io.javisor.kvm.abi.Constants.KVM_MSR_FILTER_WRITE;
import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.SystemAbi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;

/**
 * Which MSRs a VM's guests may read and write in KVM (KVM_X86_SET_MSR_FILTER). What is denied faults in the guest, or exits
 * if {@link KvmVm#setUserSpaceMsrs} asks for {@link UserSpaceMsr#FILTERED}. x2APIC's MSRs cannot be filtered.
 *
 * @param allowOthers whether accesses outside the ranges are allowed; must be true if there are no ranges
 * @param ranges up to 16
 */
public record MsrFilter(boolean allowOthers, List<Range> ranges) {
    private static final int MAX_MSRS = KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8;

    /** Allows everything. */
    public static final MsrFilter NONE = new MsrFilter(true, List.of());

    /** Checks the number of ranges. */
    public MsrFilter {
        ranges = List.copyOf(ranges);
        if (ranges.size() > KVM_MSR_FILTER_MAX_RANGES) {
            throw new IllegalArgumentException(
                    ranges.size() + " MSR filter ranges, KVM takes " + KVM_MSR_FILTER_MAX_RANGES);
        }
        if (ranges.isEmpty() && !allowOthers) {
            throw new IllegalArgumentException("an MSR filter without ranges must allow the others");
        }
    }

    /**
     * Neighbouring MSRs.
     *
     * @param reads whether it decides on reads
     * @param writes whether it decides on writes
     * @param first number of the first MSR
     * @param count MSRs, 1 to 12,288
     * @param allowed bit i allows MSR {@code first + i}
     */
    public record Range(boolean reads, boolean writes, int first, int count, BitSet allowed) {
        /** Checks the count, and copies the bits. */
        public Range {
            allowed = (BitSet) allowed.clone();
            if (count < 1 || count > MAX_MSRS || allowed.length() > count || !(reads || writes)) {
                throw new IllegalArgumentException("MSR filter range of " + count + " from 0x"
                        + Integer.toHexString(first) + ": 1.." + MAX_MSRS + " MSRs, of reads, writes or both");
            }
        }

        /** Denies reads and writes of MSRs. */
        public static Range deny(int first, int count) {
            return new Range(true, true, first, count, new BitSet());
        }

        /** The bits; a copy. */
        @Override
        public BitSet allowed() {
            return (BitSet) allowed.clone();
        }
    }

    void apply(KvmDescriptor fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(SystemAbi.MSR_FILTER);
            struct.set(JAVA_INT, 0, allowOthers ? 0 : KVM_MSR_FILTER_DEFAULT_DENY);
            for (int i = 0; i < ranges.size(); i++) {
                Range range = ranges.get(i);
                MemorySegment bitmap = arena.allocate((range.count + 63L) / 64 * 8, 8);
                long[] words = range.allowed.toLongArray();
                MemorySegment.copy(words, 0, bitmap, JAVA_LONG, 0, words.length);
                long at = offset(SystemAbi.MSR_FILTER, "ranges") + i * SystemAbi.MSR_FILTER_RANGE.byteSize();
                struct.set(
                        JAVA_INT,
                        at + offset(SystemAbi.MSR_FILTER_RANGE, "flags"),
                        (range.reads ? KVM_MSR_FILTER_READ : 0) | (range.writes ? KVM_MSR_FILTER_WRITE : 0));
                struct.set(JAVA_INT, at + offset(SystemAbi.MSR_FILTER_RANGE, "nmsrs"), range.count);
                struct.set(JAVA_INT, at + offset(SystemAbi.MSR_FILTER_RANGE, "base"), range.first);
                struct.set(JAVA_LONG, at + offset(SystemAbi.MSR_FILTER_RANGE, "bitmap"), bitmap.address());
            }
            fd.call(Ioctl.KVM_X86_SET_MSR_FILTER, struct, ranges.size() + " ranges");
        }
    }
}
