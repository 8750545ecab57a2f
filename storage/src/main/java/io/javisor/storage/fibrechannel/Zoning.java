package io.javisor.storage.fibrechannel;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which ports see each other: those that share a zone. Ports that are in no zone at all see each other if the default zone is
 * open. For one thread at a time: its SAN or fabric guards it.
 */
public final class Zoning {
    private final Map<String, Set<Wwn>> zones = new TreeMap<>();
    private boolean open = true;

    /** Makes a zone, or makes one anew. */
    public void set(String name, Set<Wwn> members) {
        zones.put(name, Set.copyOf(members));
    }

    /** Takes a zone away; false if there was none. */
    public boolean remove(String name) {
        return zones.remove(name) != null;
    }

    /** Says whether ports in no zone see each other; they do unless said otherwise. */
    public void setOpen(boolean everybody) {
        open = everybody;
    }

    /** All zones with their members; a copy. */
    public Map<String, Set<Wwn>> zones() {
        return Map.copyOf(zones);
    }

    /** Whether two ports see each other. */
    public boolean allows(Wwn one, Wwn other) {
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
