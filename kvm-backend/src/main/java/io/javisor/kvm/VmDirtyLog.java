package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_DIRTY_LOG_INITIALLY_SET;
import static io.javisor.kvm.abi.Constants.KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.MemoryAbi;
import io.javisor.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * Which pages of slots with {@link MemoryFlag#LOG_DIRTY} the guest has written; safe from any thread. A page is 4 KiB
 * whatever backs it. A VM either keeps a bitmap per slot (this class) or, if {@link #enableRing} was called before the first
 * vCPU, a ring per vCPU ({@link Vcpu#dirtyRing()}).
 */
public final class VmDirtyLog {
    private static final long PAGE = 4096;
    // KVM_CLEAR_DIRTY_LOG wants 64-page granules.
    private static final int GRANULE = 64;

    private final KvmVm vm;
    private final KvmDescriptor fd;

    VmDirtyLog(KvmVm vm, KvmDescriptor fd) {
        this.vm = vm;
        this.fd = fd;
    }

    /**
     * From now on {@link #get} leaves pages marked and writable; {@link #clear} protects them again, in parts that suit the
     * caller (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2).
     *
     * @param initiallySet whether all pages of a slot count as written when its logging begins
     */
    public void enableManualProtect(boolean initiallySet) {
        vm.enable(
                Capability.MANUAL_DIRTY_LOG_PROTECT2,
                KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | (initiallySet ? KVM_DIRTY_LOG_INITIALLY_SET : 0));
    }

    /**
     * The pages written since logging began or since the last call; the call also forgets them, unless manual protection is on.
     *
     * @return bit i stands for the slot's i-th page
     */
    public BitSet get(int slot) {
        try (Arena arena = Arena.ofConfined()) {
            // Room for what the kernel writes: as many bits as the slot has pages, in whole words.
            MemorySegment bitmap = bitmap(arena, slot);
            get(arena, slot, bitmap);
            return BitSet.valueOf(bitmap.toArray(JAVA_LONG));
        }
    }

    private MemorySegment bitmap(Arena arena, int slot) {
        long pages = vm.slotSize(slot) / PAGE;
        return arena.allocate((pages + 63) / 64 * 8, 8);
    }

    private void get(Arena arena, int slot, MemorySegment bitmap) {
        MemorySegment struct = arena.allocate(MemoryAbi.DIRTY_LOG);
        struct.set(JAVA_INT, offset(MemoryAbi.DIRTY_LOG, "slot"), slot);
        struct.set(JAVA_LONG, offset(MemoryAbi.DIRTY_LOG, "dirty_bitmap"), bitmap.address());
        fd.call(Ioctl.KVM_GET_DIRTY_LOG, struct, "slot " + slot);
    }

    /**
     * Forgets written pages and protects them again; only with manual protection.
     *
     * @param firstPage a multiple of 64
     * @param pages a multiple of 64, or up to the slot's end
     * @param which bit i stands for page {@code firstPage + i}
     */
    public void clear(int slot, long firstPage, int pages, BitSet which) {
        long total = vm.slotSize(slot) / PAGE;
        if (firstPage % GRANULE != 0
                || firstPage < 0
                || pages <= 0
                || firstPage + pages > total
                || (pages % GRANULE != 0 && firstPage + pages != total)) {
            throw new IllegalArgumentException("clear " + pages + " pages from " + firstPage + " on of slot " + slot
                    + ", which has " + total + ": both must be multiples of 64 or end with the slot");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bitmap = arena.allocate((pages + 63L) / 64 * 8, 8);
            long[] words = which.get(0, pages).toLongArray();
            MemorySegment.copy(words, 0, bitmap, JAVA_LONG, 0, words.length);
            MemorySegment struct = arena.allocate(MemoryAbi.CLEAR_DIRTY_LOG);
            struct.set(JAVA_INT, offset(MemoryAbi.CLEAR_DIRTY_LOG, "slot"), slot);
            struct.set(JAVA_INT, offset(MemoryAbi.CLEAR_DIRTY_LOG, "num_pages"), pages);
            struct.set(JAVA_LONG, offset(MemoryAbi.CLEAR_DIRTY_LOG, "first_page"), firstPage);
            struct.set(JAVA_LONG, offset(MemoryAbi.CLEAR_DIRTY_LOG, "dirty_bitmap"), bitmap.address());
            fd.call(Ioctl.KVM_CLEAR_DIRTY_LOG, struct, "slot " + slot + ", " + pages + " pages from " + firstPage);
        }
    }

    /**
     * Gives each vCPU a ring for the pages that it writes, instead of bitmaps; before the first vCPU.
     *
     * @param entries of each ring, a power of two; 16 bytes each, up to the value of {@link Capability#DIRTY_LOG_RING}
     */
    public void enableRing(int entries) {
        if (entries <= 0 || Integer.bitCount(entries) != 1) {
            throw new IllegalArgumentException(entries + " entries: not a power of two");
        }
        long bytes = entries * MemoryAbi.DIRTY_GFN.byteSize();
        try {
            vm.enable(Capability.DIRTY_LOG_RING, bytes);
        } catch (KvmException e) {
            if (vm.check(Capability.DIRTY_LOG_RING) == 0 && e.getCause() instanceof LinuxException) {
                vm.enable(Capability.DIRTY_LOG_RING_ACQ_REL, bytes);
            } else {
                throw e;
            }
        }
        vm.dirtyRingBytes(bytes);
    }

    /**
     * Lets the entries that {@link DirtyRing#collect} has taken be used again, and protects their pages
     * (KVM_RESET_DIRTY_RINGS).
     *
     * @return how many entries of all vCPUs' rings
     */
    public int resetRings() {
        return fd.call(Ioctl.KVM_RESET_DIRTY_RINGS, 0);
    }
}
