package io.javisor.storage.storvsp;

import io.javisor.partition.HypervisorException;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.FabricLogin.SeenUnit;
import io.javisor.storage.fibrechannel.FibreChannelSan;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.vmbus.channel.Channel;
import io.javisor.vmbus.channel.ChannelDevice;
import io.javisor.vmbus.channel.ChannelHandler;
import io.javisor.vmbus.channel.ChannelOffer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A synthetic Fibre Channel host bus adapter: an initiator port with names of its own, at a SAN or at none. {@link #connect},
 * {@link #disconnect} and {@link #activate} are safe from any thread; the rest belongs to the bus. Workers and SAN are the
 * caller's.
 *
 * <p>Without a SAN it has no targets. If its guest has seen some (it was restored, or disconnected), commands to them end with an
 * error, as with a cable that was pulled, until it is connected again.
 */
public final class FibreChannelAdapter implements ChannelDevice {
    /** The kind of device on the bus: a Fibre Channel adapter (vmbus class "synthetic FC"). */
    public static final UUID INTERFACE_TYPE = UUID.fromString("2f9bcc4a-0069-4af3-b76b-6fd0be528cda");

    /** Adapters of a machine. */
    public static final int MOST_ADAPTERS = 4;

    /** FCHBA_DATA: whether the first set is active, 3 reserved, then port and node of either set, first byte highest. */
    private static final int NAMES_BYTES = 36;

    private static final int STATE_VERSION = 1;
    private static final int MOST_UNITS = FabricLogin.TARGETS * FabricLogin.LUNS;

    private final int number;
    private final PortNames names;
    private final CopyDomain copies;
    private final ChannelOffer offer;
    private final StorageChannels channels;
    private final Object connecting = new Object();
    private volatile WwnSet active;
    private volatile @Nullable Connection connection;
    private volatile List<SeenUnit> remembered = List.of(); // of the guest, while they are nobody's to show

    /** A SAN, with the way in. */
    private record Connection(FibreChannelSan san, String fabric, FabricLogin login) {}

    /**
     * An adapter that is connected to nothing.
     *
     * @param number of the adapter in its machine, from 0 to 3
     * @param names of its port
     * @param active set of names that it logs in with
     * @param workers run the requests; they may wait for disks
     * @param subChannels that the guest may open beside the primary channel
     * @param copies within which the guest may have data copied: the same for all controllers and adapters of a machine
     */
    public FibreChannelAdapter(
            int number, PortNames names, WwnSet active, Executor workers, int subChannels, CopyDomain copies) {
        if (number < 0 || number >= MOST_ADAPTERS) {
            throw new IllegalArgumentException("adapter " + number + " is not in 0.." + (MOST_ADAPTERS - 1));
        }
        this.number = number;
        this.names = names;
        this.active = active;
        this.copies = copies;
        byte[] name = ("javisor.fc." + number).getBytes(StandardCharsets.US_ASCII);
        offer = ChannelOffer.of(INTERFACE_TYPE, UUID.nameUUIDFromBytes(name));
        channels = new StorageChannels(workers, subChannels, this::find, this::encode);
    }

    /** Number of the adapter in its machine. */
    public int number() {
        return number;
    }

    /** Its names. */
    public PortNames names() {
        return names;
    }

    /** The set of names that is logged in, or would be. */
    public WwnSet active() {
        return active;
    }

    /** Where it is connected. */
    public Optional<FibreChannelSan> san() {
        return Optional.ofNullable(connection).map(Connection::san);
    }

    /**
     * Logs in at a SAN, in place of the one that it is connected to. What the guest has seen before must be there again.
     *
     * @param fabric which of the SAN's; empty for its first
     * @throws HypervisorException if the login is refused, or another unit is where the guest has seen one: then it is
     *     connected to nothing
     */
    public void connect(FibreChannelSan san, String fabric) {
        synchronized (connecting) {
            List<SeenUnit> before = seen();
            disconnect();
            FabricLogin login = logIn(san, fabric, active);
            try {
                login.resume(before);
            } catch (RuntimeException e) {
                login.close();
                throw e;
            }
            connection = new Connection(san, fabric, login);
            remembered = List.of();
        }
        channels.unitsChanged();
    }

    /** Logs out. The guest's commands end with errors from here on. */
    public void disconnect() {
        synchronized (connecting) {
            Connection now = connection;
            if (now != null) {
                remembered = now.login().seen();
                connection = null;
                now.login().close();
            }
        }
    }

    /**
     * Switches to a set of names. The other set is logged in first, so that the units are never without a path, and a guest that
     * runs goes on; it is told by a unit attention of each unit. A reservation belongs to a port's name and stays with it. The
     * guest's {@code fc_host} shows the names that were active when the adapter was offered.
     *
     * @throws HypervisorException if the login is refused: the adapter then stays as it was
     */
    public void activate(WwnSet set) {
        synchronized (connecting) {
            if (set == active) {
                return;
            }
            Connection before = connection;
            if (before != null) {
                connection = new Connection(before.san(), before.fabric(), logIn(before.san(), before.fabric(), set));
            }
            active = set;
            if (before != null) {
                before.login().close();
            }
        }
        channels.unitsChanged();
    }

    private FabricLogin logIn(FibreChannelSan san, String fabric, WwnSet set) {
        return san.login(fabric, names.node(set), names.port(set), copies, channels::unitsChanged);
    }

    /** On the reactor and on workers, so without a lock. */
    private @Nullable RemotePort find(int path, int target) {
        Connection now = connection;
        if (now != null) {
            return now.login().at(path, target);
        }
        for (SeenUnit unit : remembered) {
            if (unit.channel() == path && unit.target() == target) {
                return RemotePort.unreachable();
            }
        }
        return null;
    }

    private byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(NAMES_BYTES);
        out.put(0, (byte) (active == WwnSet.A ? 1 : 0));
        out.position(4);
        for (Wwn name : List.of(names.portA(), names.nodeA(), names.portB(), names.nodeB())) {
            out.putLong(name.value());
        }
        return out.array();
    }

    private List<SeenUnit> seen() {
        Connection now = connection;
        return now == null ? remembered : now.login().seen();
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
        return "fc" + number;
    }

    @Override
    public int stateVersion() {
        return STATE_VERSION;
    }

    @Override
    public void save(StateWriter out) {
        channels.save(out);
        out.put("portA", names.portA().hex()).put("portB", names.portB().hex()).put("active", active.name());
        List<SeenUnit> units = seen();
        out.put("units", units.size());
        for (int i = 0; i < units.size(); i++) {
            switch (units.get(i)) {
                case SeenUnit(int channel, int target, int lun, var identity, var state) ->
                    out.put(
                            "unit" + i,
                            new StateWriter()
                                    .put("channel", channel)
                                    .put("target", target)
                                    .put("lun", lun)
                                    .put("identity", identity)
                                    .put("state", state));
            }
        }
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(STATE_VERSION);
        if (!in.getString("portA").equals(names.portA().hex())
                || !in.getString("portB").equals(names.portB().hex())
                || !in.getString("active").equals(active.name())) {
            throw new StateException(stateName() + ": was " + in.getString("portA") + " or " + in.getString("portB")
                    + " with set " + in.getString("active") + ", is " + names + " with set " + active);
        }
        channels.restore(in);
        var units = new ArrayList<SeenUnit>();
        int count = in.getInt("units", 0, MOST_UNITS);
        for (int i = 0; i < count; i++) {
            StateReader unit = in.getInner("unit" + i);
            units.add(new SeenUnit(
                    unit.getInt("channel", 0, 255),
                    unit.getInt("target", 0, 255),
                    unit.getInt("lun", 0, 255),
                    unit.getString("identity"),
                    unit.getBytes("state")));
        }
        remembered = List.copyOf(units);
    }

    /** If it is connected already, the units that its guest has seen must be there again, and a fabric may take its time. */
    @Override
    public void awaitRestored() {
        synchronized (connecting) {
            Connection now = connection;
            if (now != null) {
                now.login().resume(remembered);
                remembered = List.of();
            }
        }
    }
}
