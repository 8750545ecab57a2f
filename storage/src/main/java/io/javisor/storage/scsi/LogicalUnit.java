package io.javisor.storage.scsi;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.IoEngine;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A device server that all initiators share: it looks commands up, holds back those that a unit attention, the path's state
 * or a reservation forbids, runs the rest, and turns every failure into sense data. Safe from any thread.
 */
public abstract class LogicalUnit {
    private final Map<Integer, Operation> operations = new ConcurrentHashMap<>();
    private final BitSet withServiceAction = new BitSet(256);
    private final List<Nexus> nexuses = new CopyOnWriteArrayList<>();
    private final @Nullable Reservations reservations;
    private final @Nullable UnitSharing sharing;
    private final @Nullable CommandGate gate;
    private volatile @Nullable PortGroups groups;

    LogicalUnit() {
        this(null, null);
    }

    LogicalUnit(@Nullable Reservations reservations, @Nullable UnitSharing sharing) {
        this.reservations = reservations;
        this.sharing = sharing;
        gate = reservations == null ? null : reservations.gate();
        support("REQUEST SENSE", 0x03, -1, "03010000FF07", Operation.Access.ANY, true, this::requestSense);
        support("TEST UNIT READY", 0x00, -1, "000000000007", Operation.Access.ANY, false, this::testUnitReady);
        support("INQUIRY", 0x12, -1, "1201FFFFFF07", Operation.Access.ANY, true, this::inquiry);
        support(
                "REPORT SUPPORTED OPERATION CODES",
                0xA3,
                0x0C,
                "A31F87FFFFFFFFFFFFFF0007",
                Operation.Access.ANY,
                false,
                this::reportOperations);
    }

    final void support(
            String name,
            int opcode,
            int serviceAction,
            String usage,
            Operation.Access access,
            boolean always,
            Operation.Handler handler) {
        var operation = new Operation(name, opcode, serviceAction, Operation.hex(usage), access, always, handler);
        operations.put(operation.key(), operation);
        if (serviceAction >= 0) {
            withServiceAction.set(opcode);
        }
    }

    /** Names of the commands that it understands, with their operation codes in hexadecimal. */
    public final List<String> commands() {
        var names = new ArrayList<String>();
        new TreeMap<>(operations)
                .values()
                .forEach(o -> names.add(String.format(
                        o.serviceAction() < 0 ? "%02X %3$s" : "%02X/%02X %s",
                        o.opcode(),
                        o.serviceAction(),
                        o.name())));
        return names;
    }

    /** Connects an initiator by the only port. */
    public final Nexus attach(InitiatorPort initiator) {
        return attach(initiator, TargetPort.ONLY);
    }

    /**
     * Connects an initiator by a port.
     *
     * @throws HypervisorException with code {@code fc-name-in-use} if the unit is shared with another process, where it is connected
     */
    public final Nexus attach(InitiatorPort initiator, TargetPort port) {
        if (sharing != null && !sharing.claim(initiator.name())) {
            throw new HypervisorException(
                    "fc-name-in-use",
                    "port name " + initiator.name() + " is used by another process that shares a disk with this one",
                    "give each adapter names of its own, or end the machine that has them");
        }
        var nexus = new Nexus(this, initiator, port);
        nexuses.add(nexus);
        return nexus;
    }

    void detach(Nexus nexus) {
        nexus.preventRemoval(false);
        if (nexuses.remove(nexus) && sharing != null) {
            sharing.disclaim(nexus.id().initiator().name());
        }
    }

    /** Whether other processes change what is on it. */
    final boolean isShared() {
        return sharing != null;
    }

    /** Whether a command changes what others are let in by, and waits for them itself. */
    boolean isAlone(int opcode) {
        return false;
    }

    /** Who is connected. */
    final List<Nexus> nexuses() {
        return nexuses;
    }

    /** Says by which port groups the unit is reached; without, all ports are alike. */
    public final void setPortGroups(PortGroups portGroups) {
        groups = portGroups;
        if (operations.get(Operation.key(0xA3, 0x0A)) == null) {
            support(
                    "REPORT TARGET PORT GROUPS",
                    0xA3,
                    0x0A,
                    "A3EA00000000FFFFFFFF0007",
                    Operation.Access.ANY,
                    true,
                    (_, c) -> c.answer(portGroups.report(), c.u32(6)));
        }
    }

    final @Nullable PortGroups portGroups() {
        return groups;
    }

    /** Tells all initiators but one (or null) of something that happened. */
    public final void raise(Sense attention, @Nullable Nexus except) {
        for (Nexus nexus : nexuses) {
            if (!nexus.equals(except)) {
                nexus.raise(attention);
            }
        }
    }

    final ScsiResult execute(Nexus nexus, ScsiCommand command) {
        if (gate == null || isAlone(command.opcode())) {
            return perform(nexus, command);
        }
        try {
            gate.enter();
        } catch (ScsiError e) {
            return e.result();
        }
        try {
            return perform(nexus, command);
        } finally {
            gate.leave();
        }
    }

    private ScsiResult perform(Nexus nexus, ScsiCommand command) {
        int opcode = command.opcode();
        Operation operation =
                operations.get(Operation.key(opcode, withServiceAction.get(opcode) ? command.serviceAction() : -1));
        try {
            if (operation == null || !operation.always()) {
                Sense attention = nexus.takeAttention();
                if (attention != null) {
                    return ScsiResult.check(attention);
                }
            }
            if (operation == null) {
                return ScsiResult.check(withServiceAction.get(opcode) ? Sense.INVALID_FIELD : Sense.INVALID_OPCODE);
            }
            PortGroups paths = groups;
            if (paths != null && !operation.always()) {
                AccessState state = paths.state(nexus.port().group());
                if (state.refuses()) {
                    return ScsiResult.check(state.refusal());
                }
            }
            if (reservations != null && !reservations.allows(nexus.id(), operation.access())) {
                return ScsiResult.conflict();
            }
            return ScsiResult.good(operation.handler().run(nexus, command));
        } catch (ScsiError e) {
            return e.result();
        } catch (DiskException e) {
            return ScsiResult.check(sense(e));
        } catch (RuntimeException e) {
            failed(command, e);
            return ScsiResult.check(Sense.TARGET_FAILURE);
        }
    }

    /** Runs a command on the fast way: what has no attention, no reservation, an open path, and no error. */
    final @Nullable ScsiResult tryExecute(Nexus nexus, ScsiCommand command) {
        if (gate == null) {
            return tryPerform(nexus, command);
        }
        if (!gate.tryEnter()) {
            return null;
        }
        try {
            return tryPerform(nexus, command);
        } finally {
            gate.leave();
        }
    }

    private @Nullable ScsiResult tryPerform(Nexus nexus, ScsiCommand command) {
        if (!isPlain(nexus)) {
            return null;
        }
        try {
            long moved = attempt(command);
            return moved < 0 ? null : ScsiResult.good(moved);
        } catch (ScsiError | DiskException e) {
            return null; // who waits finds it again, and says it
        }
    }

    /** Begins a command on the same way. */
    final boolean begin(Nexus nexus, ScsiCommand command, IoEngine engine, IoEngine.Completion completion) {
        CommandGate entered = gate;
        if (entered == null) {
            return beginPlain(nexus, command, engine, completion);
        }
        if (!entered.tryEnter()) {
            return false;
        }
        boolean begun = false;
        try {
            begun = beginPlain(nexus, command, engine, moved -> {
                entered.leave();
                completion.ended(moved);
            });
            return begun;
        } finally {
            if (!begun) {
                entered.leave();
            }
        }
    }

    private boolean beginPlain(Nexus nexus, ScsiCommand command, IoEngine engine, IoEngine.Completion completion) {
        if (!isPlain(nexus)) {
            return false;
        }
        try {
            return begin(command, engine, completion);
        } catch (ScsiError | DiskException e) {
            return false; // who waits finds it again, and says it
        }
    }

    private boolean isPlain(Nexus nexus) {
        PortGroups paths = groups;
        return (paths == null || !paths.state(nexus.port().group()).refuses())
                && (reservations == null || !reservations.isReserved())
                && !nexus.hasAttention();
    }

    /** Begins a command that needs no thread to wait; false if there is no such way, or it is another one. */
    boolean begin(ScsiCommand command, IoEngine engine, IoEngine.Completion completion) {
        return false;
    }

    /** Runs a command that waits for nothing; returns how many bytes it moved, or −1 if it would wait or is another one. */
    long attempt(ScsiCommand command) {
        return -1;
    }

    /** Throws if a reservation or the path's state forbids a copy to use this unit. */
    final void requireAccess(Nexus nexus, Operation.Access access) {
        PortGroups paths = groups;
        if (paths != null) {
            AccessState state = paths.state(nexus.port().group());
            if (state.refuses()) {
                throw ScsiError.check(state.refusal());
            }
        }
        if (reservations != null && !reservations.allows(nexus.id(), access)) {
            throw ScsiError.conflict();
        }
    }

    /** Told of an error that should not happen; the initiator gets "internal target failure". */
    protected void failed(ScsiCommand command, RuntimeException cause) {
        System.getLogger("io.javisor.storage")
                .log(System.Logger.Level.ERROR, "SCSI command 0x" + Integer.toHexString(command.opcode()), cause);
    }

    /** The sense data of a disk's error. */
    static Sense sense(DiskException e) {
        return switch (e.kind()) {
            case RANGE -> Sense.OUT_OF_RANGE;
            case READ_ONLY -> Sense.WRITE_PROTECTED;
            case CLOSED -> new Sense(Sense.NOT_READY, 0x0400);
            case NO_SPACE -> new Sense(Sense.DATA_PROTECT, 0x2707); // space allocation failed write protect
            case READ, FORMAT -> new Sense(Sense.MEDIUM_ERROR, 0x1100); // unrecovered read error
            case WRITE -> new Sense(Sense.MEDIUM_ERROR, 0x0C00); // write error
            case BUSY, OPEN, PARENT, UNSUPPORTED -> Sense.TARGET_FAILURE;
        };
    }

    /** The same each time the unit is there, different from every other's. */
    public abstract UUID identity();

    abstract long testUnitReady(Nexus nexus, ScsiCommand command);

    abstract byte[] standardInquiry(Nexus nexus);

    /** A page of vital product data with its header, or null if there is none of this number. */
    abstract byte @Nullable [] vitalProductData(Nexus nexus, int page);

    private long inquiry(Nexus nexus, ScsiCommand command) {
        if (!command.bit(1, 0)) {
            if (command.u8(2) != 0) {
                throw ScsiError.check(Sense.INVALID_FIELD);
            }
            return command.answer(standardInquiry(nexus), command.u16(3));
        }
        byte[] page = vitalProductData(nexus, command.u8(2));
        if (page == null) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        return command.answer(page, command.u16(3));
    }

    private long requestSense(Nexus nexus, ScsiCommand command) {
        if (command.bit(1, 0)) {
            throw ScsiError.check(Sense.INVALID_FIELD); // descriptor format
        }
        Sense attention = nexus.takeAttention();
        return command.answer((attention == null ? Sense.NONE : attention).toByteArray(), command.u8(4));
    }

    /** SPC-4 section 6.35. */
    private long reportOperations(Nexus nexus, ScsiCommand command) {
        int how = command.u8(2) & 7;
        long allocation = command.u32(6);
        if (how == 0) {
            var all = new TreeMap<>(operations).values();
            ByteBuffer out = ByteBuffer.allocate(4 + 8 * all.size());
            out.putInt(8 * all.size());
            for (Operation o : all) {
                out.put((byte) o.opcode()).put((byte) 0);
                out.putShort((short) Math.max(0, o.serviceAction()));
                out.put((byte) 0).put((byte) (o.serviceAction() < 0 ? 0 : 1));
                out.putShort((short) o.usage().length);
            }
            return command.answer(out.array(), allocation);
        }
        int opcode = command.u8(3);
        boolean has = withServiceAction.get(opcode);
        if (how > 3 || (how == 1 && has) || (how == 2 && !has)) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        Operation o = operations.get(Operation.key(opcode, has ? command.u16(4) : -1));
        byte[] usage = o == null ? new byte[0] : o.usage();
        ByteBuffer out = ByteBuffer.allocate(4 + usage.length);
        out.put((byte) 0)
                .put((byte) (o == null ? 1 : 3))
                .putShort((short) usage.length)
                .put(usage);
        if (o != null && o.serviceAction() >= 0) {
            out.put(5, (byte) ((o.usage()[1] & 0xE0) | o.serviceAction()));
        }
        return command.answer(out.array(), allocation);
    }
}
