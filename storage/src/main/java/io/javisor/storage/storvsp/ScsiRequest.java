package io.javisor.storage.storvsp;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.scsi.RemotePort;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import io.javisor.storage.scsi.ScsiTarget;
import io.javisor.vmbus.channel.GuestBuffer;
import io.javisor.vmbus.channel.Packet;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One SCSI request of a guest: made on the reactor; run and answered there if nothing has to be waited for, else on a worker. */
final class ScsiRequest {
    private static final int INQUIRY = 0x12;
    private static final int REPORT_LUNS = 0xA0;
    /** Bytes that the reactor copies itself: handing the request on takes as long as that. */
    private static final int MOST_AT_ONCE = 32 << 10;
    // Answers for targets that are not there, so that a guest that scans finds nothing and is content.
    private static final ScsiTarget NOBODY = new ScsiTarget();

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Packet packet;
    // The guest's packet, copied; what is not changed goes back as it came.
    private final MemorySegment wire;
    private final boolean hasExtension;
    private @Nullable ScsiCommand command;
    private boolean answered;

    ScsiRequest(Packet packet) {
        this.packet = packet;
        wire = MemorySegment.ofArray(packet.toByteArray());
        hasExtension = wire.byteSize() >= Protocol.PACKET_BYTES;
    }

    private long transferLength() {
        return Integer.toUnsignedLong(wire.get(U32, Protocol.TRANSFER_LENGTH));
    }

    int u8(int at) {
        return wire.get(JAVA_BYTE, at) & 0xFF;
    }

    /** Nanoseconds that it has to wait for what its unit may be asked. */
    long pace(@Nullable RemotePort target) {
        return target == null ? 0 : target.pace(u8(Protocol.LUN), transferLength());
    }

    /** Runs it and answers the guest if that needs no waiting; else nothing has happened that {@link #run} may not do again. */
    boolean tryRun(RemotePort target) {
        if (transferLength() > MOST_AT_ONCE) {
            return false;
        }
        try {
            ScsiCommand asked = command();
            ScsiResult result = asked == null ? null : target.tryExecute(u8(Protocol.LUN), asked);
            if (result != null) {
                answer(result);
            }
        } catch (RuntimeException e) {
            System.getLogger("io.javisor.storage").log(System.Logger.Level.ERROR, "SCSI request, at once", e);
        }
        return answered;
    }

    /**
     * Begins it without a thread that waits.
     *
     * @param completion told once the guest has its answer, or that it has none and {@link #run} is to make one
     * @return false if there is no such way: then nobody is told
     */
    boolean begin(RemotePort target, IoEngine engine, IoEngine.Completion completion) {
        try {
            ScsiCommand asked = command();
            return asked != null
                    && target.begin(u8(Protocol.LUN), asked, engine, moved -> {
                        try {
                            if (moved >= 0) {
                                answer(ScsiResult.good(moved));
                            }
                        } finally {
                            completion.ended(moved);
                        }
                    });
        } catch (RuntimeException e) {
            System.getLogger("io.javisor.storage").log(System.Logger.Level.ERROR, "SCSI request, begun", e);
            return false;
        }
    }

    /** Runs it and answers the guest. */
    void run(@Nullable RemotePort target) {
        try {
            attempt(target);
        } catch (RuntimeException e) {
            System.getLogger("io.javisor.storage").log(System.Logger.Level.ERROR, "SCSI request", e);
            if (!answered) {
                fail(Protocol.SRB_ERROR);
            }
        }
    }

    private void attempt(@Nullable RemotePort target) {
        ScsiCommand asked = command();
        if (asked == null) {
            fail(Protocol.SRB_INVALID_REQUEST);
            return;
        }
        int lun = u8(Protocol.LUN);
        int opcode = u8(Protocol.CDB);
        boolean absent = target == null || !target.answersFor(lun);
        if (absent && opcode != INQUIRY && opcode != REPORT_LUNS) {
            fail(Protocol.SRB_INVALID_LUN);
            return;
        }
        ScsiResult result = (target == null ? NOBODY : target).execute(lun, asked);
        if (result.status() == ScsiResult.PATH_FAILED && opcode == INQUIRY) {
            // Linux takes what an INQUIRY brought whatever became of it, and zeroes for a disk.
            long unknown = NOBODY.execute(lun, asked).transferred();
            result = ScsiResult.pathFailed(unknown);
        }
        answer(result);
    }

    /** What the guest asks; null if that makes no sense. */
    private @Nullable ScsiCommand command() {
        ScsiCommand known = command;
        if (known != null) {
            return known;
        }
        long length = transferLength();
        int cdbLength = u8(Protocol.CDB_LENGTH);
        GuestBuffer buffer = packet.buffer();
        if (cdbLength == 0 || cdbLength > Protocol.CDB_BYTES || length > buffer.length()) {
            return null;
        }
        byte[] cdb = new byte[cdbLength];
        MemorySegment.copy(wire, JAVA_BYTE, Protocol.CDB, cdb, 0, cdbLength);
        ScsiCommand made = switch (u8(Protocol.DIRECTION)) {
            case Protocol.DIRECTION_IN -> ScsiCommand.reading(cdb, memory(buffer, length));
            case Protocol.DIRECTION_OUT -> ScsiCommand.writing(cdb, memory(buffer, length));
            default -> ScsiCommand.of(cdb);
        };
        command = made;
        return made;
    }

    private static IoMemory memory(GuestBuffer buffer, long length) {
        return IoMemory.of(buffer.count(), buffer::segment).slice(0, length);
    }

    private void answer(ScsiResult result) {
        int status = switch (result.status()) {
            case ScsiResult.GOOD -> Protocol.SRB_SUCCESS;
            case ScsiResult.BUSY, ScsiResult.TASK_SET_FULL -> Protocol.SRB_BUSY;
            default -> Protocol.SRB_ERROR;
        };
        wire.set(JAVA_BYTE, Protocol.SCSI_STATUS, (byte)
                (result.status() == ScsiResult.PATH_FAILED ? 0 : result.status()));
        wire.set(U32, Protocol.TRANSFER_LENGTH, (int) result.transferred());
        byte[] sense = result.senseData(hasExtension ? Protocol.SENSE_BYTES : Protocol.OLD_SENSE_BYTES);
        if (result.status() == ScsiResult.RESERVATION_CONFLICT) {
            // It has no sense data. If there is none said to be, Linux takes the error for the transport's, and what
            // asks in the
            // guest (sg_persist, cluster software) does not learn that it is a conflict.
            status |= Protocol.SRB_SENSE_VALID;
            wire.asSlice(Protocol.CDB, Protocol.SENSE_BYTES).fill((byte) 0);
        }
        if (sense.length != 0) {
            status |= Protocol.SRB_SENSE_VALID;
            byte[] area = hasExtension ? Arrays.copyOf(sense, Protocol.SENSE_BYTES) : sense;
            MemorySegment.copy(area, 0, wire, JAVA_BYTE, Protocol.CDB, area.length);
        }
        wire.set(JAVA_BYTE, Protocol.SENSE_LENGTH, (byte) sense.length);
        finish(status);
    }

    /** Answers without having asked a disk. */
    void fail(int srbStatus) {
        wire.set(JAVA_BYTE, Protocol.SCSI_STATUS, (byte) 0);
        wire.set(JAVA_BYTE, Protocol.SENSE_LENGTH, (byte) 0);
        wire.set(U32, Protocol.TRANSFER_LENGTH, 0);
        finish(srbStatus);
    }

    private void finish(int srbStatus) {
        answered = true;
        wire.set(JAVA_BYTE, Protocol.SRB_STATUS, (byte) srbStatus);
        wire.set(U32, Protocol.OPERATION, Protocol.COMPLETE_IO);
        wire.set(U32, Protocol.STATUS, Protocol.STATUS_SUCCESS);
        packet.complete(wire);
    }
}
