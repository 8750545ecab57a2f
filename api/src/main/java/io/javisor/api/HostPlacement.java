package io.javisor.api;

import io.javisor.numa.host.HostTopology;
import io.javisor.numa.placement.PlacedMachines;

/** Where the machines of this process lie on its host. */
final class HostPlacement {
    // Deliberately shared by the process: machines that did not know of each other would be planned onto the same
    // memory.
    private static final PlacedMachines SHARED = new PlacedMachines(HostTopology::read);

    private HostPlacement() {}

    static PlacedMachines shared() {
        return SHARED;
    }
}
