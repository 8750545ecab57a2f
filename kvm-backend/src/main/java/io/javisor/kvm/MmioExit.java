package io.javisor.kvm;

import static io.javisor.kvm.abi.RunAbi.at;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** What reads and writes of device memory have in common. */
abstract sealed class MmioExit permits Exit.MmioRead, Exit.MmioWrite {
    static final long DATA = at("mmio", "data");
    private static final long ADDRESS = at("mmio", "phys_addr");
    private static final long LENGTH = at("mmio", "len");

    final MemorySegment run;

    MmioExit(MemorySegment run) {
        this.run = run;
    }

    /** Guest-physical address. */
    public long address() {
        return run.get(JAVA_LONG, ADDRESS);
    }

    /** Bytes, 1 to 8. */
    public int length() {
        return run.get(JAVA_INT, LENGTH);
    }
}
