package io.javisor.api;

import io.javisor.kvm.partition.KvmPartition;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Adds up the counters of the runs that are over. */
final class Tally {
    private final Map<String, Long> exits = new HashMap<>();
    private long unknownMsrs;
    private int boots;

    /** Power-ons and resets so far. */
    synchronized int boots() {
        return boots;
    }

    synchronized void booted() {
        boots++;
    }

    synchronized void add(KvmPartition over) {
        over.exitCounts().forEach((reason, count) -> exits.merge(reason, count, Long::sum));
        unknownMsrs += over.unknownMsrs();
    }

    synchronized MachineStatistics with(@Nullable KvmPartition running) {
        var sum = new HashMap<>(exits);
        long msrs = unknownMsrs;
        if (running != null) {
            running.exitCounts().forEach((reason, count) -> sum.merge(reason, count, Long::sum));
            msrs += running.unknownMsrs();
        }
        return new MachineStatistics(sum, msrs, boots);
    }
}
