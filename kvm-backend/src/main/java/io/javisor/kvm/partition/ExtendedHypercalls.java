package io.javisor.kvm.partition;

import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import io.javisor.partition.synic.ColdPages;
import io.javisor.partition.synic.HvStatus;

/**
 * Hypercalls with which a guest hands back free pages without a balloon, called "free page reporting" in Linux: it asks what there
 * is, then names cold pages. Safe from any thread.
 *
 * <pre>
 * 0x8001 HvExtCallQueryCapabilities   out: 64 bits; bit 8: cold pages can be handed back
 * 0x8003 HvExtCallMemoryHeatHint      in:  heat 1–0, reserved │ range │ range ...    repeated, up to a page
 *
 * range of 4 KiB pages   0–10 pages more   11 = 0   12–63 page number
 * range of large pages   0–10 pages more   11 = 1   12 size (0: 2 MiB, 1: 1 GiB)   21–63 number of the 2 MiB page
 * </pre>
 *
 * <p>Source: Linux, {@code include/hyperv/hvgdk_ext.h} and {@code hv_gpa_page_range}; the Hypervisor Top-Level Functional
 * Specification has the first hypercall only.
 */
final class ExtendedHypercalls {
    /** HvExtCallQueryCapabilities. */
    static final int QUERY_CAPABILITIES = 0x8001;

    /** HvExtCallMemoryHeatHint. */
    static final int MEMORY_HEAT_HINT = 0x8003;

    /** HV_EXT_CAPABILITY_MEMORY_COLD_DISCARD_HINT. */
    private static final long COLD_DISCARD = 1L << 8;

    /** HV_EXTMEM_HEAT_HINT_COLD_DISCARD: cold, and its contents are not needed. */
    private static final int HEAT_COLD_DISCARD = 2;

    private static final int PAGE = 4096;
    private static final int HEADER = 8;
    private static final long LARGE = 1L << 11;
    private static final long SIZE_1_GIB = 1L << 12;
    private static final long LARGE_PAGE = 2L << 20;
    private static final long FAST = 1L << 16;

    private final GuestMemory memory;
    private final ColdPages cold;

    ExtendedHypercalls(GuestMemory memory, ColdPages cold) {
        this.memory = memory;
        this.cold = cold;
    }

    /**
     * Does one.
     *
     * @param input control word: code in bits 15–0, repetitions in bits 43–32, the first of them in bits 59–48 (TLFS 3.7)
     * @param in guest-physical address of the parameters
     * @param out guest-physical address for the answer
     * @return status in bits 15–0, repetitions that are done in bits 43–32
     */
    long call(long input, long in, long out) {
        if ((input & FAST) != 0) {
            return HvStatus.INVALID_HYPERCALL_INPUT.code();
        }
        return switch ((int) (input & 0xFFFF)) {
            case QUERY_CAPABILITIES -> capabilities(out).code();
            case MEMORY_HEAT_HINT -> heat((int) (input >>> 32 & 0xFFF), (int) (input >>> 48 & 0xFFF), in);
            default -> HvStatus.INVALID_HYPERCALL_CODE.code();
        };
    }

    private HvStatus capabilities(long out) {
        if ((out & 7) != 0) {
            return HvStatus.INVALID_ALIGNMENT;
        }
        try {
            memory.putLong(out, COLD_DISCARD);
            return HvStatus.SUCCESS;
        } catch (GuestAddressException e) {
            return HvStatus.INVALID_PARAMETER;
        }
    }

    private long heat(int count, int first, long in) {
        if ((in & 7) != 0 || (in & PAGE - 1) + HEADER + 8L * count > PAGE) {
            return HvStatus.INVALID_ALIGNMENT.code();
        }
        int done = first;
        try {
            if (count == 0 || first >= count || memory.getLong(in) != HEAT_COLD_DISCARD) {
                return HvStatus.INVALID_PARAMETER.code();
            }
            while (done < count) {
                HvStatus status = discard(memory.getLong(in + HEADER + 8L * done));
                if (status != HvStatus.SUCCESS) {
                    return status.code() | (long) done << 32;
                }
                done++;
            }
            return HvStatus.SUCCESS.code() | (long) done << 32;
        } catch (GuestAddressException e) {
            return HvStatus.INVALID_PARAMETER.code() | (long) done << 32;
        }
    }

    private HvStatus discard(long range) {
        boolean large = (range & LARGE) != 0;
        long page = !large ? PAGE : (range & SIZE_1_GIB) != 0 ? 1L << 30 : LARGE_PAGE;
        long gpa = range & -(large ? LARGE_PAGE : PAGE);
        long length = ((range & 0x7FF) + 1) * page;
        if (gpa < 0 || (gpa & page - 1) != 0 || !isMemory(gpa, length)) {
            return HvStatus.INVALID_PARAMETER;
        }
        try {
            cold.discard(gpa, length);
            return HvStatus.SUCCESS;
        } catch (RuntimeException e) {
            return HvStatus.OPERATION_DENIED; // the host could not: the guest's pages stay as they are
        }
    }

    /** At most 2 TiB, in regions of 2 MiB at least. */
    private boolean isMemory(long gpa, long length) {
        long end = gpa + length;
        for (long at = gpa; at < end; ) {
            long run = memory.runLength(at, end - at);
            if (run <= 0) {
                return false;
            }
            at += run;
        }
        return end > gpa;
    }
}
