package io.javisor.storage.fibrechannel;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.InitiatorPort;
import io.javisor.storage.scsi.Nexus;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import io.javisor.storage.scsi.ScsiTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * One initiator port at a {@link SoftwareSan}: for each target port that its zones let it see a SCSI target with the units that
 * its mask has. It follows the SAN's changes when told to; look-ups take no lock.
 */
final class SoftwareLogin implements FabricLogin {
    private static final int SEEN_VERSION = 1;

    private final SoftwareSan san;
    private final String fabric;
    private final Wwn name;
    private final InitiatorPort initiator;
    private final CopyDomain copies;
    private final Runnable changed;
    private final Map<Integer, Reached> reached = new ConcurrentSkipListMap<>();
    private volatile boolean closed;

    SoftwareLogin(SoftwareSan san, String fabric, Wwn name, CopyDomain copies, Runnable changed) {
        this.san = san;
        this.fabric = fabric;
        this.name = name;
        this.copies = copies;
        this.changed = changed;
        initiator = new InitiatorPort(name.hex());
    }

    /** A target port as this initiator sees it. */
    private final class Reached implements RemotePort {
        final SanPort port;
        final ScsiTarget target = new ScsiTarget(true, copies);

        Reached(SanPort port) {
            this.port = port;
        }

        private boolean isUp() {
            return !closed && san.isUp(port);
        }

        @Override
        public boolean answersFor(int lun) {
            return !isUp() || target.answersFor(lun);
        }

        /** An answer that comes when the link is cut is lost with it. */
        @Override
        public ScsiResult execute(int lun, ScsiCommand command) {
            if (!isUp()) {
                return ScsiResult.pathFailed();
            }
            ScsiResult result = target.execute(lun, command);
            return san.isUp(port) ? result : ScsiResult.pathFailed();
        }

        @Override
        public @Nullable ScsiResult tryExecute(int lun, ScsiCommand command) {
            ScsiResult result = isUp() ? target.tryExecute(lun, command) : null;
            return result == null || san.isUp(port) ? result : ScsiResult.pathFailed();
        }

        /** What ends after the link was cut is run again, which fails. */
        @Override
        public boolean begin(int lun, ScsiCommand command, IoEngine engine, IoEngine.Completion completion) {
            return isUp() && target.begin(lun, command, engine, moved -> completion.ended(san.isUp(port) ? moved : -1));
        }

        @Override
        public long pace(int lun, long bytes) {
            return target.pace(lun, bytes);
        }

        boolean show(Map<Integer, SanVolume> wanted) {
            boolean different = false;
            for (var present : List.copyOf(target.nexuses().entrySet())) {
                SanVolume volume = wanted.get(present.getKey());
                if (volume == null || !volume.unit().equals(present.getValue().unit())) {
                    target.remove(present.getKey());
                    different = true;
                }
            }
            for (var entry : wanted.entrySet()) {
                if (!target.answersFor(entry.getKey())) {
                    Nexus nexus = entry.getValue().unit().attach(initiator, port.port());
                    nexus.begin();
                    target.add(entry.getKey(), nexus);
                    different = true;
                }
            }
            return different;
        }
    }

    Wwn name() {
        return name;
    }

    /** Tells the initiator to look again. */
    void tell() {
        changed.run();
    }

    /** Makes what the initiator sees what it shall see; whether that was something else. Guarded by the SAN. */
    boolean follow() {
        if (closed) {
            return false;
        }
        boolean different = false;
        Map<Integer, SanVolume> units = san.unitsFor(name);
        for (SanPort port : san.ports()) {
            Reached present = reached.get(port.target());
            boolean sees = port.fabric().equals(fabric) && san.allows(name, port);
            if (sees && present == null) {
                Reached fresh = new Reached(port);
                fresh.show(units);
                fresh.target.nexuses().values().forEach(Nexus::begin); // it hears of its units by looking
                reached.put(port.target(), fresh);
                different = true;
            } else if (!sees && present != null) {
                reached.remove(port.target());
                present.target.close();
                different = true;
            } else if (present != null) {
                different |= present.show(units);
            }
        }
        return different;
    }

    @Override
    public @Nullable RemotePort at(int channel, int target) {
        if (closed) {
            return RemotePort.unreachable();
        }
        return channel == 0 ? reached.get(target) : null;
    }

    @Override
    public List<SeenUnit> seen() {
        var all = new ArrayList<SeenUnit>();
        reached.forEach((id, port) -> port.target.nexuses().forEach((lun, nexus) -> {
            var state = new StateWriter();
            nexus.save(state);
            all.add(new SeenUnit(0, id, lun, nexus.unit().identity().toString(), state.toByteArray()));
        }));
        return all;
    }

    @Override
    public void resume(List<SeenUnit> before) {
        for (SeenUnit unit : before) { // all, before anything is changed
            nexus(unit);
        }
        for (SeenUnit unit : before) {
            nexus(unit).restore(new StateReader("unit", SEEN_VERSION, unit.state()));
        }
    }

    private Nexus nexus(SeenUnit unit) {
        Reached port = unit.channel() == 0 ? reached.get(unit.target()) : null;
        Nexus nexus = port == null ? null : port.target.nexuses().get(unit.lun());
        if (nexus == null || !nexus.unit().identity().toString().equals(unit.identity())) {
            throw new StateException("LUN " + unit.lun() + " of target " + unit.target() + " for " + name + " at SAN "
                    + san.name() + " was the disk " + unit.identity() + ", now it is "
                    + (nexus == null ? "absent" : Objects.toString(nexus.unit().identity())));
        }
        return nexus;
    }

    @Override
    public void close() {
        closed = true;
        san.logOut(this, () -> {
            reached.values().forEach(port -> port.target.close());
            reached.clear();
        });
    }
}
