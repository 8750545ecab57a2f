package io.javisor.storage.scsi;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Within which disks data can be copied without passing through an initiator: all units behind all targets of one initiator, as
 * a machine's controllers. Who sends a copy command must see both disks by itself. Safe from any thread.
 */
public final class CopyDomain {
    private final List<ScsiTarget> targets = new CopyOnWriteArrayList<>();

    void join(ScsiTarget target) {
        targets.add(target);
    }

    void leave(ScsiTarget target) {
        targets.remove(target);
    }

    private Stream<Nexus> nexuses() {
        return targets.stream().flatMap(t -> t.nexuses().values().stream());
    }

    /** The disk of a designator as page 0x83 has it; null if there is none. */
    @Nullable
    Nexus find(byte[] designator) {
        return nexuses()
                .filter(n -> n.unit() instanceof DiskUnit)
                .filter(n -> has(n, designator))
                .findFirst()
                .orElse(null);
    }

    /** Whether page 0x83 of a unit names it so: code set, association and type, reserved, length, identifier. */
    private static boolean has(Nexus nexus, byte[] designator) {
        byte[] page = nexus.unit().vitalProductData(nexus, 0x83);
        if (page == null) {
            return false;
        }
        for (int at = 4; at + 4 <= page.length; at += 4 + (page[at + 3] & 0xFF)) {
            int end = at + 4 + (page[at + 3] & 0xFF);
            if (end <= page.length && Arrays.equals(page, at, end, designator, 0, designator.length)) {
                return true;
            }
        }
        return false;
    }

    /** The data that a token stands for, with the way to it; null if nobody knows it (any more). */
    @Nullable
    Source source(byte[] token) {
        for (Nexus nexus : (Iterable<Nexus>) nexuses()::iterator) {
            Rod rod = nexus.unit() instanceof DiskUnit disk ? disk.rods().find(token) : null;
            if (rod != null) {
                return new Source(nexus, rod);
            }
        }
        return null;
    }

    /** What a token stands for. */
    record Source(Nexus nexus, Rod rod) {}
}
