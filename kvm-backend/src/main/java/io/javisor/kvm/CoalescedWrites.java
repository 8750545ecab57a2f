package io.javisor.kvm;

import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.IrqAbi;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * The ring of guest writes that the kernel collected: struct kvm_coalesced_mmio_ring, one page, of which the VM has one
 * whichever vCPU it is read through. Read it after each exit, before handling the exit, so that writes keep their order. One
 * thread of the VM at a time reads; reading allocates nothing.
 *
 * <pre>
 *   0 first (ours)   4 last (the kernel's)   8 writes: address@0, length@8, is a port@12, data@16; 24 bytes each
 * </pre>
 */
public final class CoalescedWrites {
    private static final long WRITES = IrqAbi.COALESCED_RING.byteSize();
    private static final long SIZE = IrqAbi.COALESCED.byteSize();
    private static final long ADDRESS = offset(IrqAbi.COALESCED, "phys_addr");
    private static final long LENGTH = offset(IrqAbi.COALESCED, "len");
    private static final long PIO = offset(IrqAbi.COALESCED, "pio");
    private static final long DATA = offset(IrqAbi.COALESCED, "data");
    private static final int CAPACITY = (int) ((4096 - WRITES) / SIZE);
    private static final VarHandle INDEX = JAVA_INT.varHandle();
    private static final long FIRST = offset(IrqAbi.COALESCED_RING, "first");
    private static final long LAST = offset(IrqAbi.COALESCED_RING, "last");

    private final MemorySegment ring;

    CoalescedWrites(MemorySegment ring) {
        this.ring = ring;
    }

    /** Takes one collected write. */
    @FunctionalInterface
    public interface Handler {
        /**
         * @param port whether the address is an I/O port
         * @param address port number or guest-physical address
         * @param value what was written, little-endian, unsigned
         * @param length bytes, 1 to 8
         */
        void write(boolean port, long address, long value, int length);
    }

    /**
     * Hands over all collected writes, in order.
     *
     * @return how many
     */
    public int drain(Handler handler) {
        int first = (int) INDEX.get(ring, FIRST);
        int count = 0;
        // Pairs with the kernel's write barrier between a write's contents and last.
        int last = (int) INDEX.getAcquire(ring, LAST);
        while (first != last) {
            long at = WRITES + Integer.remainderUnsigned(first, CAPACITY) * SIZE;
            int length = ring.get(JAVA_INT, at + LENGTH);
            long value = ring.get(JAVA_LONG, at + DATA);
            if (length < 8) {
                value &= (1L << (length * 8)) - 1;
            }
            handler.write(ring.get(JAVA_INT, at + PIO) != 0, ring.get(JAVA_LONG, at + ADDRESS), value, length);
            first = (first + 1) % CAPACITY;
            // Our reads come before the kernel may reuse the place.
            INDEX.setRelease(ring, FIRST, first);
            count++;
            if (first == last) {
                last = (int) INDEX.getAcquire(ring, LAST);
            }
        }
        return count;
    }
}
