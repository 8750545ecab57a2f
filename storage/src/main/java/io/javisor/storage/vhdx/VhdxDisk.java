package io.javisor.storage.vhdx;

import io.javisor.storage.disk.CheckedDisk;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.disk.DiskTraits;
import io.javisor.storage.disk.Extent;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.ParentReads;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A disk in a VHDX file: fixed, dynamic or, with a parent, differencing. */
public final class VhdxDisk extends CheckedDisk {
    private final VhdxStore store;
    private final Bat bat;
    private final int block;
    private final DiskTraits traits;
    private final @Nullable ParentReads parent;
    private final @Nullable SectorBitmap bitmap;

    private VhdxDisk(VhdxStore store, @Nullable Disk parent) {
        super(store.file.name());
        this.store = store;
        bat = store.bat;
        block = bat.blockBytes;
        Metadata m = store.metadata;
        if (m.sectorBytes() % store.file.alignment() != 0) {
            throw new DiskException(
                    DiskException.Kind.OPEN,
                    name() + ": direct I/O moves " + store.file.alignment() + " bytes at a time, more than a sector of "
                            + m.sectorBytes() + " bytes",
                    "open it without direct I/O");
        }
        traits = new DiskTraits(
                m.sectorBytes(), m.physicalSectorBytes(), Layout.PAGE, store.file.isReadOnly(), m.diskId());
        this.parent = parent == null ? null : new ParentReads(parent);
        bitmap = parent == null ? null : new SectorBitmap(store);
    }

    /** What opens the parent of a differencing disk: gets the child's file and what it says of its parent. */
    public interface Parents {
        /** Opens the parent, read-only; throws if it is not there, not admitted or not the right one. */
        Disk open(String childFile, VhdxParent wanted);
    }

    /**
     * Opens a VHDX file; a log that a crash left behind is replayed.
     *
     * @param file owned, whether this succeeds or not: closed with the disk
     * @param parents asked once, if it is a differencing disk; what it gives is closed with the disk
     */
    public static VhdxDisk open(BackingFile file, Parents parents) {
        Disk parent = null;
        try {
            VhdxStore store = VhdxStore.open(file);
            ParentLocator locator = store.metadata.parent();
            if (locator != null) {
                parent = parents.open(file.name(), new VhdxParent(locator));
                if (parent.traits().sectorBytes() != store.metadata.sectorBytes()) {
                    throw new DiskException(
                            DiskException.Kind.PARENT,
                            file.name() + " has sectors of " + store.metadata.sectorBytes() + " bytes, its parent of "
                                    + parent.traits().sectorBytes(),
                            null);
                }
            }
            return new VhdxDisk(store, parent);
        } catch (RuntimeException e) {
            file.close();
            if (parent != null) {
                parent.close();
            }
            throw e;
        }
    }

    @Override
    public DiskTraits traits() {
        return traits;
    }

    @Override
    public long size() {
        return store.metadata.diskBytes();
    }

    /**
     * Takes a data-write GUID that is known already instead of a new one: by it children know their parent. Before the first
     * write only.
     */
    public void beginWriting(UUID dataWrite) {
        store.begin(dataWrite);
    }

    private long entry(long index) {
        long at = bat.payloadEntryAt(index);
        long entry = store.pages.get(at);
        int state = Bat.state(entry);
        if (Bat.isAllocated(entry)) {
            Bat.check(name(), at, entry, block, store.file.size(), store.regions, store.header());
        }
        if (state == 4 || state == 5 || (state == Bat.PARTIAL && bitmap == null)) {
            throw new DiskFormatException(name(), at, "a BAT entry with state " + state);
        }
        return entry;
    }

    @Override
    protected void doRead(long offset, IoMemory into) {
        store.lock.readLock().lock();
        try {
            ensureOpen();
            long length = into.byteSize();
            for (long done = 0; done < length; ) {
                long at = offset + done;
                long n = Math.min(length - done, block - at % block);
                readPiece(at, into.slice(done, n));
                done += n;
            }
        } finally {
            store.lock.readLock().unlock();
        }
    }

    private void readPiece(long at, IoMemory into) {
        long index = at / block;
        long entry = entry(index);
        long place = Bat.fileOffset(entry) + at % block;
        switch (Bat.state(entry)) {
            case Bat.FULL -> store.file.read(place, into);
            case Bat.PARTIAL -> readMixed(index, at, place, into);
            case Bat.NOT_PRESENT -> {
                if (parent != null) {
                    parent.read(at, into);
                } else {
                    into.clear();
                }
            }
            default -> into.clear();
        }
    }

    private void readMixed(long index, long at, long place, IoMemory into) {
        SectorBitmap bits = differencing(bitmap);
        ParentReads below = differencing(parent);
        int sector = traits.sectorBytes();
        int first = (int) (at % block / sector);
        int count = (int) (into.byteSize() / sector);
        for (int i = 0; i < count; ) {
            boolean mine = bits.get(index, first + i);
            int run = bits.run(index, first + i, count - i);
            long from = (long) i * sector;
            IoMemory part = into.slice(from, (long) run * sector);
            if (mine) {
                store.file.read(place + from, part);
            } else {
                below.read(at + from, part);
            }
            i += run;
        }
    }

    private static <T> T differencing(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("only a differencing disk has one");
        }
        return part;
    }

    @Override
    protected void doWrite(long offset, IoMemory from, boolean durable) {
        store.prepareToModify();
        long length = from.byteSize();
        for (long done = 0; done < length; ) {
            long at = offset + done;
            long n = Math.min(length - done, block - at % block);
            IoMemory part = from.slice(done, n);
            while (!writeInPlace(at, part) && !writeChanging(at, part)) {
                // A block has been allocated: now it can be written in place.
            }
            done += n;
        }
        if (durable) {
            store.commit();
        }
    }

    private boolean writeInPlace(long at, IoMemory from) {
        store.lock.readLock().lock();
        try {
            ensureOpen();
            long index = at / block;
            long entry = entry(index);
            if (!isMine(entry, at, from.byteSize())) {
                return false;
            }
            store.file.write(Bat.fileOffset(entry) + at % block, from);
            return true;
        } finally {
            store.lock.readLock().unlock();
        }
    }

    @Override
    protected boolean doTryRead(long offset, IoMemory into) {
        if (!store.tryShare()) {
            return false;
        }
        try {
            long entry = knownEntry(offset, into.byteSize());
            return switch (Bat.state(entry)) {
                case Bat.FULL -> store.file.tryRead(Bat.fileOffset(entry) + offset % block, into);
                case Bat.ZERO, Bat.UNMAPPED -> {
                    into.clear();
                    yield true;
                }
                default -> false;
            };
        } catch (DiskException e) {
            return false; // who waits finds it again, and says it
        } finally {
            store.lock.readLock().unlock();
        }
    }

    @Override
    protected boolean doTryWrite(long offset, IoMemory from) {
        if (!store.isWritten() || !store.tryShare()) {
            return false;
        }
        try {
            long entry = knownEntry(offset, from.byteSize());
            return Bat.state(entry) == Bat.FULL && store.file.tryWrite(Bat.fileOffset(entry) + offset % block, from);
        } catch (DiskException e) {
            return false;
        } finally {
            store.lock.readLock().unlock();
        }
    }

    /** The entry of a range inside one block, if it is in memory; else one that says nothing. */
    private long knownEntry(long at, long length) {
        long index = at / block;
        return at % block + length <= block && store.pages.has(bat.payloadEntryAt(index))
                ? entry(index)
                : Bat.entry(Bat.NOT_PRESENT, 0);
    }

    /** Whether all sectors of a range within a block are read from this file. */
    private boolean isMine(long entry, long at, long length) {
        if (Bat.state(entry) != Bat.PARTIAL) {
            return Bat.state(entry) == Bat.FULL;
        }
        int sector = traits.sectorBytes();
        int first = (int) (at % block / sector);
        int count = (int) (length / sector);
        SectorBitmap bits = differencing(bitmap);
        return bits.get(at / block, first) && bits.run(at / block, first, count) == count;
    }

    /**
     * Writes where metadata must change.
     *
     * @return false if only a block was allocated, with nothing written yet
     */
    private boolean writeChanging(long at, IoMemory from) {
        store.lockToChange();
        try {
            ensureOpen();
            long index = at / block;
            long entry = entry(index);
            switch (Bat.state(entry)) {
                case Bat.FULL -> {
                    return false; // somebody else was faster
                }
                case Bat.PARTIAL -> {
                    store.file.write(Bat.fileOffset(entry) + at % block, from);
                    setBits(at, from.byteSize());
                    return true;
                }
                case Bat.NOT_PRESENT -> {
                    if (parent != null) {
                        writeOverParent(at, from);
                        return true;
                    }
                }
                default -> {}
            }
            // It reads as zeroes and so does the new place: the entry may become durable before the data.
            setEntry(index, Bat.FULL, store.space.take(block));
            return false;
        } finally {
            store.lock.writeLock().unlock();
        }
    }

    private void writeOverParent(long at, IoMemory from) {
        long index = at / block;
        long place = takePartial(index, from.byteSize() == block);
        store.file.write(place + at % block, from);
        if (from.byteSize() == block) {
            setEntry(index, Bat.FULL, place);
        } else {
            setEntry(index, Bat.PARTIAL, place);
            setBits(at, from.byteSize());
        }
    }

    private long takePartial(long index, boolean whole) {
        if (!whole) {
            differencing(bitmap).clear(index);
        }
        return store.space.take(block);
    }

    private void setBits(long at, long length) {
        int sector = traits.sectorBytes();
        differencing(bitmap).set(at / block, (int) (at % block / sector), (int) (length / sector));
    }

    private void setEntry(long index, int state, long place) {
        store.pages.set(bat.payloadEntryAt(index), Bat.entry(state, place));
    }

    @Override
    protected void doZero(long offset, long length, boolean release) {
        store.prepareToModify();
        for (long done = 0; done < length; ) {
            long at = offset + done;
            long n = Math.min(length - done, block - at % block);
            // The last block may stick out of the disk: what the disk has of it is all of it.
            boolean whole = at % block == 0 && (n == block || at + n == size());
            zeroPiece(at, n, whole, release && !store.metadata.leaveAllocated());
            done += n;
        }
    }

    private void zeroPiece(long at, long length, boolean whole, boolean release) {
        if (!(whole && release) && zeroInPlace(at, length, release)) {
            return;
        }
        store.lockToChange();
        try {
            ensureOpen();
            long index = at / block;
            long entry = entry(index);
            int state = Bat.state(entry);
            if (state == Bat.ZERO
                    || state == Bat.UNMAPPED
                    || state == Bat.UNDEFINED
                    || (state == Bat.NOT_PRESENT && parent == null)) {
                return;
            }
            if (whole && (release || !Bat.isAllocated(entry))) {
                setEntry(index, Bat.ZERO, 0);
                if (Bat.isAllocated(entry)) {
                    store.space.release(Bat.fileOffset(entry), block);
                }
                return;
            }
            long place = Bat.fileOffset(entry);
            if (state == Bat.NOT_PRESENT) {
                place = takePartial(index, false);
                setEntry(index, Bat.PARTIAL, place);
            } else {
                store.file.zero(place + at % block, length, release);
            }
            if (state != Bat.FULL) {
                setBits(at, length);
            }
        } finally {
            store.lock.writeLock().unlock();
        }
    }

    private boolean zeroInPlace(long at, long length, boolean release) {
        store.lock.readLock().lock();
        try {
            ensureOpen();
            long entry = entry(at / block);
            if (isMine(entry, at, length)) {
                store.file.zero(Bat.fileOffset(entry) + at % block, length, release);
                return true;
            }
            return false;
        } finally {
            store.lock.readLock().unlock();
        }
    }

    @Override
    protected void doFlush() {
        store.commit();
    }

    @Override
    protected Extent doExtent(long offset, long length) {
        store.lock.readLock().lock();
        try {
            ensureOpen();
            Extent.Kind kind = null;
            long done = 0;
            while (done < length) {
                long at = offset + done;
                long n = Math.min(length - done, block - at % block);
                Extent piece = pieceExtent(at, n);
                if (kind != null && piece.kind() != kind) {
                    break;
                }
                kind = piece.kind();
                done += piece.length();
            }
            return new Extent(kind == null ? Extent.Kind.DATA : kind, done);
        } finally {
            store.lock.readLock().unlock();
        }
    }

    private Extent pieceExtent(long at, long length) {
        long entry = entry(at / block);
        return switch (Bat.state(entry)) {
            case Bat.FULL -> new Extent(Extent.Kind.DATA, length);
            case Bat.NOT_PRESENT -> new Extent(parent == null ? Extent.Kind.ZERO : Extent.Kind.PARENT, length);
            case Bat.PARTIAL -> {
                int sector = traits.sectorBytes();
                int first = (int) (at % block / sector);
                SectorBitmap bits = differencing(bitmap);
                int run = bits.run(at / block, first, (int) (length / sector));
                yield new Extent(
                        bits.get(at / block, first) ? Extent.Kind.DATA : Extent.Kind.PARENT, (long) run * sector);
            }
            default -> new Extent(Extent.Kind.ZERO, length);
        };
    }

    @Override
    protected void doClose() {
        store.lock.writeLock().lock();
        try {
            // Now nobody is inside, and nobody gets in any more: the disk is closed.
        } finally {
            store.lock.writeLock().unlock();
        }
        try {
            store.close();
        } finally {
            if (parent != null) {
                parent.close();
            }
        }
    }
}
