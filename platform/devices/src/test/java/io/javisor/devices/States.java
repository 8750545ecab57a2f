package io.javisor.devices;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;

/** Moves a device's state as a saved machine would. */
final class States {
    private States() {}

    static byte[] bytes(Stateful device) {
        var out = new StateWriter();
        device.save(out);
        return out.toByteArray();
    }

    static void move(Stateful from, Stateful to) {
        to.restore(new StateReader(from.stateName(), from.stateVersion(), bytes(from)));
    }
}
