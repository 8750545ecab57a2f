package io.javisor.storage.disk;

import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.HostBackingFile;
import io.javisor.storage.file.ParentReads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A throw-away copy of a disk: reads come from the disk underneath until a sector has been written, and what is written lives
 * in a sparse scratch file without a name, gone when the overlay is closed. The disk underneath is never written and may lie
 * under many overlays. Needs 4 KiB of memory for each 16 MiB (of 512-byte sectors) that were touched.
 */
public final class OverlayDisk extends CheckedDisk {
    private static final int WORDS = 512;
    private static final int PAGE_SECTORS = WORDS * 64;

    private final ParentReads base;
    private final BackingFile scratch;
    private final DiskTraits traits;
    private final long size;
    // Which sectors were written; pages are added under the lock held alone.
    private final ConcurrentHashMap<Long, long[]> written = new ConcurrentHashMap<>();
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final boolean ownsBase;

    private OverlayDisk(Disk base, BackingFile scratch, boolean ownsBase) {
        super("overlay of " + base);
        this.base = new ParentReads(base);
        this.scratch = scratch;
        this.ownsBase = ownsBase;
        size = base.size();
        DiskTraits t = base.traits();
        traits = new DiskTraits(t.sectorBytes(), t.physicalSectorBytes(), 4096, false, UUID.randomUUID());
        scratch.resize(size);
    }

    /**
     * Lays an overlay over a disk, with its scratch file in a folder.
     *
     * @param base stays open until the overlay is closed
     * @param folder with room for all that is written
     * @param ownsBase whether closing the overlay closes the disk underneath
     */
    public static OverlayDisk in(Path folder, Disk base, boolean ownsBase) {
        try {
            Path path = Files.createTempDirectory(folder, "overlay").resolve("scratch");
            HostBackingFile file = HostBackingFile.create(path);
            Files.delete(path);
            Files.delete(path.getParent());
            return new OverlayDisk(base, file, ownsBase);
        } catch (IOException e) {
            throw new DiskException(
                    DiskException.Kind.OPEN,
                    "no scratch file in " + folder + ": " + e,
                    null,
                    0,
                    "name another folder",
                    e);
        }
    }

    /** Lays an overlay over a disk, with what is written kept in the host's memory. */
    public static OverlayDisk inMemory(Disk base, boolean ownsBase) {
        return new OverlayDisk(base, HostBackingFile.memory("overlay"), ownsBase);
    }

    @Override
    public DiskTraits traits() {
        return traits;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    protected void doRead(long offset, IoMemory into) {
        lock.readLock().lock();
        try {
            ensureOpen();
            for (long done = 0; done < into.byteSize(); ) {
                Extent piece = piece(offset + done, into.byteSize() - done);
                IoMemory part = into.slice(done, piece.length());
                if (piece.kind() == Extent.Kind.DATA) {
                    scratch.read(offset + done, part);
                } else {
                    base.read(offset + done, part);
                }
                done += piece.length();
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    protected boolean doTryRead(long offset, IoMemory into) {
        if (!enter()) {
            return false;
        }
        try {
            Extent piece = piece(offset, into.byteSize());
            if (piece.length() < into.byteSize()) {
                return false;
            }
            return piece.kind() == Extent.Kind.DATA
                    ? scratch.tryRead(offset, into)
                    : base.disk().tryRead(offset, into);
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    protected boolean doTryWrite(long offset, IoMemory from) {
        if (!enter()) {
            return false;
        }
        try {
            Extent piece = piece(offset, from.byteSize());
            return piece.kind() == Extent.Kind.DATA
                    && piece.length() == from.byteSize()
                    && scratch.tryWrite(offset, from);
        } finally {
            lock.readLock().unlock();
        }
    }

    @SuppressWarnings("LockNotBeforeTry") // the caller releases it
    private boolean enter() {
        return !lock.hasQueuedThreads() && lock.readLock().tryLock();
    }

    private Extent piece(long offset, long length) {
        int sector = traits.sectorBytes();
        long first = offset / sector;
        long most = length / sector;
        boolean mine = has(first);
        long n = 1;
        while (n < most && has(first + n) == mine) {
            n++;
        }
        return new Extent(mine ? Extent.Kind.DATA : Extent.Kind.PARENT, n * sector);
    }

    private boolean has(long sector) {
        long[] page = written.get(sector / PAGE_SECTORS);
        int i = (int) (sector % PAGE_SECTORS);
        return page != null && (page[i >> 6] >>> i & 1) != 0;
    }

    @Override
    protected void doWrite(long offset, IoMemory from, boolean durable) {
        change(offset, from.byteSize(), () -> scratch.write(offset, from));
    }

    @Override
    protected void doZero(long offset, long length, boolean release) {
        change(offset, length, () -> scratch.zero(offset, length, release));
    }

    private void change(long offset, long length, Runnable transfer) {
        lock.readLock().lock();
        try {
            ensureOpen();
            Extent piece = piece(offset, length);
            if (piece.kind() == Extent.Kind.DATA && piece.length() == length) {
                transfer.run();
                return;
            }
        } finally {
            lock.readLock().unlock();
        }
        lock.writeLock().lock();
        try {
            ensureOpen();
            transfer.run();
            int sector = traits.sectorBytes();
            for (long s = offset / sector; s < (offset + length) / sector; s++) {
                long[] page = written.computeIfAbsent(s / PAGE_SECTORS, _ -> new long[WORDS]);
                int i = (int) (s % PAGE_SECTORS);
                page[i >> 6] |= 1L << i;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Nothing to do: what is written is not to survive anyway. */
    @Override
    protected void doFlush() {}

    @Override
    protected Extent doExtent(long offset, long length) {
        lock.readLock().lock();
        try {
            return piece(offset, length);
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    protected void doClose() {
        lock.writeLock().lock();
        try {
            // Now nobody is inside, and nobody gets in any more: the disk is closed.
        } finally {
            lock.writeLock().unlock();
        }
        scratch.close();
        if (ownsBase) {
            base.close();
        }
    }
}
