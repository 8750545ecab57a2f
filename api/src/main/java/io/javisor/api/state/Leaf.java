package io.javisor.api.state;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;

/**
 * One part of a saved machine.
 *
 * @param name whose it is
 * @param version of its layout
 * @param bytes its fields
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record Leaf(String name, int version, byte[] bytes) {
    /** What a device has to say. */
    public static Leaf of(Stateful device) {
        StateWriter out = new StateWriter();
        device.save(out);
        return new Leaf(device.stateName(), device.stateVersion(), out.toByteArray());
    }

    /** Its fields. */
    public StateReader reader() {
        return new StateReader(name, version, bytes);
    }
}
