package io.javisor.kvm;

/** What KVM does with a memory slot (linux/kvm.h, KVM_MEM_…). */
public enum MemoryFlag {
    /** Log which pages the guest writes. */
    LOG_DIRTY(1),
    /** Reads go to memory, writes become MMIO exits. */
    READ_ONLY(2);

    private final int bit;

    MemoryFlag(int bit) {
        this.bit = bit;
    }

    static int bits(MemoryFlag... flags) {
        int bits = 0;
        for (MemoryFlag flag : flags) {
            bits |= flag.bit;
        }
        return bits;
    }
}
