package io.javisor.api;

import io.javisor.kvm.partition.KvmPartition;
import io.javisor.partition.bus.Accesses;
import io.javisor.vmbus.channel.ChannelTraffic;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Adds up the counters of the runs that are over and of the one that is not, so that no reader sees a run twice or not at all. */
final class Tally {
    private MachineStatistics over = new MachineStatistics(Map.of(), Map.of(), Map.of(), 0, 0);
    private @Nullable Hardware running;

    /** Power-ons and resets so far. */
    synchronized int boots() {
        return over.boots();
    }

    /** A run begins. */
    synchronized void begun(Hardware run) {
        over = new MachineStatistics(
                over.exits(), over.devices(), over.channels(), over.unknownMsrs(), over.boots() + 1);
        running = run;
    }

    /** The run is over, if there was one; its counters stay as they are now. */
    synchronized void ended() {
        over = now();
        running = null;
    }

    synchronized MachineStatistics now() {
        Hardware run = running;
        if (run == null) {
            return over;
        }
        KvmPartition partition = run.partition();
        var exits = new HashMap<>(over.exits());
        partition.exitCounts().forEach((reason, count) -> exits.merge(reason, count, Long::sum));
        var devices = new HashMap<>(over.devices());
        partition.deviceAccesses().forEach((name, accesses) -> devices.merge(name, accesses, Accesses::plus));
        var channels = new HashMap<>(over.channels());
        run.channelTraffic().forEach((name, traffic) -> channels.merge(name, traffic, ChannelTraffic::plus));
        return new MachineStatistics(
                exits, devices, channels, over.unknownMsrs() + partition.unknownMsrs(), over.boots());
    }
}
