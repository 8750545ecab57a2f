package io.javisor.storage.scsi;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Offloaded copies by token (ODX; SBC-3 sections 5.8, 5.16 and 5.43): POPULATE TOKEN names ranges of one disk and makes a
 * token, RECEIVE ROD TOKEN INFORMATION gives it out, WRITE USING TOKEN writes what it stands for to another disk of the same
 * {@link CopyDomain}. Commands end when all is done, immediate or not.
 */
final class TokenCommands {
    /** Most ranges of one command. */
    static final int MOST_RANGES = 64;

    /** Most bytes of one command. */
    static final long MOST_BYTES = 256L << 20;

    private static final int POPULATE = 0x10;
    private static final int WRITE = 0x11;
    private static final int RANGE_BYTES = 16;
    private static final int MOST_RESULTS = 64;
    private static final int DONE = 0x01;
    private static final int FAILED = 0x02;
    private static final int IN_BLOCKS = 0xF1;
    private static final Sense UNSUPPORTED_TYPE = new Sense(Sense.ILLEGAL_REQUEST, 0x2301);
    private static final Sense UNKNOWN_TOKEN = new Sense(Sense.ILLEGAL_REQUEST, 0x2304);
    private static final Sense TOKEN_REVOKED = new Sense(Sense.ILLEGAL_REQUEST, 0x2306);

    private final DiskUnit unit;
    // What the last commands came to, the oldest first; guarded by itself.
    private final Map<Key, Result> results = new LinkedHashMap<>();

    private record Key(Nexus.Id nexus, long list) {}

    private record Result(
            int serviceAction,
            @Nullable Sense sense,
            long blocks,
            @Nullable Rod rod) {}

    TokenCommands(DiskUnit unit) {
        this.unit = unit;
    }

    void add() {
        unit.support(
                "POPULATE TOKEN",
                0x83,
                POPULATE,
                "831F00000000FFFFFFFFFFFFFFFF1F07",
                Operation.Access.READ,
                false,
                this::populate);
        unit.support(
                "WRITE USING TOKEN",
                0x83,
                WRITE,
                "831F00000000FFFFFFFFFFFFFFFF1F07",
                Operation.Access.WRITE,
                false,
                this::write);
        unit.support(
                "RECEIVE ROD TOKEN INFORMATION",
                0x84,
                0x07,
                "841FFFFFFFFF00000000FFFFFFFF0007",
                Operation.Access.ANY,
                false,
                this::receive);
    }

    private void remember(Nexus nexus, long list, Result result) {
        synchronized (results) {
            var key = new Key(nexus.id(), list);
            results.remove(key);
            results.put(key, result);
            if (results.size() > MOST_RESULTS) {
                results.remove(results.keySet().iterator().next());
            }
        }
    }

    /** The parameter list, as long as it says itself: its first field counts what follows that. */
    private static ByteBuffer list(ScsiCommand command, int least) {
        int length = (int) Math.min(command.u32(10), Integer.MAX_VALUE);
        byte[] bytes = command.parameters(length, least + 0xFFFF);
        ByteBuffer list = ByteBuffer.wrap(bytes);
        if (length < least || Short.toUnsignedInt(list.getShort(0)) + 2 > length) {
            throw ScsiError.check(Sense.PARAMETER_LENGTH);
        }
        return list;
    }

    private List<Rod.Range> ranges(ByteBuffer list, int at) {
        int length = Short.toUnsignedInt(list.getShort(at - 2));
        int count = length / RANGE_BYTES;
        if (count == 0 || count > MOST_RANGES || length % RANGE_BYTES != 0 || at + length > list.capacity()) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        var ranges = new ArrayList<Rod.Range>();
        int sector = unit.disk().traits().sectorBytes();
        long sum = 0;
        for (int i = 0; i < count; i++) {
            long bytes = Integer.toUnsignedLong(list.getInt(at + i * RANGE_BYTES + 8)) * sector;
            long offset = unit.place(list.getLong(at + i * RANGE_BYTES), bytes);
            sum += bytes;
            if (bytes > 0) {
                ranges.add(new Rod.Range(offset, bytes));
            }
        }
        if (sum > MOST_BYTES) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        return ranges;
    }

    /** 2 flags (1: a type is given), 4 time-out in seconds, 8 type, 14 length of the ranges, 16 ranges. */
    private long populate(Nexus nexus, ScsiCommand command) {
        ByteBuffer list = list(command, 16);
        int type = (list.get(2) & 2) == 0 ? Rods.POINT_IN_TIME : list.getInt(8);
        if (type != Rods.POINT_IN_TIME && type != Rods.CHANGE_VULNERABLE) {
            throw ScsiError.check(UNSUPPORTED_TYPE);
        }
        List<Rod.Range> ranges = ranges(list, 16);
        int seconds = Math.clamp(Integer.toUnsignedLong(list.getInt(4)), 0, Rods.MOST_SECONDS);
        // Under the lock that writes share, so that none is half done at the token's point in time.
        Rod rod = unit.alone(() -> unit.rods().make(type, creator(nexus), List.copyOf(ranges), seconds));
        remember(
                nexus,
                command.u32(6),
                new Result(POPULATE, null, rod.bytes() / unit.disk().traits().sectorBytes(), rod));
        return list.capacity();
    }

    /** The disk as a target descriptor of EXTENDED COPY: its NAA identifier. */
    private byte[] creator(Nexus nexus) {
        ByteBuffer out = ByteBuffer.allocate(CopyCommands.TARGET_BYTES);
        out.put(0, (byte) CopyCommands.DISK_DESCRIPTOR);
        byte[] page = unit.vitalProductData(nexus, 0x83);
        for (int at = 4; page != null && at + 4 <= page.length; at += 4 + (page[at + 3] & 0xFF)) {
            if ((page[at + 1] & 0x3F) == 3) {
                out.put(4, Arrays.copyOfRange(page, at, at + 12));
            }
        }
        return out.array();
    }

    /** 2 flags (2: delete the token), 8 offset in blocks, 16 token, 534 length of the ranges, 536 ranges. */
    private long write(Nexus nexus, ScsiCommand command) {
        ByteBuffer list = list(command, 536);
        byte[] token = new byte[Rods.TOKEN_BYTES];
        list.get(16, token);
        int sector = unit.disk().traits().sectorBytes();
        List<Rod.Range> ranges = ranges(list, 536);
        long blocks = 0;
        Sense failure = null;
        try {
            if (list.getInt(16) == Rods.ZEROES) {
                for (Rod.Range range : ranges) {
                    unit.change(range.offset(), range.length(), d -> d.zero(range.offset(), range.length(), true));
                    blocks += range.length() / sector;
                }
            } else {
                CopyDomain.Source source = nexus.domain().source(token);
                if (source == null) {
                    throw ScsiError.check(UNKNOWN_TOKEN);
                }
                blocks = copy(source, list.getLong(8), ranges) / sector;
                if ((list.get(2) & 2) != 0) {
                    ((DiskUnit) source.nexus().unit()).rods().remove(source.rod());
                }
            }
        } catch (ScsiError e) {
            failure = e.result().sense();
            throw e;
        } finally {
            remember(nexus, command.u32(6), new Result(WRITE, failure, blocks, null));
        }
        return list.capacity();
    }

    private long copy(CopyDomain.Source source, long skipBlocks, List<Rod.Range> to) {
        DiskUnit from = CopyCommands.reach(source.nexus(), Operation.Access.READ);
        Rod rod = source.rod();
        long skip = Math.multiplyHigh(skipBlocks, from.disk().traits().sectorBytes()) != 0
                ? -1
                : skipBlocks * from.disk().traits().sectorBytes();
        if (skip < 0 || skip > rod.bytes()) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        long done = 0;
        for (Rod.Range range : to) {
            long left = Math.min(range.length(), rod.bytes() - skip - done);
            for (long at = 0; at < left; ) {
                Rod.Range piece = piece(rod, skip + done, left - at);
                CopyCommands.move(from, piece.offset(), unit, range.offset() + at, piece.length());
                at += piece.length();
                done += piece.length();
                if (!from.rods().isLive(rod) && !ownWrite(from, rod, to)) {
                    throw ScsiError.check(TOKEN_REVOKED); // somebody wrote to the source: what was copied may be new
                }
            }
        }
        return done;
    }

    /** Whether the copy itself has ended the token, by writing to what it stands for. */
    private boolean ownWrite(DiskUnit from, Rod rod, List<Rod.Range> to) {
        return from.equals(unit) && to.stream().anyMatch(r -> rod.touchedBy(r.offset(), r.length()));
    }

    /** Where in the disk a byte of the data lies, and how many lie there together. */
    private static Rod.Range piece(Rod rod, long at, long most) {
        long skip = at;
        for (Rod.Range range : rod.ranges()) {
            if (skip < range.length()) {
                return new Rod.Range(range.offset() + skip, Math.min(most, range.length() - skip));
            }
            skip -= range.length();
        }
        throw new IllegalStateException("byte " + at + " of " + rod.bytes());
    }

    /** SPC-4 section 6.20: 4 service action, 5 status, 12 to 14 of sense, 15 unit, 16 count, 32 sense, then the token. */
    private long receive(Nexus nexus, ScsiCommand command) {
        Result result;
        synchronized (results) {
            result = results.get(new Key(nexus.id(), command.u32(2)));
        }
        if (result == null) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        byte[] sense = result.sense() == null ? new byte[0] : result.sense().toByteArray();
        Rod rod = result.rod() != null && unit.rods().isLive(result.rod()) ? result.rod() : null;
        int tokens = rod == null ? 0 : 2 + Rods.TOKEN_BYTES;
        ByteBuffer out = ByteBuffer.allocate(32 + sense.length + 4 + tokens);
        out.putInt(0, out.capacity() - 4);
        out.put(4, (byte) result.serviceAction()).put(5, (byte) (result.sense() == null ? DONE : FAILED));
        out.putShort(6, (short) 1);
        out.put(12, (byte) (result.sense() == null ? 0 : ScsiResult.CHECK_CONDITION));
        out.put(13, (byte) sense.length).put(14, (byte) sense.length);
        out.put(15, (byte) IN_BLOCKS).putLong(16, result.blocks());
        out.put(32, sense);
        out.putInt(32 + sense.length, tokens);
        if (rod != null) {
            out.put(32 + sense.length + 6, rod.token());
        }
        return command.answer(out.array(), command.u32(10));
    }

    /** Page 0x8F, third-party copy (SPC-4 section 7.8.17): what Windows and ddpt look for before they offer tokens. */
    static byte[] page() {
        ByteBuffer body = ByteBuffer.allocate(512);
        descriptor(body, 0x0000, limits()); // block device ROD token limits
        descriptor(body, 0x0001, new byte[] {
            9, // bytes that follow: operation code, count of service actions, these
            (byte) 0x83,
            3,
            0x00,
            POPULATE,
            WRITE,
            (byte) 0x84,
            2,
            0x03,
            0x07
        });
        descriptor(
                body,
                0x0004,
                ByteBuffer.allocate(28)
                        .putShort(4, (short) CopyCommands.MOST_TARGETS)
                        .putShort(6, (short) CopyCommands.MOST_SEGMENTS)
                        .putInt(8, 1024)
                        .array());
        descriptor(body, 0x0008, new byte[] {2, 0x02, (byte) CopyCommands.DISK_DESCRIPTOR, 0});
        descriptor(
                body,
                0x0106,
                ByteBuffer.allocate(44)
                        .putInt(12, Rods.DEFAULT_SECONDS)
                        .putInt(16, Rods.MOST_SECONDS)
                        .putInt(20, Rods.MOST_SECONDS)
                        .array());
        ByteBuffer types = ByteBuffer.allocate(4 + 2 * 64);
        types.putShort(2, (short) 128);
        types.putInt(4, Rods.POINT_IN_TIME).put(8, (byte) 3); // gives and takes tokens
        types.putInt(4 + 64, Rods.ZEROES).put(8 + 64, (byte) 2); // takes tokens
        descriptor(body, 0x0108, types.array());
        descriptor(
                body,
                0x8001,
                ByteBuffer.allocate(32)
                        .putInt(0, 1)
                        .putInt(4, 1)
                        .putInt(8, CopyCommands.MOST_SEGMENT_BYTES)
                        .put(12, (byte) 9)
                        .array());
        byte[] used = Arrays.copyOf(body.array(), body.position());
        return DiskPages.page(0, 0x8F, used);
    }

    private static byte[] limits() {
        return ByteBuffer.allocate(32)
                .putShort(6, (short) MOST_RANGES)
                .putInt(8, Rods.MOST_SECONDS)
                .putInt(12, Rods.DEFAULT_SECONDS)
                .putLong(16, MOST_BYTES / 512)
                .putLong(24, MOST_BYTES / 512)
                .array();
    }

    private static void descriptor(ByteBuffer to, int type, byte[] value) {
        int padded = (value.length + 3) & ~3;
        to.putShort((short) type).putShort((short) padded).put(Arrays.copyOf(value, padded));
    }
}
