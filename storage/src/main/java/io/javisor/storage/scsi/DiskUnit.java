package io.javisor.storage.scsi;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskTraits;
import io.javisor.storage.disk.Extent;
import io.javisor.storage.disk.InFlight;
import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.disk.IoMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A disk as a logical unit (SBC-3). The disk is the caller's to close. */
public final class DiskUnit extends LogicalUnit {
    private static final int SCRATCH = 1 << 20;
    private static final Sense MISCOMPARED = new Sense(Sense.MISCOMPARE, 0x1D00);

    private final Disk disk;
    private final DiskTraits traits;
    private final int sector;
    // COMPARE AND WRITE is alone; everything else that changes the disk shares.
    private final ReentrantReadWriteLock writes = new ReentrantReadWriteLock();
    // Writes that outlive their hold of the lock; none begins while somebody has it alone.
    private final InFlight writing = new InFlight();
    private final Rods rods = new Rods();
    private final @Nullable UnitSharing sharing;

    /** Makes a unit whose reservations end with it. */
    public DiskUnit(Disk disk) {
        this(disk, null);
    }

    /**
     * Makes a unit.
     *
     * @param store where reservations outlive it, or null if they don't
     */
    public DiskUnit(Disk disk, @Nullable ReservationStore store) {
        this(disk, store, null);
    }

    /**
     * Makes a unit that other processes have, too: they share its reservations. It has no commands that copy, because what copies rely
     * on can be changed elsewhere.
     *
     * @param store where reservations outlive all of them, or null if they don't
     * @param sharing with the others; the caller's to close, after the disk. Null for a unit of this process alone
     */
    public DiskUnit(Disk disk, @Nullable ReservationStore store, @Nullable UnitSharing sharing) {
        var broker = new Broker();
        var reservations = new Reservations(store, sharing, broker);
        super(reservations, sharing);
        this.sharing = sharing;
        broker.unit = this;
        this.disk = disk;
        traits = disk.traits();
        sector = traits.sectorBytes();
        new ReservationCommands(reservations).addTo(this);
        addTransfers();
        addRest();
        if (sharing == null) {
            CopyCommands.addTo(this);
            new TokenCommands(this).add();
        }
    }

    /** Brings attentions of the reservations to the nexuses of a unit that is made after them. */
    private static final class Broker implements Reservations.Attentions {
        volatile @Nullable DiskUnit unit;

        @Override
        public void raise(Nexus.Id to, Sense attention) {
            DiskUnit told = unit;
            if (told != null) {
                for (Nexus nexus : told.nexuses()) {
                    if (nexus.id().equals(to)) {
                        nexus.raise(attention);
                    }
                }
            }
        }

        @Override
        public void raiseForAll(Sense attention) {
            DiskUnit told = unit;
            if (told != null) {
                told.raise(attention, null);
            }
        }
    }

    /** The disk. */
    public Disk disk() {
        return disk;
    }

    @Override
    public UUID identity() {
        return traits.identity();
    }

    private void addTransfers() {
        var read = Operation.Access.READ;
        var write = Operation.Access.WRITE;
        support(
                "READ(6)",
                0x08,
                -1,
                "081FFFFFFF07",
                read,
                false,
                (_, c) -> read(c, c.u24(1) & 0x1FFFFF, orMost(c.u8(4))));
        support("READ(10)", 0x28, -1, "28FAFFFFFFFF1FFFFF07", read, false, (_, c) -> read(c, c.u32(2), c.u16(7)));
        support("READ(12)", 0xA8, -1, "A8FAFFFFFFFFFFFFFFFF1F07", read, false, (_, c) -> read(c, c.u32(2), c.u32(6)));
        support(
                "READ(16)",
                0x88,
                -1,
                "88FAFFFFFFFFFFFFFFFFFFFFFFFF1F07",
                read,
                false,
                (_, c) -> read(c, c.u64(2), c.u32(10)));
        support(
                "WRITE(6)",
                0x0A,
                -1,
                "0A1FFFFFFF07",
                write,
                false,
                (_, c) -> write(c, c.u24(1) & 0x1FFFFF, orMost(c.u8(4)), false));
        support(
                "WRITE(10)",
                0x2A,
                -1,
                "2AFAFFFFFFFF1FFFFF07",
                write,
                false,
                (_, c) -> write(c, c.u32(2), c.u16(7), c.bit(1, 3)));
        support(
                "WRITE(12)",
                0xAA,
                -1,
                "AAFAFFFFFFFFFFFFFFFF1F07",
                write,
                false,
                (_, c) -> write(c, c.u32(2), c.u32(6), c.bit(1, 3)));
        support(
                "WRITE(16)",
                0x8A,
                -1,
                "8AFAFFFFFFFFFFFFFFFFFFFFFFFF1F07",
                write,
                false,
                (_, c) -> write(c, c.u64(2), c.u32(10), c.bit(1, 3)));
        support("VERIFY(10)", 0x2F, -1, "2FF6FFFFFFFF1FFFFF07", read, false, (_, c) -> verify(c, c.u32(2), c.u16(7)));
        support(
                "VERIFY(12)",
                0xAF,
                -1,
                "AFF6FFFFFFFFFFFFFFFF1F07",
                read,
                false,
                (_, c) -> verify(c, c.u32(2), c.u32(6)));
        support(
                "VERIFY(16)",
                0x8F,
                -1,
                "8FF6FFFFFFFFFFFFFFFFFFFFFFFF1F07",
                read,
                false,
                (_, c) -> verify(c, c.u64(2), c.u32(10)));
        support("COMPARE AND WRITE", 0x89, -1, "89FAFFFFFFFFFFFFFFFF000000FF1F07", write, false, this::compareAndWrite);
        support(
                "WRITE SAME(10)",
                0x41,
                -1,
                "41FAFFFFFFFF1FFFFF07",
                write,
                false,
                (_, c) -> writeSame(c, c.u32(2), c.u16(7)));
        support(
                "WRITE SAME(16)",
                0x93,
                -1,
                "93FBFFFFFFFFFFFFFFFFFFFFFFFF1F07",
                write,
                false,
                (_, c) -> writeSame(c, c.u64(2), c.u32(10)));
        support("UNMAP", 0x42, -1, "42010000000000FFFF07", write, false, (_, c) -> unmap(c));
    }

    private void addRest() {
        var any = Operation.Access.ANY;
        var write = Operation.Access.WRITE;
        support(
                "SYNCHRONIZE CACHE(10)",
                0x35,
                -1,
                "3506FFFFFFFF1FFFFF07",
                write,
                false,
                (_, c) -> sync(c.u32(2), c.u16(7)));
        support(
                "SYNCHRONIZE CACHE(16)",
                0x91,
                -1,
                "9106FFFFFFFFFFFFFFFFFFFFFFFF1F07",
                write,
                false,
                (_, c) -> sync(c.u64(2), c.u32(10)));
        support("READ CAPACITY(10)", 0x25, -1, "25000000000000000007", any, false, (_, c) -> readCapacity10(c));
        support(
                "READ CAPACITY(16)",
                0x9E,
                0x10,
                "9E100000000000000000FFFFFFFF0007",
                any,
                false,
                (_, c) -> readCapacity16(c));
        support(
                "GET LBA STATUS",
                0x9E,
                0x12,
                "9E12FFFFFFFFFFFFFFFFFFFFFFFF0007",
                Operation.Access.READ,
                false,
                (_, c) -> lbaStatus(c));
        support("MODE SENSE(6)", 0x1A, -1, "1A08FFFFFF07", any, false, (_, c) -> ModeSense.six(c, traits, disk.size()));
        support(
                "MODE SENSE(10)",
                0x5A,
                -1,
                "5A18FFFF000000FFFF07",
                any,
                false,
                (_, c) -> ModeSense.ten(c, traits, disk.size()));
        support("START STOP UNIT", 0x1B, -1, "1B0100F10107", any, false, (_, c) -> startStop(c));
        support("PREVENT ALLOW MEDIUM REMOVAL", 0x1E, -1, "1E0000000307", any, false, (n, c) -> {
            n.preventRemoval((c.u8(4) & 1) != 0);
            return 0;
        });
    }

    private static int orMost(int length) {
        return length == 0 ? 256 : length; // of the 6-byte commands
    }

    @Override
    long testUnitReady(Nexus nexus, ScsiCommand command) {
        return 0;
    }

    @Override
    byte[] standardInquiry(Nexus nexus) {
        return DiskPages.diskInquiry(portGroups() != null, !isShared());
    }

    @Override
    byte @Nullable [] vitalProductData(Nexus nexus, int page) {
        return DiskPages.page(page, traits, nexus, portGroups() != null, !isShared());
    }

    /** Throws unless the blocks are on the disk; returns the first one's offset in bytes. */
    private long placeBlocks(long lba, long blocks) {
        long all = disk.size() / sector;
        if (lba < 0 || lba > all || blocks > all - lba) {
            throw ScsiError.check(new Sense(Sense.ILLEGAL_REQUEST, 0x2100, lba < 0 || lba > all ? lba : all));
        }
        return lba * sector;
    }

    /** Throws unless so many bytes from a block on are on the disk and whole blocks; returns the first one's offset. */
    long place(long lba, long bytes) {
        if (bytes % sector != 0) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        return placeBlocks(lba, bytes / sector);
    }

    /** The tokens that stand for data of this disk. */
    Rods rods() {
        return rods;
    }

    /** Changes a range, as a write does. */
    void change(long offset, long length, Consumer<Disk> how) {
        writes.readLock().lock();
        try {
            rods.changing(offset, length);
            how.accept(disk);
        } finally {
            writes.readLock().unlock();
        }
    }

    /** Does something while nobody changes the disk. */
    <T> T alone(Supplier<T> what) {
        writes.writeLock().lock();
        try {
            writing.awaitNone();
            return what.get();
        } finally {
            writes.writeLock().unlock();
        }
    }

    private static void refuseProtection(ScsiCommand command) {
        if ((command.u8(1) & 0xE0) != 0) { // protection information is not stored
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
    }

    private IoMemory data(IoMemory given, long blocks) {
        long length = blocks * sector;
        if (length > given.byteSize()) {
            throw ScsiError.check(Sense.INVALID_FIELD); // the initiator's memory is smaller than its command
        }
        return given.slice(0, length);
    }

    private long read(ScsiCommand command, long lba, long blocks) {
        if (command.opcode() != 0x08) {
            refuseProtection(command);
        }
        long at = placeBlocks(lba, blocks);
        IoMemory into = data(command.in(), blocks);
        if (command.opcode() != 0x08 && command.bit(1, 3) && !traits.readOnly()) {
            disk.flush(); // FUA: what is read is on stable storage
        }
        disk.read(at, into);
        return into.byteSize();
    }

    private long write(ScsiCommand command, long lba, long blocks, boolean durable) {
        if (command.opcode() != 0x0A) {
            refuseProtection(command);
        }
        long at = placeBlocks(lba, blocks);
        IoMemory from = data(command.out(), blocks);
        change(at, from.byteSize(), d -> d.write(at, from, durable));
        return from.byteSize();
    }

    @Override
    long attempt(ScsiCommand c) {
        return switch (c.opcode()) {
            case 0x28 -> tryRead(c, c.u32(2), c.u16(7));
            case 0x88 -> tryRead(c, c.u64(2), c.u32(10));
            case 0x2A -> tryWrite(c, c.u32(2), c.u16(7));
            case 0x8A -> tryWrite(c, c.u64(2), c.u32(10));
            default -> -1;
        };
    }

    @Override
    boolean begin(ScsiCommand c, IoEngine engine, IoEngine.Completion completion) {
        return switch (c.opcode()) {
            case 0x28 -> beginRead(c, c.u32(2), c.u16(7), engine, completion);
            case 0x88 -> beginRead(c, c.u64(2), c.u32(10), engine, completion);
            case 0x2A -> beginWrite(c, c.u32(2), c.u16(7), engine, completion);
            case 0x8A -> beginWrite(c, c.u64(2), c.u32(10), engine, completion);
            default -> false;
        };
    }

    private boolean beginRead(
            ScsiCommand command, long lba, long blocks, IoEngine engine, IoEngine.Completion completion) {
        if (!isPlain(command)) {
            return false;
        }
        long at = placeBlocks(lba, blocks);
        return disk.beginRead(at, data(command.in(), blocks), engine, completion);
    }

    private boolean beginWrite(
            ScsiCommand command, long lba, long blocks, IoEngine engine, IoEngine.Completion completion) {
        if (!isPlain(command) || writes.hasQueuedThreads() || !writes.readLock().tryLock()) {
            return false;
        }
        try {
            long at = placeBlocks(lba, blocks);
            IoMemory from = data(command.out(), blocks);
            rods.changing(at, from.byteSize());
            return writing.begin(completion, ended -> disk.beginWrite(at, from, engine, ended));
        } finally {
            writes.readLock().unlock();
        }
    }

    // No protection information, and no FUA: these are for who waits.
    private static boolean isPlain(ScsiCommand command) {
        return (command.u8(1) & 0xE8) == 0;
    }

    private long tryRead(ScsiCommand command, long lba, long blocks) {
        if (!isPlain(command)) {
            return -1;
        }
        IoMemory into = data(command.in(), blocks);
        return disk.tryRead(placeBlocks(lba, blocks), into) ? into.byteSize() : -1;
    }

    private long tryWrite(ScsiCommand command, long lba, long blocks) {
        if (!isPlain(command) || writes.hasQueuedThreads() || !writes.readLock().tryLock()) {
            return -1;
        }
        try {
            long at = placeBlocks(lba, blocks);
            IoMemory from = data(command.out(), blocks);
            rods.changing(at, from.byteSize());
            return disk.tryWrite(at, from) ? from.byteSize() : -1;
        } finally {
            writes.readLock().unlock();
        }
    }

    private long verify(ScsiCommand command, long lba, long blocks) {
        refuseProtection(command);
        int compare = command.u8(1) >> 1 & 3;
        if (compare > 1) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        long at = placeBlocks(lba, blocks);
        IoMemory wanted = compare == 1 ? data(command.out(), blocks) : null;
        compare(at, blocks * sector, wanted);
        return wanted == null ? 0 : wanted.byteSize();
    }

    /** Reads, and compares if there is something to compare with. */
    private void compare(long at, long length, @Nullable IoMemory wanted) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment found = arena.allocate(Math.max(sector, Math.min(length, SCRATCH)), 4096);
            MemorySegment given = wanted == null ? found : arena.allocate(found.byteSize(), 4096);
            for (long done = 0; done < length; done += found.byteSize()) {
                long n = Math.min(found.byteSize(), length - done);
                disk.read(at + done, IoMemory.of(found.asSlice(0, n)));
                if (wanted != null) {
                    wanted.get(done, given.asSlice(0, n));
                    long different = found.asSlice(0, n).mismatch(given.asSlice(0, n));
                    if (different >= 0) {
                        throw ScsiError.check(new Sense(MISCOMPARED.key(), MISCOMPARED.code(), done + different));
                    }
                }
            }
        }
    }

    @Override
    boolean isAlone(int opcode) {
        return opcode == 0x5F || (opcode == 0x89 && isShared()); // PERSISTENT RESERVE OUT, COMPARE AND WRITE
    }

    private long compareAndWrite(Nexus nexus, ScsiCommand command) {
        UnitSharing others = sharing;
        if (others == null) {
            return compareAndWrite(command, command.u64(2), command.u8(13));
        }
        return others.alone(() -> {
            requireAccess(nexus, Operation.Access.WRITE);
            return compareAndWrite(command, command.u64(2), command.u8(13));
        });
    }

    private long compareAndWrite(ScsiCommand command, long lba, int blocks) {
        refuseProtection(command);
        long at = placeBlocks(lba, blocks);
        IoMemory both = data(command.out(), 2L * blocks);
        long length = (long) blocks * sector;
        // The guest must not change what was compared before it is written.
        IoMemory mine = IoMemory.of(both.toByteArray());
        writes.writeLock().lock();
        try {
            writing.awaitNone();
            compare(at, length, mine.slice(0, length));
            rods.changing(at, length);
            disk.write(at, mine.slice(length, length), command.bit(1, 3));
        } finally {
            writes.writeLock().unlock();
        }
        return both.byteSize();
    }

    private long writeSame(ScsiCommand command, long lba, long blocks) {
        refuseProtection(command);
        boolean noData = command.opcode() == 0x93 && command.bit(1, 0);
        boolean release = command.bit(1, 3);
        boolean anchor = command.bit(1, 4);
        if (blocks == 0 || blocks > DiskPages.MOST_ZEROED_BYTES / sector || anchor) {
            throw ScsiError.check(Sense.INVALID_FIELD);
        }
        long at = placeBlocks(lba, blocks);
        byte[] pattern = new byte[sector];
        if (!noData) {
            data(command.out(), 1).get(0, MemorySegment.ofArray(pattern));
        }
        change(at, blocks * sector, d -> {
            if (isZero(pattern)) {
                d.zero(at, blocks * sector, release);
            } else {
                repeat(pattern, at, blocks * sector);
            }
        });
        return noData ? 0 : sector;
    }

    private static boolean isZero(byte[] bytes) {
        for (byte b : bytes) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private void repeat(byte[] pattern, long at, long length) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment many = arena.allocate(Math.min(length, SCRATCH), 4096);
            for (long i = 0; i < many.byteSize(); i += sector) {
                MemorySegment.copy(MemorySegment.ofArray(pattern), 0, many, i, sector);
            }
            for (long done = 0; done < length; done += many.byteSize()) {
                disk.write(at + done, IoMemory.of(many.asSlice(0, Math.min(many.byteSize(), length - done))), false);
            }
        }
    }

    private long unmap(ScsiCommand command) {
        if (traits.releaseBytes() == 0 || command.bit(1, 0)) {
            throw ScsiError.check(traits.releaseBytes() == 0 ? Sense.INVALID_OPCODE : Sense.INVALID_FIELD);
        }
        int length = command.u16(7);
        if (length == 0) {
            return 0;
        }
        ByteBuffer p = ByteBuffer.wrap(command.parameters(length, 0xFFFF));
        if (length < 8) {
            throw ScsiError.check(Sense.PARAMETER_LENGTH);
        }
        int count = Math.min(Short.toUnsignedInt(p.getShort(2)), length - 8) / 16;
        if (count > DiskPages.MOST_UNMAP_DESCRIPTORS) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        long sum = 0;
        for (int i = 0; i < count; i++) {
            long blocks = Integer.toUnsignedLong(p.getInt(16 + i * 16));
            placeBlocks(p.getLong(8 + i * 16), blocks);
            sum += blocks;
        }
        if (sum > DiskPages.MOST_ZEROED_BYTES / sector) {
            throw ScsiError.check(Sense.INVALID_PARAMETER);
        }
        for (int i = 0; i < count; i++) {
            long at = p.getLong(8 + i * 16) * sector;
            long bytes = Integer.toUnsignedLong(p.getInt(16 + i * 16)) * sector;
            change(at, bytes, d -> d.zero(at, bytes, true));
        }
        return length;
    }

    private long sync(long lba, long blocks) {
        placeBlocks(lba, blocks);
        disk.flush();
        return 0;
    }

    private long readCapacity10(ScsiCommand command) {
        long last = disk.size() / sector - 1;
        ByteBuffer out = ByteBuffer.allocate(8);
        out.putInt((int) Math.min(last, 0xFFFF_FFFFL));
        out.putInt(sector);
        return command.answer(out.array(), 8);
    }

    private long readCapacity16(ScsiCommand command) {
        ByteBuffer out = ByteBuffer.allocate(32);
        out.putLong(disk.size() / sector - 1);
        out.putInt(sector);
        out.put(13, (byte) Integer.numberOfTrailingZeros(traits.physicalSectorBytes() / sector));
        out.put(14, (byte) (traits.releaseBytes() > 0 ? 0xC0 : 0)); // LBPME, LBPRZ
        return command.answer(out.array(), command.u32(10));
    }

    private long lbaStatus(ScsiCommand command) {
        long lba = command.u64(2);
        long at = placeBlocks(lba, 1);
        Extent extent = disk.extent(at, disk.size() - at);
        ByteBuffer out = ByteBuffer.allocate(24);
        out.putInt(0, 20);
        out.putLong(8, lba);
        out.putInt(16, (int) Math.min(extent.length() / sector, 0xFFFF_FFFFL));
        out.put(20, (byte) (extent.kind() == Extent.Kind.ZERO ? 1 : 0));
        return command.answer(out.array(), command.u32(10));
    }

    private long startStop(ScsiCommand command) {
        if ((command.u8(4) & 0xF3) == 0) {
            disk.flush(); // stopped: nothing may be lost if the power goes
        }
        return 0;
    }
}
