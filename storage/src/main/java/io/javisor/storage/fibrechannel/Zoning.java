package io.javisor.storage.fibrechannel;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which ports see each other: those that share a zone. Ports that are in no zone at all see each other if the default zone is
 * open. Guarded by its SAN.
 */
final class Zoning {
    private final Map<String, Set<Wwn>> zones = new TreeMap<>();
    private boolean open = true;

    void set(String name, Set<Wwn> members) {
        zones.put(name, Set.copyOf(members));
    }

    boolean remove(String name) {
        return zones.remove(name) != null;
    }

    void setOpen(boolean everybody) {
        open = everybody;
    }

    Map<String, Set<Wwn>> zones() {
        return Map.copyOf(zones);
    }

    boolean allows(Wwn one, Wwn other) {
        boolean zoned = false;
        for (Set<Wwn> members : zones.values()) {
            boolean has = members.contains(one);
            boolean hasOther = members.contains(other);
            if (has && hasOther) {
                return true;
            }
            zoned |= has || hasOther;
        }
        return open && !zoned;
    }
}
