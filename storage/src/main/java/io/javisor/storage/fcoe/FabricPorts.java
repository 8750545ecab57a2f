package io.javisor.storage.fcoe;

import io.javisor.storage.fibrechannel.Wwn;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Who is logged in, by address. An address tells the link: domain 1, the link's number plus 1, a number there. */
final class FabricPorts {
    static final int MOST_LINKS = 255;
    private static final int DOMAIN = 0x010000;
    private static final int MOST_A_LINK = 256;
    private static final int TYPES = 32;

    private final TreeMap<Integer, Entry> entries = new TreeMap<>();

    /** A login. */
    static final class Entry {
        final int id;
        final int link;
        final Wwn portName;
        final Wwn nodeName;
        /** The host's own address, from which it logged in. */
        final long host;

        final boolean virtual;
        /** FC-4 types that it has registered, as in RFT_ID. */
        byte[] types = new byte[TYPES];
        /** Features of FCP that it has registered: 1 target, 2 initiator. */
        int features;
        /** Whether others have been told of it. */
        boolean announced;
        /** Whether it wants to be told of others. */
        boolean listens;
        /** When it was last heard of. */
        long seen;

        private Entry(int id, int link, Wwn portName, Wwn nodeName, long host, boolean virtual, long now) {
            this.id = id;
            this.link = link;
            this.portName = portName;
            this.nodeName = nodeName;
            this.host = host;
            this.virtual = virtual;
            seen = now;
        }

        long mac() {
            return Mac.of(id);
        }

        /** Whether it has registered an FC-4 type: words of 32 types, the highest first in each. */
        boolean has(int type) {
            return (types[type / 32 * 4 + 3 - type % 32 / 8] >> type % 8 & 1) != 0;
        }

        FabricPort view() {
            return new FabricPort(id, portName, nodeName, link, virtual, (features & 1) != 0, (features & 2) != 0);
        }
    }

    /** Gives an address; null if the link has no more. */
    @Nullable
    Entry add(int link, Wwn portName, Wwn nodeName, long host, boolean virtual, long now) {
        int first = DOMAIN | (link + 1) << 8;
        for (int id = first; id < first + MOST_A_LINK; id++) {
            if (!entries.containsKey(id)) {
                var entry = new Entry(id, link, portName, nodeName, host, virtual, now);
                entries.put(id, entry);
                return entry;
            }
        }
        return null;
    }

    void remove(Entry entry) {
        entries.remove(entry.id);
    }

    @Nullable
    Entry byId(int id) {
        return entries.get(id);
    }

    @Nullable
    Entry byName(Wwn portName) {
        for (Entry entry : entries.values()) {
            if (entry.portName.equals(portName)) {
                return entry;
            }
        }
        return null;
    }

    /** All, by their addresses; a copy. */
    List<Entry> all() {
        return new ArrayList<>(entries.values());
    }

    /** All of a host on a link. */
    List<Entry> of(int link, long host) {
        return all().stream().filter(e -> e.link == link && e.host == host).toList();
    }
}
