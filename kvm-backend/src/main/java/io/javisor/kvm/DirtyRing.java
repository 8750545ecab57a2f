package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_DIRTY_GFN_F_DIRTY;
import static io.javisor.kvm.abi.Constants.KVM_DIRTY_GFN_F_RESET;
import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.MemoryAbi;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * The pages that one vCPU has written, in a ring that the kernel fills: struct kvm_dirty_gfn. One thread at a time collects;
 * collecting allocates nothing. What is collected counts as written again only after {@link VmDirtyLog#resetRings()}.
 *
 * <pre>
 *   entry: flags@0 (bit 0 dirty, bit 1 collected)   slot@4   page@8; 16 bytes
 * </pre>
 */
public final class DirtyRing {
    private static final long SIZE = MemoryAbi.DIRTY_GFN.byteSize();
    private static final long FLAGS = offset(MemoryAbi.DIRTY_GFN, "flags");
    private static final long SLOT = offset(MemoryAbi.DIRTY_GFN, "slot");
    private static final long PAGE = offset(MemoryAbi.DIRTY_GFN, "offset");
    private static final VarHandle FLAG = JAVA_INT.varHandle();

    private final MemorySegment ring;
    private final int mask;
    private int next;

    DirtyRing(MemorySegment ring) {
        this.ring = ring;
        this.mask = (int) (ring.byteSize() / SIZE) - 1;
    }

    /** Takes one written page. */
    @FunctionalInterface
    public interface Handler {
        /**
         * @param slot the memory slot
         * @param page number of the 4 KiB page in the slot
         */
        void dirty(int slot, long page);
    }

    /**
     * Hands over the pages written since the last call.
     *
     * @return how many
     */
    public int collect(Handler handler) {
        int count = 0;
        // Never more than a ring's worth, however fast the guest writes.
        while (count <= mask) {
            long at = (next & mask) * SIZE;
            // Pairs with the kernel's release of the entry.
            if (((int) FLAG.getAcquire(ring, at + FLAGS) & (KVM_DIRTY_GFN_F_DIRTY | KVM_DIRTY_GFN_F_RESET))
                    != KVM_DIRTY_GFN_F_DIRTY) {
                break;
            }
            int slot = ring.get(JAVA_INT, at + SLOT);
            long page = ring.get(JAVA_LONG, at + PAGE);
            FLAG.setRelease(ring, at + FLAGS, KVM_DIRTY_GFN_F_DIRTY | KVM_DIRTY_GFN_F_RESET);
            next++;
            count++;
            handler.dirty(slot, page);
        }
        return count;
    }
}
