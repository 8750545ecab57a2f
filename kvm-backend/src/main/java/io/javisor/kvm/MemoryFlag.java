package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_MEM_LOG_DIRTY_PAGES;
import static io.javisor.kvm.abi.Constants.KVM_MEM_READONLY;

/** What KVM does with a memory slot (linux/kvm.h, KVM_MEM_…). */
public enum MemoryFlag {
    /** Log which pages the guest writes. */
    LOG_DIRTY(KVM_MEM_LOG_DIRTY_PAGES),
    /** Reads go to memory, writes become MMIO exits. */
    READ_ONLY(KVM_MEM_READONLY);

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
