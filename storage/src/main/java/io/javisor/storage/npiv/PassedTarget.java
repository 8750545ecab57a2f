package io.javisor.storage.npiv;

import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import io.javisor.storage.scsi.ScsiTarget;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A target port on the SAN as a virtual port sees it. Commands come from any thread; changes from one at a time.
 *
 * <p>REPORT LUNS is answered here, by the units that there are, so that a guest's list and what it can reach are the same.
 */
final class PassedTarget implements RemotePort {
    private static final int REPORT_LUNS = 0xA0;
    private static final int LIST_HEADER = 8;
    private static final int MOST_LIST = LIST_HEADER + 8 * 1024;

    private final Wwn name;
    private final Path devices;
    private final Runnable lunsChanged;
    private final Map<Integer, PassedUnit> units = new ConcurrentSkipListMap<>();
    private final ScsiTarget nobody = new ScsiTarget();

    PassedTarget(Wwn name, Path devices, Runnable lunsChanged) {
        this.name = name;
        this.devices = devices;
        this.lunsChanged = lunsChanged;
    }

    Wwn name() {
        return name;
    }

    Map<Integer, PassedUnit> units() {
        return units;
    }

    @Override
    public boolean answersFor(int lun) {
        return units.containsKey(lun);
    }

    @Override
    public ScsiResult execute(int lun, ScsiCommand command) {
        if ((command.cdb()[0] & 0xFF) == REPORT_LUNS) {
            return reportLuns(command);
        }
        PassedUnit unit = units.get(lun);
        return unit == null ? nobody.execute(lun, command) : unit.execute(command);
    }

    @Override
    public long pace(int lun, long bytes) {
        return 0;
    }

    /** SPC-4 section 6.33, all units in peripheral device addressing. */
    private ScsiResult reportLuns(ScsiCommand command) {
        ByteBuffer cdb = ByteBuffer.wrap(command.cdb());
        long allocation = Integer.toUnsignedLong(cdb.getInt(6));
        int select = cdb.get(2) & 0xFF;
        if (allocation < 16 || select > 2) {
            return ScsiResult.check(io.javisor.storage.scsi.Sense.INVALID_FIELD);
        }
        List<Integer> luns = select == 1 ? List.of() : List.copyOf(units.keySet());
        ByteBuffer out = ByteBuffer.allocate(LIST_HEADER + 8 * luns.size());
        out.putInt(8 * luns.size()).putInt(0);
        luns.forEach(lun -> out.putLong((long) lun << 48));
        return ScsiResult.good(command.answer(out.array(), allocation));
    }

    /** The port can't be reached: commands end with errors until it can. */
    void lost() {
        units.values().forEach(PassedUnit::close);
    }

    /**
     * Takes over what Linux knows of a port that is online. Units that it does not know stay: it may not have looked yet.
     *
     * @param still whether a unit is by the same device as when it was found
     * @return whether the guest should look
     */
    boolean show(List<UnitScan.Found> found, Predicate<UnitScan.Found> still, Consumer<String> complaints) {
        boolean different = false;
        for (UnitScan.Found each : found) {
            if (each.lun() >= FabricLogin.LUNS) {
                complaints.accept("LUN " + each.lun() + " of " + name + " is more than " + (FabricLogin.LUNS - 1)
                        + ", the highest that guests look for, and is left out");
                continue;
            }
            int lun = (int) each.lun();
            PassedUnit present = units.get(lun);
            if (present != null && !present.identity().equals(each.identity())) {
                remove(lun);
                present = null;
                different = true;
            }
            if (present != null) {
                present.open(each, devices, still);
                continue;
            }
            var fresh = new PassedUnit(each.identity(), lunsChanged);
            if (fresh.open(each, devices, still)) { // else at the next look
                units.put(lun, fresh);
                different = true;
            }
        }
        return different;
    }

    /** What the target itself lists; null if it does not answer, or there is no unit to ask through. */
    @Nullable
    Set<Long> list() {
        for (PassedUnit unit : units.values()) {
            byte[] answer = unit.reportLuns(MOST_LIST);
            if (answer == null || answer.length < LIST_HEADER) {
                continue;
            }
            ByteBuffer in = ByteBuffer.wrap(answer);
            long bytes = Math.min(Integer.toUnsignedLong(in.getInt(0)), answer.length - LIST_HEADER);
            var luns = new HashSet<Long>();
            for (int at = LIST_HEADER; at + 8 <= LIST_HEADER + bytes; at += 8) {
                luns.add(lun(in.getLong(at)));
            }
            return luns;
        }
        return null;
    }

    /** A LUN as Linux counts it: two bytes each level, the highest level lowest (scsilun_to_int). */
    private static long lun(long wire) {
        long lun = 0;
        for (int level = 0; level < 4; level++) {
            lun |= (wire >>> 48 - 16 * level & 0xFFFF) << 16 * level;
        }
        return lun;
    }

    /** Takes a unit away; false if it was not there. */
    boolean remove(long lun) {
        PassedUnit gone = lun < FabricLogin.LUNS ? units.remove((int) lun) : null;
        if (gone != null) {
            gone.close();
        }
        return gone != null;
    }

    /** Takes units away that the target does not list. */
    boolean keep(Set<Long> listed) {
        boolean different = false;
        for (int lun : List.copyOf(units.keySet())) {
            if (!listed.contains((long) lun)) {
                different |= remove(lun);
            }
        }
        return different;
    }
}
