package io.javisor.api;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a machine has done since it was created.
 *
 * @param exits returns of KVM_RUN to this process, by reason, over all vCPUs
 * @param unknownMsrs accesses to model-specific registers that the guest does not have; each raised #GP in it
 * @param boots power-ons and resets
 */
public record MachineStatistics(Map<String, Long> exits, long unknownMsrs, int boots) {
    /** Copies the map, in order of the names. */
    public MachineStatistics {
        exits = java.util.Collections.unmodifiableMap(new TreeMap<>(exits));
    }

    /** Returns of KVM_RUN in all. */
    public long exitTotal() {
        return exits.values().stream().mapToLong(Long::longValue).sum();
    }
}
