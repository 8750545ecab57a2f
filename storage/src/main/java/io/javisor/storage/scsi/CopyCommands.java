package io.javisor.storage.scsi;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.Extent;
import io.javisor.storage.disk.IoMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * EXTENDED COPY(LID1) and what it needs (SPC-4 sections 6.4 and 6.18): block device to block device, between disks of one
 * {@link CopyDomain}. A command ends when all is copied.
 */
final class CopyCommands {
    static final int MOST_TARGETS = 16;
    static final int MOST_SEGMENTS = 16;
    /** 16 bits of blocks of the largest kind. */
    static final int MOST_SEGMENT_BYTES = 0xFFFF * 4096;

    static final int DISK_DESCRIPTOR = 0xE4;
    static final int TARGET_BYTES = 32;

    private static final int HEADER = 16;
    private static final int BLOCK_TO_BLOCK = 0x02;
    private static final int SEGMENT_BYTES = 28;
    private static final int MOST_LIST = MOST_TARGETS * TARGET_BYTES + MOST_SEGMENTS * SEGMENT_BYTES;
    private static final int PIECE = 1 << 20;
    private static final int COPY_ABORTED = 10;
    private static final Sense NOT_REACHABLE = new Sense(COPY_ABORTED, 0x0D02);
    private static final Sense COPY_FAILED = new Sense(COPY_ABORTED, 0x0D01); // third party device failure

    private CopyCommands() {}

    static void addTo(DiskUnit unit) {
        var any = Operation.Access.ANY; // each disk's reservations are asked when it is reached
        unit.support(
                "EXTENDED COPY(LID1)",
                0x83,
                0x00,
                "831F0000000000000000FFFFFFFF0007",
                any,
                false,
                (n, c) -> copy(n, c));
        unit.support(
                "RECEIVE COPY OPERATING PARAMETERS",
                0x84,
                0x03,
                "841F0000000000000000FFFFFFFF0007",
                any,
                false,
                (_, c) -> c.answer(limits(), c.u32(10)));
    }

    private static byte[] limits() {
        ByteBuffer out = ByteBuffer.allocate(46);
        out.putInt(0, 42);
        out.put(4, (byte) 1); // a list identifier is not needed
        out.putShort(8, (short) MOST_TARGETS).putShort(10, (short) MOST_SEGMENTS);
        out.putInt(12, MOST_LIST);
        out.putInt(16, MOST_SEGMENT_BYTES);
        out.putShort(34, (short) 1).put(36, (byte) 1);
        out.put(37, (byte) 9); // granularity: 512 bytes
        out.put(43, (byte) 2).put(44, (byte) BLOCK_TO_BLOCK).put(45, (byte) DISK_DESCRIPTOR);
        return out.array();
    }

    private static long copy(Nexus nexus, ScsiCommand command) {
        int length = (int) Math.min(command.u32(10), Integer.MAX_VALUE);
        if (length == 0) {
            return 0;
        }
        ByteBuffer list = ByteBuffer.wrap(command.parameters(length, HEADER + MOST_LIST));
        if (length < HEADER) {
            throw ScsiError.check(Sense.PARAMETER_LENGTH);
        }
        int targets = Short.toUnsignedInt(list.getShort(2));
        long segments = Integer.toUnsignedLong(list.getInt(8));
        if (targets % TARGET_BYTES != 0
                || list.getInt(12) != 0 // inline data
                || HEADER + targets + segments != length) {
            throw ScsiError.check(Sense.PARAMETER_LENGTH);
        }
        List<Nexus> disks = new ArrayList<>();
        for (int at = HEADER; at < HEADER + targets; at += TARGET_BYTES) {
            disks.add(disk(nexus, list, at));
        }
        for (int at = HEADER + targets; at < length; at += SEGMENT_BYTES) {
            if (length - at < SEGMENT_BYTES
                    || list.get(at) != BLOCK_TO_BLOCK
                    || list.getShort(at + 2) != SEGMENT_BYTES - 4) {
                throw ScsiError.check(Sense.INVALID_PARAMETER); // before anything is copied
            }
        }
        for (int at = HEADER + targets; at < length; at += SEGMENT_BYTES) {
            segment(disks, list, at);
        }
        return length;
    }

    /** SPC-4 section 6.4.3.2: 4 code set, 5 association and type, 7 length, 8 identifier, 28 pad, 29 block length. */
    private static Nexus disk(Nexus asking, ByteBuffer list, int at) {
        int bytes = list.get(at + 7) & 0xFF;
        if ((list.get(at) & 0xFF) != DISK_DESCRIPTOR || bytes > 20) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        byte[] designator = new byte[4 + bytes];
        list.get(at + 4, designator);
        designator[0] &= 0x0F;
        designator[1] &= 0x3F;
        Nexus found = asking.domain().find(designator);
        if (found == null) {
            throw ScsiError.check(NOT_REACHABLE);
        }
        return found;
    }

    private static void segment(List<Nexus> disks, ByteBuffer list, int at) {
        int from = Short.toUnsignedInt(list.getShort(at + 4));
        int to = Short.toUnsignedInt(list.getShort(at + 6));
        if (from >= disks.size() || to >= disks.size()) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        DiskUnit source = reach(disks.get(from), Operation.Access.READ);
        DiskUnit target = reach(disks.get(to), Operation.Access.WRITE);
        boolean countsTarget = (list.get(at + 1) & 2) != 0;
        int sector = (countsTarget ? target : source).disk().traits().sectorBytes();
        long length = Short.toUnsignedLong(list.getShort(at + 10)) * sector;
        long readAt = source.place(list.getLong(at + 12), length);
        long writeAt = target.place(list.getLong(at + 20), length);
        move(source, readAt, target, writeAt, length);
    }

    /** The disk behind a nexus, if reservations and the path let a copy use it. */
    static DiskUnit reach(Nexus nexus, Operation.Access access) {
        if (!(nexus.unit() instanceof DiskUnit disk) || disk.isShared()) {
            throw ScsiError.check(NOT_REACHABLE);
        }
        disk.requireAccess(nexus, access);
        return disk;
    }

    /** Whether the host has copied it without showing it to us. */
    private static boolean byTheHost(Disk source, long from, DiskUnit target, long to, long length) {
        var done = new AtomicBoolean();
        target.change(to, length, disk -> done.set(source.copyTo(from, disk, to, length)));
        return done.get();
    }

    /** Copies between two disks; ranges that are known to be zero are zeroed. */
    static void move(DiskUnit source, long from, DiskUnit target, long to, long length) {
        Disk in = source.disk();
        int sector = Math.max(in.traits().sectorBytes(), target.disk().traits().sectorBytes());
        if ((from | to | length) % sector != 0) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(Math.max(sector, Math.min(length, PIECE)), 4096);
            for (long done = 0; done < length; ) {
                Extent extent = in.extent(from + done, length - done);
                long n = extent.length();
                long at = to + done;
                if (extent.kind() == Extent.Kind.ZERO) {
                    target.change(at, n, disk -> disk.zero(at, n, true));
                    done += n;
                    continue;
                }
                if (byTheHost(in, from + done, target, at, n)) {
                    done += n;
                    continue;
                }
                IoMemory piece = IoMemory.of(buffer.asSlice(0, Math.min(n, buffer.byteSize())));
                in.read(from + done, piece);
                target.change(at, piece.byteSize(), disk -> disk.write(at, piece, false));
                done += piece.byteSize();
            }
        } catch (DiskException e) {
            Sense why = LogicalUnit.sense(e);
            throw ScsiError.check(why.key() == Sense.DATA_PROTECT ? why : COPY_FAILED);
        }
    }
}
