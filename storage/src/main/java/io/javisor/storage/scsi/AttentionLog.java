package io.javisor.storage.scsi;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Unit attentions for initiators that may be connected in another process, the oldest first. Each process that reads it raises those
 * that it has not seen. Guarded by its owner.
 */
final class AttentionLog {
    private static final int MOST = 1024;

    private final Map<Entry, Long> entries = new LinkedHashMap<>();
    private long last;
    private long dropped; // the last one that is no longer here
    private long seen = -1; // none has been read yet

    private record Entry(Nexus.Id to, Sense attention) {}

    /** From now on what others add is new. */
    void begin() {
        seen = last;
    }

    void add(Nexus.Id to, Sense attention) {
        var entry = new Entry(to, attention);
        entries.remove(entry);
        last++;
        entries.put(entry, last);
        seen = last; // by who adds it
        while (entries.size() > MOST) {
            var eldest = entries.entrySet().iterator().next();
            dropped = eldest.getValue();
            entries.remove(eldest.getKey());
        }
    }

    void write(DataOutputStream out) throws IOException {
        out.writeLong(last);
        out.writeLong(dropped);
        out.writeInt(entries.size());
        for (var entry : entries.entrySet()) {
            out.writeUTF(entry.getKey().to().initiator().name());
            out.writeInt(entry.getKey().to().relativePort());
            out.writeShort(entry.getKey().attention().code());
            out.writeLong(entry.getValue());
        }
    }

    /** Takes over what was written, and raises what is new; all of a process's initiators hear of a reset if some of it is lost. */
    void read(DataInputStream in, Reservations.Attentions attentions) throws IOException {
        long newLast = in.readLong();
        long newDropped = in.readLong();
        int count = in.readInt();
        if (count < 0 || count > MOST || newLast < newDropped) {
            throw new IOException(count + " attentions, from " + newDropped + " to " + newLast);
        }
        var all = new LinkedHashMap<Entry, Long>();
        var fresh = new ArrayList<Entry>();
        for (int i = 0; i < count; i++) {
            var id = new Nexus.Id(new InitiatorPort(in.readUTF()), in.readInt());
            var entry = new Entry(id, new Sense(Sense.UNIT_ATTENTION, Short.toUnsignedInt(in.readShort())));
            long number = in.readLong();
            if (number <= newDropped || number > newLast) {
                throw new IOException("attention " + number + " is not in " + newDropped + ".." + newLast);
            }
            all.put(entry, number);
            if (seen >= 0 && number > seen) {
                fresh.add(entry);
            }
        }
        boolean lost = seen >= 0 && newDropped > seen;
        entries.clear();
        entries.putAll(all);
        last = newLast;
        dropped = newDropped;
        seen = newLast;
        fresh.forEach(entry -> attentions.raise(entry.to(), entry.attention()));
        if (lost) {
            attentions.raiseForAll(Sense.powerOn());
        }
    }
}
