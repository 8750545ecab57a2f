package io.javisor.storage.npiv;

import io.javisor.linux.Errno;
import io.javisor.linux.IoVector;
import io.javisor.linux.LinuxException;
import io.javisor.linux.ScsiDevice;
import io.javisor.linux.ScsiDevice.Direction;
import io.javisor.linux.ScsiDevice.Outcome;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.scsi.ScsiCommand;
import io.javisor.storage.scsi.ScsiResult;
import io.javisor.storage.scsi.Sense;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A unit on the SAN, by its device on this host. While its path is gone it has none, and commands end with errors; when the
 * path is back it is the same unit by another device. Safe from any thread.
 */
final class PassedUnit {
    private static final System.Logger LOG = System.getLogger("io.javisor.storage.npiv");

    /** Of Linux's own disks it is 30 seconds; arrays take their time with UNMAP and WRITE SAME. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** As many segments as adapters commonly take, so that a list longer than that is seldom made. */
    private static final int FEW_PIECES = 128;

    // For each thread, which waits for one command at a time: memory for a list costs as much as the rest of a request.
    private static final ThreadLocal<IoVector> PIECES = ThreadLocal.withInitial(() -> new IoVector(FEW_PIECES));

    private static final int CONFLICT_STATUS_OF_HOST = 0x11;
    private static final int UNIT_ATTENTION = 6;
    private static final int LUNS_CHANGED = 0x3F0E;

    private final String identity;
    private final Runnable lunsChanged;
    private volatile @Nullable Way way;

    /** Where it is now. */
    private record Way(UnitScan.Found found, ScsiDevice device) {}

    /**
     * @param identity its name, the same by all paths and each time
     * @param lunsChanged called when the device says that there are other units than before
     */
    PassedUnit(String identity, Runnable lunsChanged) {
        this.identity = identity;
        this.lunsChanged = lunsChanged;
    }

    String identity() {
        return identity;
    }

    /** Its address on this host now; null while its path is gone. */
    UnitScan.@Nullable Found found() {
        Way now = way;
        return now == null ? null : now.found();
    }

    /**
     * Goes by a device from now on; false if it can't be opened, or is another unit's by then.
     *
     * @param still asked once the device is open
     */
    synchronized boolean open(UnitScan.Found found, Path devices, Predicate<UnitScan.Found> still) {
        Way before = way;
        if (before != null && before.found().equals(found)) {
            return true;
        }
        try {
            ScsiDevice device = ScsiDevice.open(devices.resolve(found.device()), found.writable());
            if (!still.test(found)) {
                device.close();
                return false; // at the next look
            }
            way = new Way(found, device); // first, so that the unit has a path at all times
            if (before != null) {
                before.device().close();
            }
            return true;
        } catch (LinuxException e) {
            LOG.log(System.Logger.Level.WARNING, "unit " + found + ": " + e.getMessage());
            close();
            return false;
        }
    }

    /** Its path is gone. */
    synchronized void close() {
        Way before = way;
        way = null;
        if (before != null) {
            before.device().close();
        }
    }

    ScsiResult execute(ScsiCommand command) {
        while (true) {
            Way now = way;
            if (now == null) {
                return ScsiResult.pathFailed();
            }
            try {
                return execute(now, command);
            } catch (IllegalStateException e) {
                if (now.equals(way)) {
                    return ScsiResult.pathFailed(); // the guest's memory is gone
                }
                // Its device was closed before the command was sent: by the one in its place, or not at all.
            }
        }
    }

    private ScsiResult execute(Way now, ScsiCommand command) {
        byte[] cdb = command.cdb();
        long in = command.in().byteSize();
        long out = command.out().byteSize();
        Sense refused = CommandPolicy.refusal(
                cdb, in != 0, out != 0, in + out, now.found().blockBytes());
        if (refused != null) {
            return ScsiResult.check(refused);
        }
        Direction direction = in + out == 0 ? Direction.NONE : CommandPolicy.direction(cdb);
        IoMemory data = direction == Direction.OUT ? command.out() : command.in();
        try {
            ScsiResult result = inParts(now, cdb, direction, data);
            look(result);
            return result;
        } catch (LinuxException e) {
            return refusedByKernel(e);
        }
    }

    private static ScsiResult refusedByKernel(LinuxException e) {
        return switch (e.errno()) {
            case Errno.ENOMEM, Errno.EAGAIN -> ScsiResult.busy();
            // More than the adapter takes, and no command that can be parted.
            case Errno.EINVAL, Errno.EIO, Errno.EOVERFLOW -> ScsiResult.check(Sense.INVALID_FIELD);
            default -> {
                LOG.log(System.Logger.Level.DEBUG, e.getMessage());
                yield ScsiResult.pathFailed();
            }
        };
    }

    private ScsiResult inParts(Way by, byte[] cdb, Direction direction, IoMemory data) {
        int block = by.found().blockBytes();
        long most = block == 0 ? 0 : by.found().mostBytes() / block;
        Transfer transfer = data.byteSize() > by.found().mostBytes() ? Transfer.of(cdb) : null;
        if (transfer == null || most == 0) {
            return pass(by, cdb, direction, data);
        }
        // A guest that reads may have more memory than it asks for, or less.
        long blocks = Math.min(transfer.blocks(), (data.byteSize() + block - 1) / block);
        long moved = 0;
        for (long at = 0; at < blocks; at += most) {
            long count = Math.min(most, transfer.blocks() - at);
            long from = at * block;
            long bytes = Math.min(count * block, data.byteSize() - from);
            ScsiResult part = pass(by, Transfer.part(cdb, at, count), direction, data.slice(from, bytes));
            moved += part.transferred();
            if (part.status() != ScsiResult.GOOD || part.transferred() != bytes) {
                return new ScsiResult(part.status(), part.sense(), moved, part.given());
            }
        }
        return ScsiResult.good(moved);
    }

    private static ScsiResult pass(Way by, byte[] cdb, Direction direction, IoMemory data) {
        boolean moves = direction != Direction.NONE;
        boolean direct = moves && isNative(data) && data.count() <= IoVector.MAX_PIECES;
        IoMemory given = direct || !moves ? data : IoMemory.allocate(data.byteSize());
        if (moves && !direct && direction == Direction.OUT) {
            data.get(0, given.piece(0));
        }
        Outcome outcome = execute(by, cdb, direction, given);
        if (moves && !direct && direction == Direction.IN) {
            data.put(0, given.piece(0).asSlice(0, outcome.transferred()));
        }
        return result(outcome);
    }

    private static Outcome execute(Way by, byte[] cdb, Direction direction, IoMemory data) {
        int count = direction == Direction.NONE ? 0 : data.count();
        IoVector pieces = count <= FEW_PIECES ? PIECES.get() : new IoVector(count);
        try {
            for (int i = 0; i < count; i++) {
                pieces.add(data.piece(i));
            }
            Outcome outcome = by.device().execute(cdb, direction, pieces, PATIENCE);
            if (outcome.hostStatus() != 0 && LOG.isLoggable(System.Logger.Level.DEBUG)) {
                LOG.log(
                        System.Logger.Level.DEBUG,
                        "unit " + by.found() + ", command 0x" + Integer.toHexString(cdb[0] & 0xFF) + ": host status 0x"
                                + Integer.toHexString(outcome.hostStatus()) + ", driver status 0x"
                                + Integer.toHexString(outcome.driverStatus()) + ", status 0x"
                                + Integer.toHexString(outcome.status()) + ", " + outcome.transferred() + " bytes");
            }
            return outcome;
        } finally {
            pieces.clear(); // keeps no guest's memory alive
        }
    }

    private static boolean isNative(IoMemory data) {
        for (int i = 0; i < data.count(); i++) {
            if (!data.piece(i).isNative()) {
                return false;
            }
        }
        return true;
    }

    /** What the guest is told: the device's own words if it has answered, else that the way is broken, or not now. */
    static ScsiResult result(Outcome outcome) {
        return switch (outcome.hostStatus()) {
            case 0 -> ScsiResult.passed(outcome.status(), outcome.sense(), outcome.transferred());
            // DID_BUS_BUSY, DID_SOFT_ERROR, DID_IMM_RETRY, DID_REQUEUE: the kernel would try again
            case 0x02, 0x0B, 0x0C, 0x0D -> ScsiResult.busy();
            // DID_NEXUS_FAILURE is how the middle layer tells of a reservation conflict, beside or instead of the
            // status
            case CONFLICT_STATUS_OF_HOST ->
                ScsiResult.passed(ScsiResult.RESERVATION_CONFLICT, outcome.sense(), outcome.transferred());
            default ->
                outcome.sense().length != 0 && outcome.status() == ScsiResult.CHECK_CONDITION
                        ? ScsiResult.passed(outcome.status(), outcome.sense(), outcome.transferred())
                        : ScsiResult.pathFailed();
        };
    }

    /** REPORTED LUNS DATA HAS CHANGED, told to the guest as it came, is also for this side. */
    private void look(ScsiResult result) {
        byte[] sense = result.senseData(32);
        boolean descriptors = sense.length >= 4 && (sense[0] & 0x7F) >= 0x72;
        boolean fixed = !descriptors && sense.length >= 14;
        int key = descriptors ? sense[1] & 0xF : fixed ? sense[2] & 0xF : 0;
        int code = descriptors
                ? (sense[2] & 0xFF) << 8 | sense[3] & 0xFF
                : fixed ? (sense[12] & 0xFF) << 8 | sense[13] & 0xFF : 0;
        if (key == UNIT_ATTENTION && code == LUNS_CHANGED) {
            lunsChanged.run();
        }
    }

    /** What the target that this unit is at says of its units (REPORT LUNS); null if it does not answer. */
    byte @Nullable [] reportLuns(int most) {
        Way now = way;
        if (now == null) {
            return null;
        }
        IoMemory into = IoMemory.allocate(most);
        byte[] cdb = new byte[12];
        cdb[0] = (byte) 0xA0;
        cdb[8] = (byte) (most >> 8);
        cdb[9] = (byte) most;
        var pieces = new IoVector(1);
        MemorySegment memory = into.piece(0);
        pieces.add(memory);
        try {
            for (int attempt = 0; attempt < 3; attempt++) { // a unit attention comes first, and once
                Outcome outcome = now.device().execute(cdb, Direction.IN, pieces, Duration.ofSeconds(10));
                if (outcome.hostStatus() == 0 && outcome.status() == ScsiResult.GOOD) {
                    return memory.asSlice(0, outcome.transferred()).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
                }
                if (outcome.hostStatus() != 0 || outcome.status() != ScsiResult.CHECK_CONDITION) {
                    return null;
                }
            }
        } catch (LinuxException | IllegalStateException e) {
            LOG.log(System.Logger.Level.DEBUG, "REPORT LUNS: " + e.getMessage());
        }
        return null;
    }
}
