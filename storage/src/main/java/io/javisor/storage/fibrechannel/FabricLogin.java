package io.javisor.storage.fibrechannel;

import io.javisor.storage.scsi.RemotePort;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An initiator port that is known at a fabric. Safe from any thread. */
public interface FabricLogin extends AutoCloseable {
    /** Target IDs of a channel, as Linux's storvsc looks for them. */
    int TARGETS = 128;

    /** LUNs of a target, as Linux's storvsc looks for them. */
    int LUNS = 255;

    /**
     * Who answers at an address; null if nobody does. A port keeps its address for as long as there is the SAN.
     *
     * @param channel 0 to 7
     * @param target 0 to 127
     */
    @Nullable
    RemotePort at(int channel, int target);

    /** What the initiator could notice if it were lost: the units that it sees, and what it has not been told of them yet. */
    List<SeenUnit> seen();

    /**
     * Takes over what was noted before. Called where nobody else is held up: it may wait for units that a fabric is yet to show.
     *
     * @throws io.javisor.partition.state.StateException if a unit that the initiator has seen is not there, or another is in
     *     its place
     */
    void resume(List<SeenUnit> before);

    /** Logs out: every command that comes yet ends with an error. Idempotent. */
    @Override
    void close();

    /**
     * A unit that an initiator sees.
     *
     * @param channel of the address
     * @param target of the address
     * @param lun of the address
     * @param identity the unit's, the same each time it is there
     * @param state what {@link io.javisor.storage.scsi.Nexus} has saved
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record SeenUnit(int channel, int target, int lun, String identity, byte[] state) {}
}
