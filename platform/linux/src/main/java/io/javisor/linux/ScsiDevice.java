package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A SCSI device of the host, by its block device or sg device: commands pass through to it as they are (SG_IO, scsi/sg.h). The
 * calling thread waits for each. Safe from any thread.
 *
 * <p>A block device's ioctl waits for its command come what may. That of an sg device can be broken off by a signal and is then
 * begun anew: pass nothing through it that must not happen twice.
 *
 * <p>There is no asynchronous way, by what the kernel's sources say. In Linux 6.1 and 6.12 {@code /dev/bsg} (sg_io_v4) has no operation
 * but ioctl (block/bsg.c, bsg_fops), which waits; its read and write are gone since 2018, and the submitting ioctls that were proposed
 * for sg (SG_IOSUBMIT) are in no released kernel. The old sg_io_hdr can be written to an sg device and read back
 * (drivers/scsi/sg.c), but then data is copied through the kernel's memory unless the whole host is switched to direct transfers
 * (allow_dio), lists of pieces always, and 16 commands is the most. Kernels from 2026 on may take commands for bsg by io_uring.
 */
public final class ScsiDevice implements AutoCloseable {
    /** Longest sense data that is asked for; drivers of Linux keep 96 bytes. */
    private static final int SENSE_BYTES = 96;

    private static final int MOST_CDB_BYTES = 32;
    private static final long SG_IO = 0x2285;
    private static final int INTERFACE = 'S';

    // struct sg_io_hdr
    private static final int HEADER_BYTES = 88;
    private static final int DIRECTION = 4;
    private static final int CDB_LENGTH = 8;
    private static final int SENSE_LENGTH = 9;
    private static final int VECTORS = 10;
    private static final int LENGTH = 12;
    private static final int DATA = 16;
    private static final int CDB = 24;
    private static final int SENSE = 32;
    private static final int TIMEOUT = 40;
    private static final int STATUS = 64;
    private static final int SENSE_WRITTEN = 67;
    private static final int HOST_STATUS = 68;
    private static final int DRIVER_STATUS = 70;
    private static final int RESIDUAL = 72;

    private static final int COMMAND_AT = HEADER_BYTES;
    private static final int SENSE_AT = COMMAND_AT + MOST_CDB_BYTES;
    private static final byte[] NO_SENSE = new byte[0];

    // For each thread, which waits for one command at a time: the header, the command and its sense data. Given back
    // when the thread is collected.
    private static final ThreadLocal<MemorySegment> BLOCK =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(SENSE_AT + SENSE_BYTES, 8));

    // The two last pointers are none of ioctl's parameters: they keep the scopes of the data's memory alive during the
    // call.
    private static final MethodHandle IOCTL =
            Libc.variadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS));

    private final HostFile file;

    private ScsiDevice(HostFile file) {
        this.file = file;
    }

    /** Which way a command's data goes. */
    public enum Direction {
        /** There is none. */
        NONE(-1),
        /** To the device. */
        OUT(-2),
        /** From the device. */
        IN(-3);

        private final int code;

        Direction(int code) {
            this.code = code;
        }
    }

    /**
     * What became of a command.
     *
     * @param status the device's (SAM)
     * @param hostStatus the adapter's driver's, 0 if the device has answered (DID_…, scsi/scsi_status.h)
     * @param driverStatus the middle layer's
     * @param sense why, empty if the device did not say
     * @param transferred bytes that were moved
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    public record Outcome(int status, int hostStatus, int driverStatus, byte[] sense, long transferred) {}

    /**
     * Opens a device.
     *
     * @param writes whether commands that change it will be passed: the kernel asks that of who has no CAP_SYS_RAWIO
     */
    public static ScsiDevice open(Path device, boolean writes) {
        int how = (writes ? HostFile.READ_WRITE : HostFile.READ_ONLY) | HostFile.NON_BLOCKING;
        return new ScsiDevice(HostFile.open(device, how));
    }

    /**
     * Passes a command and waits until it is over.
     *
     * @param cdb 6 to 32 bytes
     * @param data where data comes from or goes to; empty with {@link Direction#NONE}
     * @param patience after which the kernel aborts it
     * @throws LinuxException if the kernel does not pass it: with ENOTTY for what is no SCSI device, EIO or EINVAL for more data
     *     than the adapter takes at once, ENODEV or ENXIO for a device that is gone
     */
    public Outcome execute(byte[] cdb, Direction direction, IoVector data, Duration patience) {
        if (cdb.length < 6 || cdb.length > MOST_CDB_BYTES) {
            throw new IllegalArgumentException("a command of " + cdb.length + " bytes");
        }
        MemorySegment one = data.someArena(null);
        MemorySegment other = one == null ? null : data.someArena(one);
        if (one != null && other != null && !data.isWithin(one, other)) {
            return copied(cdb, direction, data, patience);
        }
        return execute(cdb, direction, data, patience, one, other == null ? one : other);
    }

    /** By way of memory of one arena. */
    private Outcome copied(byte[] cdb, Direction direction, IoVector data, Duration patience) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(data.byteSize(), 4096);
            if (direction == Direction.OUT) {
                data.copyTo(copy);
            }
            var whole = new IoVector(1);
            whole.add(copy);
            Outcome outcome = execute(cdb, direction, whole, patience, copy, copy);
            if (direction == Direction.IN) {
                data.copyFrom(copy.asSlice(0, outcome.transferred()));
            }
            return outcome;
        }
    }

    private Outcome execute(
            byte[] cdb,
            Direction direction,
            IoVector data,
            Duration patience,
            @Nullable MemorySegment one,
            @Nullable MemorySegment other) {
        MemorySegment block = BLOCK.get();
        block.fill((byte) 0);
        MemorySegment.copy(cdb, 0, block, JAVA_BYTE, COMMAND_AT, cdb.length);
        long length = direction == Direction.NONE ? 0 : data.byteSize();
        boolean moves = length != 0;
        boolean scattered = moves && data.size() > 1;
        block.set(JAVA_INT, 0, INTERFACE);
        block.set(JAVA_INT, DIRECTION, (moves ? direction : Direction.NONE).code);
        block.set(JAVA_BYTE, CDB_LENGTH, (byte) cdb.length);
        block.set(JAVA_BYTE, SENSE_LENGTH, (byte) SENSE_BYTES);
        block.set(JAVA_SHORT, VECTORS, (short) (scattered ? data.size() : 0));
        block.set(JAVA_INT, LENGTH, Math.toIntExact(length));
        block.set(
                JAVA_LONG,
                DATA,
                scattered ? data.address() : moves ? data.only().address() : 0);
        block.set(JAVA_LONG, CDB, block.address() + COMMAND_AT);
        block.set(JAVA_LONG, SENSE, block.address() + SENSE_AT);
        block.set(JAVA_INT, TIMEOUT, Math.toIntExact(patience.toMillis()));
        int result = ioctl(block, one == null ? block : one, other == null ? block : other);
        if (result < 0) {
            throw new LinuxException(
                    "SG_IO",
                    file.descriptor() + ", command 0x" + Integer.toHexString(cdb[0] & 0xFF) + ", " + length + " bytes",
                    -result);
        }
        int written = Math.min(block.get(JAVA_BYTE, SENSE_WRITTEN) & 0xFF, SENSE_BYTES);
        return new Outcome(
                block.get(JAVA_BYTE, STATUS) & 0xFF,
                block.get(JAVA_SHORT, HOST_STATUS) & 0xFFFF,
                block.get(JAVA_SHORT, DRIVER_STATUS) & 0xFFFF,
                written == 0 ? NO_SENSE : block.asSlice(SENSE_AT, written).toArray(JAVA_BYTE),
                Math.clamp(length - block.get(JAVA_INT, RESIDUAL), 0, length));
    }

    private int ioctl(MemorySegment header, MemorySegment one, MemorySegment other) {
        CallState state = CallState.current();
        int fd = file.descriptor().acquire();
        try {
            return (int) Libc.answer(state, (int) IOCTL.invokeExact(state.segment(), fd, SG_IO, header, one, other));
        } catch (Throwable t) {
            throw Libc.rethrow(t);
        } finally {
            file.descriptor().release();
        }
    }

    /** Lets go of it, once the commands in progress are over. Idempotent. */
    @Override
    public void close() {
        file.close();
    }

    @Override
    public String toString() {
        return file.descriptor().toString();
    }
}
