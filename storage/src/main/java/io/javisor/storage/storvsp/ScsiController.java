package io.javisor.storage.storvsp;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.disk.IoLimits;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.InitiatorPort;
import io.javisor.storage.scsi.LogicalUnit;
import io.javisor.storage.scsi.Nexus;
import io.javisor.storage.scsi.ScsiTarget;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.ChannelOffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A synthetic SCSI controller with up to 64 units, which come and go while the guest runs. Units and workers are the
 * caller's. {@link #add} and {@link #remove} are safe from any thread; the rest belongs to the bus.
 */
public final class ScsiController implements ChannelDevice {
    /** The kind of device on the bus: a SCSI controller (vmbus class "scsi"). */
    public static final UUID INTERFACE_TYPE = UUID.fromString("ba6163d9-04a1-4d29-b605-72e2ffb1dc7f");

    /** Units of a controller. */
    public static final int MOST_UNITS = 64;

    /** Controllers of a machine. */
    public static final int MOST_CONTROLLERS = 4;

    private static final int STATE_VERSION = 1;

    private final int number;
    private final ChannelOffer offer;
    private final InitiatorPort initiator;
    private final ScsiTarget target;
    private final StorageChannels channels;

    /**
     * A controller without units.
     *
     * @param number of the controller in its machine, from 0 to 3
     * @param machine stable name of the machine: reservations on shared disks are held under it
     * @param workers run the requests; they may wait for disks
     * @param subChannels that the guest may open beside the primary channel: one less than its vCPUs is a good number
     */
    public ScsiController(int number, String machine, Executor workers, int subChannels) {
        this(number, machine, workers, subChannels, new CopyDomain());
    }

    /**
     * A controller without units, one of several.
     *
     * @param number of the controller in its machine, from 0 to 3
     * @param machine stable name of the machine: reservations on shared disks are held under it
     * @param workers run the requests; they may wait for disks
     * @param subChannels that the guest may open beside the primary channel: one less than its vCPUs is a good number
     * @param copies within which the guest may have data copied: the same for all controllers of a machine
     */
    public ScsiController(int number, String machine, Executor workers, int subChannels, CopyDomain copies) {
        if (number < 0 || number >= MOST_CONTROLLERS) {
            throw new IllegalArgumentException("controller " + number + " is not in 0.." + (MOST_CONTROLLERS - 1));
        }
        this.number = number;
        target = new ScsiTarget(false, copies);
        byte[] name = ("javisor.scsi." + number).getBytes(StandardCharsets.US_ASCII);
        offer = ChannelOffer.of(INTERFACE_TYPE, UUID.nameUUIDFromBytes(name));
        initiator = new InitiatorPort(machine + ",scsi" + number);
        channels = new StorageChannels(workers, subChannels, (path, id) -> path == 0 && id == 0 ? target : null, null);
    }

    /** Number of the controller in its machine. */
    public int number() {
        return number;
    }

    /**
     * Plugs a unit in; a guest that runs looks for it.
     *
     * @param lun 0 to 63
     * @throws IllegalArgumentException if the number is taken or out of range
     */
    public void add(int lun, LogicalUnit unit) {
        add(lun, unit, IoLimits.NONE);
    }

    /**
     * Plugs a unit in of which no more than the limits may be asked; a guest that runs looks for it.
     *
     * @param lun 0 to 63
     * @throws IllegalArgumentException if the number is taken or out of range
     */
    public void add(int lun, LogicalUnit unit, IoLimits limits) {
        if (lun < 0 || lun >= MOST_UNITS) {
            throw new IllegalArgumentException("LUN " + lun + " is not in 0.." + (MOST_UNITS - 1));
        }
        Nexus nexus = unit.attach(initiator);
        nexus.limit(limits);
        try {
            target.add(lun, nexus);
        } catch (IllegalArgumentException e) {
            nexus.detach();
            throw e;
        }
        channels.unitsChanged();
    }

    /**
     * Pulls a unit out; requests in progress end first when its disk is closed, later ones fail.
     *
     * @return the unit, or null if there was none
     */
    public @Nullable LogicalUnit remove(int lun) {
        Nexus gone = target.remove(lun);
        if (gone == null) {
            return null;
        }
        channels.unitsChanged();
        return gone.unit();
    }

    /** The units as the guest sees them. */
    public ScsiTarget target() {
        return target;
    }

    @Override
    public ChannelOffer offer() {
        return offer;
    }

    @Override
    public int maxPacketBytes() {
        return StorageChannels.PACKET_LIMIT;
    }

    @Override
    public int maxPacketsHeld() {
        return StorageChannels.PACKETS_HELD;
    }

    @Override
    public ChannelHandler opened(Channel channel) {
        return channels.opened(channel);
    }

    @Override
    public ChannelHandler restored(Channel channel) {
        return channels.restored(channel);
    }

    @Override
    public String stateName() {
        return "scsi" + number;
    }

    @Override
    public int stateVersion() {
        return STATE_VERSION;
    }

    @Override
    public void save(StateWriter out) {
        channels.save(out);
        out.put("units", target.nexuses().size());
        int i = 0;
        for (var entry : target.nexuses().entrySet()) {
            var unit = new StateWriter();
            unit.put("lun", entry.getKey());
            unit.put("identity", entry.getValue().unit().identity().toString());
            entry.getValue().save(unit);
            out.put("unit" + i++, unit);
        }
    }

    /** The units that were there must have been added again before; each is known by its identity. */
    @Override
    public void restore(StateReader in) {
        in.requireVersion(STATE_VERSION);
        channels.restore(in);
        int units = in.getInt("units", 0, MOST_UNITS);
        if (units != target.nexuses().size()) {
            throw new StateException(stateName() + ": " + units + " units were saved, "
                    + target.nexuses().size() + " are there");
        }
        for (int i = 0; i < units; i++) {
            StateReader unit = in.getInner("unit" + i);
            int lun = unit.getInt("lun", 0, MOST_UNITS - 1);
            Nexus nexus = target.nexuses().get(lun);
            String identity = unit.getString("identity");
            if (nexus == null || !nexus.unit().identity().toString().equals(identity)) {
                throw new StateException(stateName() + ": LUN " + lun + " was the disk " + identity + ", now it is "
                        + (nexus == null ? "absent" : nexus.unit().identity()));
            }
            nexus.restore(unit);
        }
    }
}
