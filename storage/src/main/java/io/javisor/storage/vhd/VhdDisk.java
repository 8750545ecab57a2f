package io.javisor.storage.vhd;

import io.javisor.storage.disk.CheckedDisk;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskTraits;
import io.javisor.storage.disk.Extent;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.ParentReads;
import io.javisor.storage.file.RawDisk;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A disk in a dynamic or differencing VHD file. The lock is held shared to move data where the tables say, alone to change
 * the tables.
 */
public final class VhdDisk extends CheckedDisk {
    private static final int SECTOR = VhdFooter.SECTOR;

    private final BackingFile file;
    private final VhdFooter footer;
    private final VhdTables tables;
    private final int block;
    private final DiskTraits traits;
    private final @Nullable ParentReads parent;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    private VhdDisk(BackingFile file, VhdFooter footer, VhdTables tables, @Nullable Disk parent) {
        super(file.name());
        this.file = file;
        this.footer = footer;
        this.tables = tables;
        block = tables.blockBytes();
        this.parent = parent == null ? null : new ParentReads(parent);
        traits = new DiskTraits(SECTOR, SECTOR, 4096, file.isReadOnly(), footer.id());
    }

    /** What opens the parent of a differencing disk. */
    public interface Parents {
        /** Opens the parent, read-only; throws if it is not there, not admitted or not the right one. */
        Disk open(String childFile, List<String> paths, UUID id);
    }

    /**
     * Opens a VHD file of any type.
     *
     * @param file owned, whether this succeeds or not: closed with the disk
     * @param parents asked once, if it is a differencing disk; what it gives is closed with the disk
     */
    public static Disk open(BackingFile file, Parents parents) {
        Disk parent = null;
        try {
            if (SECTOR % file.alignment() != 0) {
                throw new DiskException(
                        DiskException.Kind.OPEN,
                        file.name() + ": direct I/O moves " + file.alignment() + " bytes at a time, more than a sector",
                        "open it without direct I/O");
            }
            VhdFooter.Found found = VhdFooter.read(file);
            VhdFooter footer = found.footer();
            if (footer.type() == VhdFooter.FIXED) {
                VhdFiles.checkFixed(file, footer);
                return new RawDisk(file, footer.size(), SECTOR, footer.id());
            }
            VhdHeader header = VhdHeader.read(file, footer);
            var tables = new VhdTables(file, header, found);
            if (footer.type() == VhdFooter.DIFFERENCING) {
                parent = parents.open(file.name(), header.parentPaths(), header.parentId());
                if (parent.traits().sectorBytes() != SECTOR) {
                    throw new DiskException(
                            DiskException.Kind.PARENT,
                            file.name() + ": the parent's sectors are not of 512 bytes",
                            null);
                }
            }
            return new VhdDisk(file, footer, tables, parent);
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
        return footer.size();
    }

    @Override
    protected void doRead(long offset, IoMemory into) {
        lock.readLock().lock();
        try {
            ensureOpen();
            long length = into.byteSize();
            for (long done = 0; done < length; ) {
                long at = offset + done;
                Extent piece = pieceExtent(at, Math.min(length - done, block - at % block));
                IoMemory part = into.slice(done, piece.length());
                switch (piece.kind()) {
                    case DATA -> file.read(tables.dataAt((int) (at / block)) + at % block, part);
                    case ZERO -> part.clear();
                    case PARENT -> parent().read(at, part);
                }
                done += piece.length();
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    protected boolean doTryRead(long offset, IoMemory into) {
        return tryInPlace(offset, into.byteSize(), place -> file.tryRead(place, into));
    }

    @Override
    protected boolean doTryWrite(long offset, IoMemory from) {
        return tryInPlace(offset, from.byteSize(), place -> file.tryWrite(place, from));
    }

    /** Does something with a range's place in the file if it is inside a block known to be there; never waits for the lock. */
    private boolean tryInPlace(long at, long length, LongPredicate transfer) {
        if (at % block + length > block
                || lock.hasQueuedThreads()
                || !lock.readLock().tryLock()) {
            return false;
        }
        try {
            int index = (int) (at / block);
            return tables.isKnownFull(index) && transfer.test(tables.dataAt(index) + at % block);
        } finally {
            lock.readLock().unlock();
        }
    }

    private ParentReads parent() {
        if (parent == null) {
            throw new IllegalStateException("only a differencing disk has a parent");
        }
        return parent;
    }

    private Extent pieceExtent(long at, long length) {
        int index = (int) (at / block);
        Extent.Kind absent = parent == null ? Extent.Kind.ZERO : Extent.Kind.PARENT;
        if (!tables.isAllocated(index)) {
            return new Extent(absent, length);
        }
        if (tables.isFull(index)) {
            return new Extent(Extent.Kind.DATA, length);
        }
        int first = (int) (at % block / SECTOR);
        int run = tables.run(index, first, (int) (length / SECTOR));
        return new Extent(tables.has(index, first) ? Extent.Kind.DATA : absent, (long) run * SECTOR);
    }

    @Override
    protected void doWrite(long offset, IoMemory from, boolean durable) {
        long length = from.byteSize();
        for (long done = 0; done < length; ) {
            long at = offset + done;
            long n = Math.min(length - done, block - at % block);
            IoMemory part = from.slice(done, n);
            if (!inPlace(at, n, () -> file.write(tables.dataAt((int) (at / block)) + at % block, part))) {
                change(at, n, () -> file.write(tables.dataAt((int) (at / block)) + at % block, part));
            }
            done += n;
        }
        if (durable) {
            doFlush();
        }
    }

    @Override
    protected void doZero(long offset, long length, boolean release) {
        for (long done = 0; done < length; ) {
            long at = offset + done;
            long n = Math.min(length - done, block - at % block);
            int index = (int) (at / block);
            Runnable zero = () -> file.zero(tables.dataAt(index) + at % block, n, release);
            if (!inPlace(at, n, zero) && !readsAsZero(index)) {
                change(at, n, zero);
            }
            done += n;
        }
    }

    private boolean readsAsZero(int index) {
        lock.readLock().lock();
        try {
            return parent == null && !tables.isAllocated(index);
        } finally {
            lock.readLock().unlock();
        }
    }

    private boolean inPlace(long at, long length, Runnable transfer) {
        lock.readLock().lock();
        try {
            ensureOpen();
            Extent extent = pieceExtent(at, length);
            if (extent.kind() != Extent.Kind.DATA || extent.length() < length) {
                return false;
            }
            transfer.run();
            return true;
        } finally {
            lock.readLock().unlock();
        }
    }

    private void change(long at, long length, Runnable transfer) {
        lock.writeLock().lock();
        try {
            ensureOpen();
            if (tables.isCrowded()) {
                tables.commit();
            }
            int index = (int) (at / block);
            if (!tables.isAllocated(index)) {
                tables.allocate(index, parent == null);
            }
            transfer.run();
            if (!tables.isFull(index)) {
                tables.setPresent(index, (int) (at % block / SECTOR), (int) (length / SECTOR));
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    protected void doFlush() {
        lock.readLock().lock();
        try {
            ensureOpen();
            if (!tables.isDirty()) {
                file.flush();
                return;
            }
        } finally {
            lock.readLock().unlock();
        }
        lock.writeLock().lock();
        try {
            ensureOpen();
            tables.commit();
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    protected Extent doExtent(long offset, long length) {
        lock.readLock().lock();
        try {
            ensureOpen();
            Extent first = pieceExtent(offset, Math.min(length, block - offset % block));
            long done = first.length();
            while (done < length) {
                long at = offset + done;
                Extent next = pieceExtent(at, Math.min(length - done, block - at % block));
                if (next.kind() != first.kind()) {
                    break;
                }
                done += next.length();
            }
            return new Extent(first.kind(), done);
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    protected void doClose() {
        lock.writeLock().lock();
        try {
            if (!traits.readOnly()) {
                tables.commit();
            }
        } finally {
            lock.writeLock().unlock();
            file.close();
            if (parent != null) {
                parent.close();
            }
        }
    }
}
