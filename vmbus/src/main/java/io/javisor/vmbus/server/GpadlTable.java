package io.javisor.vmbus.server;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All GPADLs of a connection, within bounds. */
final class GpadlTable {
    /** GPADLs of a machine at most. */
    static final int MAX_COUNT = 8_192;
    /** GPADLs whose description is still coming in, at most. */
    static final int MAX_INCOMPLETE = 512;
    /** Words of all descriptions at most; a page is a word, so this is 4 GiB of guest memory. */
    static final int MAX_WORDS = 1 << 20;

    private record Key(int relId, int id) {}

    private final Map<Key, Gpadl> complete = new LinkedHashMap<>();
    // Bodies carry no channel ID, so handles are unique while they come in.
    private final Map<Integer, Gpadl.Incomplete> incomplete = new LinkedHashMap<>();
    // Handles whose TORNDOWN waits for a channel to close or a device to let go.
    private final Map<Key, Boolean> leaving = new HashMap<>();
    private int words;

    boolean hasRoom(int moreWords) {
        return complete.size() + incomplete.size() < MAX_COUNT
                && incomplete.size() < MAX_INCOMPLETE
                && words <= MAX_WORDS - moreWords;
    }

    boolean isKnown(int relId, int id) {
        return complete.containsKey(new Key(relId, id)) || incomplete.containsKey(id);
    }

    void begin(Gpadl.Incomplete gpadl) {
        incomplete.put(gpadl.id, gpadl);
        words += gpadl.total;
    }

    Gpadl.@Nullable Incomplete incomplete(int id) {
        return incomplete.get(id);
    }

    void drop(Gpadl.Incomplete gpadl) {
        if (incomplete.remove(gpadl.id, gpadl)) {
            words -= gpadl.total;
        }
    }

    void add(Gpadl gpadl) {
        complete.put(new Key(gpadl.relId(), gpadl.id()), gpadl);
        words += gpadl.size();
    }

    @Nullable
    Gpadl get(int relId, int id) {
        return complete.get(new Key(relId, id));
    }

    boolean remove(int relId, int id) {
        Gpadl gone = complete.remove(new Key(relId, id));
        leaving.remove(new Key(relId, id));
        if (gone == null) {
            return false;
        }
        words -= gone.size();
        return true;
    }

    /** Marks a GPADL whose TORNDOWN has to wait; false if it was marked already. */
    boolean leave(int relId, int id) {
        return leaving.put(new Key(relId, id), true) == null;
    }

    boolean isLeaving(int relId, int id) {
        return leaving.containsKey(new Key(relId, id));
    }

    /** Handles of a channel that wait to be torn down. */
    List<Integer> leaving(int relId) {
        List<Integer> ids = new ArrayList<>();
        for (Key key : leaving.keySet()) {
            if (key.relId == relId) {
                ids.add(key.id);
            }
        }
        ids.sort(null);
        return ids;
    }

    /** Forgets what a channel had. */
    void clear(int relId) {
        for (Gpadl gpadl : List.copyOf(complete.values())) {
            if (gpadl.relId() == relId) {
                remove(relId, gpadl.id());
            }
        }
        for (Gpadl.Incomplete gpadl : List.copyOf(incomplete.values())) {
            if (gpadl.relId == relId) {
                drop(gpadl);
            }
        }
        leaving.keySet().removeIf(key -> key.relId == relId);
    }

    void clear() {
        complete.clear();
        incomplete.clear();
        leaving.clear();
        words = 0;
    }

    Collection<Gpadl> all() {
        return complete.values();
    }

    Collection<Gpadl.Incomplete> allIncomplete() {
        return incomplete.values();
    }

    /** Words of all descriptions, whole or not. */
    int words() {
        return words;
    }
}
