package io.javisor.api;

import io.javisor.partition.bus.Accesses;
import io.javisor.vmbus.channel.ChannelTraffic;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a machine has done since it was created. Disks and network adapters, whose requests come without exits, have statistics
 * of their own besides: {@link Drive#statistics}, {@link MachineAdapter#statistics}.
 *
 * @param exits returns of KVM_RUN to this process, by reason, over all vCPUs
 * @param devices accesses to registers, by device; those that no device claimed under {@code unclaimed}
 * @param channels what went through the VMBus, by device: {@code scsi0}, {@code net0}, {@code integration.…}, {@code dynamic-memory};
 *     all sockets together under {@code sockets}
 * @param unknownMsrs accesses to model-specific registers that the guest does not have; each raised #GP in it
 * @param boots power-ons and resets
 */
public record MachineStatistics(
        Map<String, Long> exits,
        Map<String, Accesses> devices,
        Map<String, ChannelTraffic> channels,
        long unknownMsrs,
        int boots) {
    /** Copies the maps, in order of the names. */
    public MachineStatistics {
        exits = Collections.unmodifiableMap(new TreeMap<>(exits));
        devices = Collections.unmodifiableMap(new TreeMap<>(devices));
        channels = Collections.unmodifiableMap(new TreeMap<>(channels));
    }

    /** Returns of KVM_RUN in all. */
    public long exitTotal() {
        return exits.values().stream().mapToLong(Long::longValue).sum();
    }
}
