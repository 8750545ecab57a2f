package io.javisor.storage.scsi;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongSupplier;

/** PERSISTENT RESERVE IN and OUT (SPC-4 sections 6.15 and 6.16): the wire form of {@link Reservations}. */
final class ReservationCommands {
    private static final int PARAMETER_BYTES = 24;

    private final Reservations reservations;

    ReservationCommands(Reservations reservations) {
        this.reservations = reservations;
    }

    void addTo(LogicalUnit unit) {
        String in = "5EE00000000000FFFF07";
        add(unit, "PERSISTENT RESERVE IN: READ KEYS", 0x5E, 0, in, (_, c) -> readKeys(c));
        add(unit, "PERSISTENT RESERVE IN: READ RESERVATION", 0x5E, 1, in, (_, c) -> readReservation(c));
        add(unit, "PERSISTENT RESERVE IN: REPORT CAPABILITIES", 0x5E, 2, in, (_, c) -> reportCapabilities(c));
        add(unit, "PERSISTENT RESERVE IN: READ FULL STATUS", 0x5E, 3, in, (_, c) -> readFullStatus(c));
        String out = "5FE0FF0000FFFFFFFF07";
        add(unit, "PERSISTENT RESERVE OUT: REGISTER", 0x5F, 0, out, (n, c) -> change(() -> register(n, c, false)));
        add(
                unit,
                "PERSISTENT RESERVE OUT: RESERVE",
                0x5F,
                1,
                out,
                (n, c) -> change(() -> {
                    reservations.reserve(n.id(), parameters(c).getLong(0), type(c));
                    return PARAMETER_BYTES;
                }));
        add(
                unit,
                "PERSISTENT RESERVE OUT: RELEASE",
                0x5F,
                2,
                out,
                (n, c) -> change(() -> {
                    reservations.release(n.id(), parameters(c).getLong(0), type(c));
                    return PARAMETER_BYTES;
                }));
        add(
                unit,
                "PERSISTENT RESERVE OUT: CLEAR",
                0x5F,
                3,
                out,
                (n, c) -> change(() -> {
                    reservations.clear(n.id(), parameters(c).getLong(0));
                    return PARAMETER_BYTES;
                }));
        add(unit, "PERSISTENT RESERVE OUT: PREEMPT", 0x5F, 4, out, (n, c) -> change(() -> preempt(n, c)));
        add(unit, "PERSISTENT RESERVE OUT: PREEMPT AND ABORT", 0x5F, 5, out, (n, c) -> {
            reservations.requireKey(n.id(), parameters(c).getLong(0)); // who may not preempt holds nobody up
            return reservations.changeAlone(() -> preempt(n, c));
        });
        add(
                unit,
                "PERSISTENT RESERVE OUT: REGISTER AND IGNORE EXISTING KEY",
                0x5F,
                6,
                out,
                (n, c) -> change(() -> register(n, c, true)));
    }

    private long change(LongSupplier what) {
        return reservations.change(what);
    }

    private static void add(
            LogicalUnit unit, String name, int opcode, int action, String usage, Operation.Handler handler) {
        unit.support(name, opcode, action, usage, Operation.Access.ANY, false, handler);
    }

    private static ByteBuffer parameters(ScsiCommand command) {
        long length = command.u32(5);
        if (length != PARAMETER_BYTES) {
            throw ScsiError.check(Sense.PARAMETER_LENGTH);
        }
        ByteBuffer parameters = ByteBuffer.wrap(command.parameters(length, PARAMETER_BYTES));
        // SPEC_I_PT and ALL_TG_PT are not offered.
        if ((parameters.get(20) & 0x0C) != 0) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        return parameters;
    }

    private static int type(ScsiCommand command) {
        int scopeAndType = command.u8(2);
        if (!Reservations.isType(scopeAndType)) { // scope, the upper half, is 0: the unit
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        return scopeAndType;
    }

    private long register(Nexus nexus, ScsiCommand command, boolean ignoreKey) {
        ByteBuffer p = parameters(command);
        reservations.register(nexus.id(), p.getLong(0), p.getLong(8), ignoreKey, (p.get(20) & 1) != 0);
        return PARAMETER_BYTES;
    }

    private long preempt(Nexus nexus, ScsiCommand command) {
        ByteBuffer p = parameters(command);
        reservations.preempt(nexus.id(), p.getLong(0), p.getLong(8), type(command));
        return PARAMETER_BYTES;
    }

    private long readKeys(ScsiCommand command) {
        List<Reservations.Registration> all = reservations.registrations();
        ByteBuffer out = ByteBuffer.allocate(8 + 8 * all.size());
        out.putInt(reservations.generation());
        out.putInt(8 * all.size());
        all.forEach(r -> out.putLong(r.key()));
        return command.answer(out.array(), command.u16(7));
    }

    private long readReservation(ScsiCommand command) {
        int type = reservations.type();
        ByteBuffer out = ByteBuffer.allocate(type == 0 ? 8 : 24);
        out.putInt(reservations.generation());
        if (type != 0) {
            out.putInt(16);
            out.putLong(reservations.holderKey());
            out.put(21, (byte) type);
        }
        return command.answer(out.array(), command.u16(7));
    }

    private long reportCapabilities(ScsiCommand command) {
        ByteBuffer out = ByteBuffer.allocate(8);
        out.putShort((short) 8);
        out.put((byte) (reservations.canPersist() ? 1 : 0));
        out.put((byte) (0x80 | (reservations.persists() ? 1 : 0)));
        out.putShort((short) 0xEA01); // all six types
        return command.answer(out.array(), command.u16(7));
    }

    private long readFullStatus(ScsiCommand command) {
        List<Reservations.Registration> all = reservations.registrations();
        int length = 8;
        for (Reservations.Registration r : all) {
            length += 24 + r.id().initiator().transportId().length;
        }
        ByteBuffer out = ByteBuffer.allocate(length);
        out.putInt(reservations.generation());
        out.putInt(length - 8);
        for (Reservations.Registration r : all) {
            byte[] transport = r.id().initiator().transportId();
            int at = out.position();
            out.putLong(r.key());
            out.put(at + 12, (byte) (r.holds() ? 1 : 0));
            out.put(at + 13, (byte) (r.holds() ? reservations.type() : 0));
            out.putShort(at + 18, (short) r.id().relativePort());
            out.putInt(at + 20, transport.length);
            out.position(at + 24);
            out.put(transport);
        }
        return command.answer(out.array(), command.u16(7));
    }
}
