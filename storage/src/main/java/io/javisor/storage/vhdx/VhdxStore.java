package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.BackingFile;
import io.javisor.storage.file.MsGuid;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * An open VHDX file: its structures, its lock, and the commit that makes changes of its metadata survive.
 *
 * <p><b>Locks.</b> {@link #lock}, shared: look at metadata and move data in places that it names. Alone: change metadata.
 * The commit's own lock comes before it and is held while waiting for the disk; the other is not.
 */
final class VhdxStore implements AutoCloseable {
    /** Pages that one change may need: an entry each of a block and a bitmap, and the bits of a block of 256 MiB. */
    static final int PAGES_PER_CHANGE = 20;

    final BackingFile file;
    final Regions regions;
    final Metadata metadata;
    final Bat bat;
    final MetadataPages pages;
    final Space space;
    final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    private final ReentrantLock committing = new ReentrantLock();
    private Header header;
    private long headerAt;
    private long sequence;
    private boolean inSecondHalf;
    private volatile boolean modified;
    private volatile @Nullable DiskException broken;

    private VhdxStore(BackingFile file, Header.Placed placed) {
        this.file = file;
        header = placed.header();
        headerAt = placed.offset();
        regions = Regions.read(file, header);
        metadata = Metadata.read(file, regions);
        bat = new Bat(
                regions.batOffset(),
                metadata.diskBytes(),
                metadata.blockBytes(),
                metadata.sectorBytes(),
                metadata.parent() != null);
        if (bat.entries * 8 > regions.batLength()) {
            throw new DiskFormatException(
                    file.name(),
                    regions.batOffset(),
                    "a BAT of " + regions.batLength() + " bytes for a disk that needs " + bat.entries * 8);
        }
        pages = new MetadataPages(file);
        space = new Space(file);
    }

    /** Opens a file, replays its log if it has one, and owns it from then on. */
    static VhdxStore open(BackingFile given) {
        BackingFile file = given;
        Header.Placed placed = Header.readCurrent(file);
        Header header = placed.header();
        if (!header.log().equals(MsGuid.NONE)) {
            var replay = new LogReplay(file, header);
            if (file.isReadOnly()) {
                file = new ReplayedFile(file, replay);
            } else {
                replay.replayInto(file);
                Header clean = header.next(header.fileWrite(), header.dataWrite(), MsGuid.NONE);
                file.write(placed.otherOffset(), clean.toByteArray());
                file.flush();
                placed = new Header.Placed(clean, placed.otherOffset());
            }
        }
        return new VhdxStore(file, placed);
    }

    Header header() {
        return header;
    }

    /** Called before anything is changed: the first time it marks the file as in use. */
    void prepareToModify() {
        if (modified) {
            DiskException cause = broken;
            if (cause != null) {
                throw new DiskException(
                        DiskException.Kind.WRITE,
                        file.name() + " failed before: " + cause.getMessage(),
                        null,
                        cause.errno(),
                        "close and reopen it, which goes back to what was flushed last",
                        cause);
            }
            return;
        }
        committing.lock();
        try {
            if (modified) {
                return;
            }
            begin(UUID.randomUUID());
        } finally {
            committing.unlock();
        }
    }

    /** Marks the file as in use, with a data-write GUID that the caller knows. */
    void begin(UUID dataWrite) {
        if (header.logLength() < Layout.MIB) {
            throw new DiskException(
                    DiskException.Kind.UNSUPPORTED,
                    file.name() + " has no log, without which it can't be written",
                    "open it read-only, or convert it");
        }
        // A log in use must hold an entry, so the empty one comes before the header that says so.
        UUID log = UUID.randomUUID();
        Header next = header.next(UUID.randomUUID(), dataWrite, log);
        sequence = 0;
        append(log, Collections.emptySortedMap());
        file.flush();
        writeHeader(next);
        file.flush();
        modified = true;
    }

    private void writeHeader(Header next) {
        headerAt = headerAt == Layout.HEADER_1 ? Layout.HEADER_2 : Layout.HEADER_1;
        header = next;
        file.write(headerAt, next.toByteArray());
    }

    // Entries take turns in the log's two halves, and each stands alone: so the one before is whole until this one is.
    private void append(UUID log, SortedMap<Long, byte[]> changed) {
        long at = inSecondHalf ? header.logLength() / 2 / Layout.PAGE * Layout.PAGE : 0;
        long flushed = file.size() / Layout.MIB * Layout.MIB;
        long last = Layout.roundUp(file.size(), Layout.MIB);
        byte[] entry = LogEntry.encode(at, log, sequence + 1, flushed, last, changed);
        file.write(header.logOffset() + at, entry);
        sequence++;
        inSecondHalf = !inSecondHalf;
    }

    /** Takes the lock alone, with room in the log for one change; commits first if need be. */
    @SuppressWarnings("LockNotBeforeTry") // the caller releases it
    void lockToChange() {
        while (true) {
            lock.writeLock().lock();
            if (pages.dirtyCount() + PAGES_PER_CHANGE <= LogEntry.MOST_PAGES) {
                return;
            }
            lock.writeLock().unlock();
            commit();
        }
    }

    /** Takes the lock shared if nobody has it alone, or waits for it; false if not. */
    @SuppressWarnings("LockNotBeforeTry") // the caller releases it
    boolean tryShare() {
        return !lock.hasQueuedThreads() && lock.readLock().tryLock();
    }

    /** Whether the file is marked as in use, and all is well with it. */
    boolean isWritten() {
        return modified && broken == null;
    }

    /** Makes all data and metadata that was written before survive a crash. The lock must not be held. */
    void commit() {
        if (!modified) {
            return;
        }
        prepareToModify();
        committing.lock();
        try {
            SortedMap<Long, byte[]> changed;
            List<Space.Run> released;
            lock.writeLock().lock();
            try {
                changed = pages.beginCommit();
                released = space.beginCommit();
            } finally {
                lock.writeLock().unlock();
            }
            if (changed.isEmpty()) {
                guarded(file::flush);
                return;
            }
            guarded(() -> write(changed));
            for (Space.Run run : released) {
                file.zero(run.offset(), run.length(), true);
            }
            lock.writeLock().lock();
            try {
                space.reuse(released);
            } finally {
                lock.writeLock().unlock();
            }
        } finally {
            committing.unlock();
        }
    }

    /** Changes whole pages of any structure but the headers, all or none of them, at once. The lock must not be held. */
    void commitPages(SortedMap<Long, byte[]> changed) {
        commit();
        committing.lock();
        try {
            guarded(() -> write(changed));
        } finally {
            committing.unlock();
        }
    }

    private void write(SortedMap<Long, byte[]> changed) {
        file.flush();
        append(header.log(), changed);
        file.flush();
        changed.forEach(file::write);
        pages.endCommit();
    }

    // After a failed flush the kernel may have dropped what was to be written, so nobody knows any more what is there.
    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (DiskException e) {
            broken = e;
            throw e;
        }
    }

    /** Commits, empties the log and closes the file. */
    @Override
    public void close() {
        try {
            if (modified && broken == null) {
                commit();
                committing.lock();
                try {
                    guarded(() -> {
                        file.flush();
                        writeHeader(header.next(header.fileWrite(), header.dataWrite(), MsGuid.NONE));
                        file.flush();
                    });
                } finally {
                    committing.unlock();
                }
            }
        } finally {
            file.close();
        }
    }
}
