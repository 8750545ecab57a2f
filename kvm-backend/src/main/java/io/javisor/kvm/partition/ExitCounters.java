package io.javisor.kvm.partition;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** One vCPU's exits by reason: counted by its thread without a fence that anybody waits for, read by any. */
final class ExitCounters {
    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] counts = new long[ExitReason.COUNT];

    void count(ExitReason reason) {
        int slot = reason.ordinal();
        LONGS.setOpaque(counts, slot, (long) LONGS.getOpaque(counts, slot) + 1);
    }

    long get(ExitReason reason) {
        return (long) LONGS.getOpaque(counts, reason.ordinal());
    }
}
