package io.javisor.storage.scsi;

import io.javisor.storage.disk.DiskException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Persistent reservations of one unit (SPC-4 section 5.13): who is registered under which key, and who holds the reservation.
 * Safe from any thread.
 */
final class Reservations implements UnitSharing.State {
    static final int WRITE_EXCLUSIVE = 1;
    static final int EXCLUSIVE_ACCESS = 3;
    static final int WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5;
    static final int EXCLUSIVE_ACCESS_REGISTRANTS_ONLY = 6;
    static final int WRITE_EXCLUSIVE_ALL_REGISTRANTS = 7;
    static final int EXCLUSIVE_ACCESS_ALL_REGISTRANTS = 8;

    static final Sense PREEMPTED = new Sense(Sense.UNIT_ATTENTION, 0x2A03);
    static final Sense RELEASED = new Sense(Sense.UNIT_ATTENTION, 0x2A04);
    static final Sense REGISTRATIONS_PREEMPTED = new Sense(Sense.UNIT_ATTENTION, 0x2A05);

    /** Bounds memory: each registration costs a name and a key. */
    private static final int MOST_REGISTRATIONS = 1024;

    private static final int STATE_VERSION = 1;

    /** Tells an initiator of what another did. */
    interface Attentions {
        void raise(Nexus.Id to, Sense attention);

        /** The same for all. */
        void raiseForAll(Sense attention);
    }

    private final Map<Nexus.Id, Long> keys = new LinkedHashMap<>();
    private final @Nullable ReservationStore store;
    private final @Nullable UnitSharing sharing;
    private final CommandGate gate;
    private final Attentions attentions;
    private final AttentionLog log = new AttentionLog(); // for the initiators of other processes
    private int generation;
    // 0: none. Read without the lock by allows(), which most often finds none.
    private volatile int type;
    private Nexus.@Nullable Id holder; // null with types for all registrants
    private boolean persists;

    Reservations(@Nullable ReservationStore store, Attentions attentions) {
        this(store, null, attentions);
    }

    /**
     * @param store where they outlive the unit, or null
     * @param sharing with other processes, or null; joined here
     */
    Reservations(@Nullable ReservationStore store, @Nullable UnitSharing sharing, Attentions attentions) {
        this.store = store;
        this.sharing = sharing;
        this.attentions = attentions;
        gate = sharing == null ? new CommandGate() : sharing.gate();
        if (sharing == null) {
            loadStored();
            gate.open();
        } else {
            sharing.join(this);
        }
    }

    private void loadStored() {
        if (store != null) {
            byte[] state = store.load();
            if (state.length > 0) {
                restore(state);
                persists = true;
            }
        }
    }

    /** Where commands enter that are let run by them. */
    CommandGate gate() {
        return gate;
    }

    /** Changes them; if they are shared, while no command runs. */
    long change(LongSupplier what) {
        UnitSharing others = sharing;
        return others == null ? what.getAsLong() : others.alone(what::getAsLong);
    }

    /** Changes them while no command runs: what was let in before is over when this returns. */
    long changeAlone(LongSupplier what) {
        return sharing == null ? gate.alone(what) : change(what);
    }

    @Override
    public synchronized byte[] initial() {
        loadStored();
        log.begin();
        return save();
    }

    @Override
    public synchronized byte[] save() {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            byte[] state = state();
            out.writeInt(state.length);
            out.write(state);
            out.writeInt(generation);
            out.writeBoolean(persists);
            log.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    @Override
    public synchronized void load(byte[] bytes) {
        try (var in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int length = in.readInt();
            if (length < 0 || length > bytes.length) {
                throw new IOException("a state of " + length + " bytes");
            }
            restore(in.readNBytes(length));
            generation = in.readInt();
            persists = in.readBoolean() && store != null;
            log.read(in, attentions);
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(e);
        }
    }

    static boolean isType(int type) {
        return type == WRITE_EXCLUSIVE
                || type == EXCLUSIVE_ACCESS
                || (type >= WRITE_EXCLUSIVE_REGISTRANTS_ONLY && type <= EXCLUSIVE_ACCESS_ALL_REGISTRANTS);
    }

    private static boolean isForAll(int type) {
        return type >= WRITE_EXCLUSIVE_ALL_REGISTRANTS;
    }

    boolean allows(Nexus.Id id, Operation.Access access) {
        if (type == 0 || access == Operation.Access.ANY) {
            return true;
        }
        synchronized (this) {
            if (type == 0 || holds(id)) {
                return true;
            }
            boolean writeExclusive = type == WRITE_EXCLUSIVE
                    || type == WRITE_EXCLUSIVE_REGISTRANTS_ONLY
                    || type == WRITE_EXCLUSIVE_ALL_REGISTRANTS;
            return (writeExclusive && access == Operation.Access.READ)
                    || (type >= WRITE_EXCLUSIVE_REGISTRANTS_ONLY && keys.containsKey(id));
        }
    }

    /** Whether there is one, so that {@link #allows} may have to wait for who changes it. */
    boolean isReserved() {
        return type != 0;
    }

    private boolean holds(Nexus.Id id) {
        return isForAll(type) ? keys.containsKey(id) : id.equals(holder);
    }

    boolean canPersist() {
        return store != null;
    }

    synchronized boolean persists() {
        return persists;
    }

    synchronized int generation() {
        return generation;
    }

    /** A registration, as READ FULL STATUS tells it. */
    record Registration(Nexus.Id id, long key, boolean holds) {}

    synchronized List<Registration> registrations() {
        var list = new ArrayList<Registration>();
        keys.forEach((id, key) -> list.add(new Registration(id, key, type != 0 && holds(id))));
        return list;
    }

    synchronized int type() {
        return type;
    }

    /** Key of who holds the reservation; 0 if all registrants do. */
    synchronized long holderKey() {
        Nexus.Id by = holder;
        return by == null ? 0 : keys.getOrDefault(by, 0L);
    }

    /** REGISTER and REGISTER AND IGNORE EXISTING KEY. */
    synchronized void register(Nexus.Id id, long key, long newKey, boolean ignoreKey, boolean persist) {
        if (persist && store == null) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        if (!ignoreKey && keys.getOrDefault(id, 0L) != key) {
            throw ScsiError.conflict();
        }
        if (newKey == 0) {
            if (keys.containsKey(id)) {
                unregister(id);
                generation++;
            }
        } else {
            if (!keys.containsKey(id) && keys.size() >= MOST_REGISTRATIONS) {
                throw ScsiError.check(new Sense(Sense.ILLEGAL_REQUEST, 0x5504)); // no room for a registration
            }
            keys.put(id, newKey);
            generation++;
        }
        boolean before = persists;
        persists = persist;
        save(before);
    }

    private void unregister(Nexus.Id id) {
        int was = type;
        boolean held = was != 0 && holds(id);
        keys.remove(id);
        if (held && (!isForAll(was) || keys.isEmpty())) {
            type = 0;
            holder = null;
            if (was == WRITE_EXCLUSIVE_REGISTRANTS_ONLY || was == EXCLUSIVE_ACCESS_REGISTRANTS_ONLY) {
                tell(RELEASED, id);
            }
        }
    }

    /** Throws unless an initiator is registered under a key. */
    synchronized void requireKey(Nexus.Id id, long key) {
        Long mine = keys.get(id);
        if (mine == null || mine != key) {
            throw ScsiError.conflict();
        }
    }

    synchronized void reserve(Nexus.Id id, long key, int newType) {
        requireKey(id, key);
        if (type != 0) {
            if (!holds(id) || type != newType) {
                throw ScsiError.conflict();
            }
            return;
        }
        hold(id, newType);
        save(persists);
    }

    private void hold(Nexus.Id id, int newType) {
        type = newType;
        holder = isForAll(newType) ? null : id;
    }

    synchronized void release(Nexus.Id id, long key, int oldType) {
        requireKey(id, key);
        if (type == 0 || !holds(id)) {
            return;
        }
        if (type != oldType) {
            throw ScsiError.check(
                    new Sense(Sense.ILLEGAL_REQUEST, 0x2604)); // invalid release of persistent reservation
        }
        int was = type;
        type = 0;
        holder = null;
        if (was >= WRITE_EXCLUSIVE_REGISTRANTS_ONLY) {
            tell(RELEASED, id);
        }
        save(persists);
    }

    synchronized void clear(Nexus.Id id, long key) {
        requireKey(id, key);
        tell(PREEMPTED, id);
        keys.clear();
        type = 0;
        holder = null;
        generation++;
        save(persists);
    }

    /** PREEMPT, and PREEMPT AND ABORT, which finds nothing to abort: it is done {@linkplain #changeAlone alone}. */
    synchronized void preempt(Nexus.Id id, long key, long victim, int newType) {
        requireKey(id, key);
        boolean all = type != 0 && isForAll(type);
        boolean takesOver = type != 0 && (all ? victim == 0 : victim == holderKey());
        if (!takesOver && victim == 0) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        List<Nexus.Id> gone = keys.entrySet().stream()
                .filter(e -> (all && victim == 0) || e.getValue() == victim)
                .map(Map.Entry::getKey)
                .filter(other -> !(takesOver && other.equals(id)))
                .toList();
        if (!takesOver && gone.isEmpty()) {
            throw ScsiError.conflict();
        }
        int was = type;
        gone.forEach(keys::remove);
        if (takesOver) {
            hold(id, newType);
            if (was != newType) {
                tell(RELEASED, id);
            }
        } else if (type != 0 && keys.isEmpty()) {
            type = 0; // preempted its own registration, the last of all registrants
        }
        for (Nexus.Id other : gone) {
            if (!other.equals(id)) {
                raise(other, REGISTRATIONS_PREEMPTED);
            }
        }
        generation++;
        save(persists);
    }

    private void tell(Sense attention, Nexus.Id except) {
        for (Nexus.Id id : keys.keySet()) {
            if (!id.equals(except)) {
                raise(id, attention);
            }
        }
    }

    private void raise(Nexus.Id to, Sense attention) {
        attentions.raise(to, attention);
        if (sharing != null) {
            log.add(to, attention);
        }
    }

    private void save(boolean persistedBefore) {
        if (store != null && (persists || persistedBefore)) {
            store.save(persists ? state() : new byte[0]);
        }
    }

    private byte[] state() {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            out.writeInt(STATE_VERSION);
            out.writeInt(type);
            out.writeInt(keys.size());
            for (var entry : keys.entrySet()) {
                Nexus.Id id = entry.getKey();
                out.writeUTF(id.initiator().name());
                out.writeInt(id.relativePort());
                out.writeLong(entry.getValue());
                out.writeBoolean(id.equals(holder));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private void restore(byte[] state) {
        try (var in = new DataInputStream(new ByteArrayInputStream(state))) {
            int version = in.readInt();
            int savedType = in.readInt();
            int count = in.readInt();
            if (version != STATE_VERSION
                    || (savedType != 0 && !isType(savedType))
                    || count < 0
                    || count > MOST_REGISTRATIONS) {
                throw new IOException("version " + version + ", type " + savedType + ", " + count + " registrations");
            }
            Nexus.Id by = null;
            var all = new LinkedHashMap<Nexus.Id, Long>();
            for (int i = 0; i < count; i++) {
                var id = new Nexus.Id(new InitiatorPort(in.readUTF()), in.readInt());
                all.put(id, in.readLong());
                if (in.readBoolean()) {
                    by = id;
                }
            }
            keys.clear();
            keys.putAll(all);
            holder = by;
            type = by != null || (isForAll(savedType) && count > 0) ? savedType : 0;
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(e);
        }
    }

    private static DiskException damaged(Exception e) {
        return new DiskException(
                DiskException.Kind.FORMAT, "saved reservations are damaged: " + e, null, 0, "delete them", e);
    }
}
