package io.javisor.storage.fibrechannel;

import io.javisor.storage.scsi.AccessState;
import io.javisor.storage.scsi.LogicalUnit;
import io.javisor.storage.scsi.PortGroups;
import io.javisor.storage.scsi.Sense;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A unit of a {@link SoftwareSan}, and who sees it under which number (its mask). Initiators that run are told of each change.
 * Safe from any thread.
 */
public final class SanVolume {
    private final SoftwareSan san;
    private final String name;
    private final LogicalUnit unit;
    private final @Nullable Runnable letGo;
    private final PortGroups groups;
    // Guarded by the SAN.
    private final Map<Wwn, Integer> masks = new HashMap<>();
    private @Nullable Integer forAll;

    SanVolume(SoftwareSan san, String name, LogicalUnit unit, @Nullable Runnable letGo, PortGroups groups) {
        this.san = san;
        this.name = name;
        this.unit = unit;
        this.letGo = letGo;
        this.groups = groups;
    }

    /** Its name in the SAN. */
    public String name() {
        return name;
    }

    /** The unit, shared by all who see it. */
    public LogicalUnit unit() {
        return unit;
    }

    /**
     * Shows it to one initiator.
     *
     * @param initiator its port name
     * @param lun 0 to 254
     * @throws IllegalArgumentException if the number is out of range, or the initiator sees another volume there
     */
    public void presentTo(Wwn initiator, int lun) {
        check(lun);
        san.change(() -> {
            Integer before = masks.put(initiator, lun);
            san.requireDistinct(() -> restore(initiator, before));
        });
    }

    /**
     * Shows it to all initiators that have no number of their own for it.
     *
     * @param lun 0 to 254
     * @throws IllegalArgumentException if the number is out of range, or an initiator sees another volume there
     */
    public void present(int lun) {
        check(lun);
        san.change(() -> {
            Integer before = forAll;
            forAll = lun;
            san.requireDistinct(() -> forAll = before);
        });
    }

    /** Takes an initiator's own number away. */
    public void hideFrom(Wwn initiator) {
        san.change(() -> masks.remove(initiator));
    }

    /** Shows it to nobody any more. */
    public void hide() {
        san.change(() -> {
            masks.clear();
            forAll = null;
        });
    }

    /** Says what a group of target ports lets through to it (ALUA). Initiators are told by a unit attention. */
    public void setAccess(int group, AccessState state) {
        groups.setState(group, state);
        unit.raise(Sense.accessStateChanged(), null);
    }

    private static void check(int lun) {
        if (lun < 0 || lun >= FabricLogin.LUNS) {
            throw new IllegalArgumentException("LUN " + lun + " is not in 0.." + (FabricLogin.LUNS - 1));
        }
    }

    private void restore(Wwn initiator, @Nullable Integer lun) {
        if (lun == null) {
            masks.remove(initiator);
        } else {
            masks.put(initiator, lun);
        }
    }

    /** The number under which an initiator sees it, or null. */
    @Nullable
    Integer lunFor(@Nullable Wwn initiator) {
        Integer own = initiator == null ? null : masks.get(initiator);
        return own == null ? forAll : own;
    }

    Set<Wwn> masked() {
        return masks.keySet();
    }

    void close() {
        if (letGo != null) {
            letGo.run();
        }
    }

    @Override
    public String toString() {
        return "volume " + name + " of SAN " + san.name();
    }
}
