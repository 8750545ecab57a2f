package io.javisor.storage.disk;

import io.javisor.storage.disk.DiskException.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A disk that can be moved to another while it is in use: what is written meanwhile goes to both, the rest is copied, and at the
 * end the other takes its place between two requests. Its size and traits stay what they were.
 *
 * <p>The source has everything, and decides, until the last moment: whatever ends a move early leaves it as if there had been
 * none. An error of the target ends the move and is not seen by who writes.
 */
public final class MovableDisk implements Disk {
    private static final int PIECE = 1 << 20;
    private static final long LOOK_AHEAD = 64L << 20;

    private final DiskTraits traits;
    private final long size;
    // Requests share it; who changes the two fields below has it alone.
    private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();
    // Requests that outlive their hold of the gate; none begins while somebody has it alone.
    private final InFlight inFlight = new InFlight();
    private Disk current;
    private @Nullable Mirror mirror;
    private boolean closed;

    /**
     * @param first owned from now on
     * @param identity that it shows, in place of its own; null for its own
     */
    public MovableDisk(Disk first, @Nullable UUID identity) {
        current = first;
        DiskTraits t = first.traits();
        traits = identity == null
                ? t
                : new DiskTraits(t.sectorBytes(), t.physicalSectorBytes(), t.releaseBytes(), t.readOnly(), identity);
        size = first.size();
    }

    /**
     * Moves to another disk, on the calling thread. Returns when the other has taken the place; on any error, and if the progress
     * listener throws or the thread is interrupted, the source stays in its place.
     *
     * @param target a new disk that is all zeroes, at least as large, with the same sectors; owned by this disk once this
     *     returns, and the caller's if it throws
     * @return the source, which is the caller's to close
     * @throws DiskException of kind {@code BUSY} if a move is under way, {@code UNSUPPORTED} if the target doesn't fit, and
     *     of other kinds if one of the two fails
     */
    public Disk move(Disk target, Progress progress) {
        if (target.size() < size || target.traits().sectorBytes() != traits.sectorBytes()) {
            throw new DiskException(
                    Kind.UNSUPPORTED,
                    target + " with " + target.size() + " bytes in sectors of "
                            + target.traits().sectorBytes() + " can't take the place of " + current + " with " + size
                            + " bytes in sectors of " + traits.sectorBytes(),
                    "make it as large as the source, with the same sectors");
        }
        if (target.traits().readOnly() && !traits.readOnly()) {
            throw new DiskException(Kind.READ_ONLY, target + " is read-only", "open it for writing");
        }
        Mirror to = begin(target);
        boolean done = false;
        try {
            copy(to, progress);
            target.flush(); // most of it while requests go on
            Disk source = finish(to);
            done = true;
            return source;
        } finally {
            if (!done) {
                cancel(to);
            }
        }
    }

    private Mirror begin(Disk target) {
        gate.writeLock().lock();
        try {
            ensureOpen();
            if (mirror != null) {
                throw new DiskException(Kind.BUSY, current + " is being moved already", "wait for the end of that");
            }
            inFlight.awaitNone(); // what they write must be in what is copied
            Mirror made = new Mirror(current, target);
            mirror = made;
            return made;
        } finally {
            gate.writeLock().unlock();
        }
    }

    private void copy(Mirror to, Progress progress) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(PIECE, 4096);
            for (long at = 0; at < size; ) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new DiskException(Kind.UNSUPPORTED, "interrupted while moving " + this, null);
                }
                to.hold(at, Math.min(size, at + LOOK_AHEAD));
                long end = at;
                try {
                    end = copyHeld(to, at, buffer);
                } finally {
                    to.release(end);
                }
                at = end;
                progress.at(at, size);
            }
        }
    }

    /** Copies some of what is held, and tells where the rest begins. */
    private long copyHeld(Mirror to, long at, MemorySegment buffer) {
        Disk source = to.source; // without the gate: those inside may wait for what is held here
        Extent extent = source.extent(at, Math.min(size - at, LOOK_AHEAD));
        if (extent.kind() == Extent.Kind.ZERO) {
            return at + extent.length();
        }
        long n = Math.min(extent.length(), PIECE - at % PIECE);
        to.narrow(at + n);
        IoMemory piece = IoMemory.of(buffer.asSlice(0, n));
        source.read(at, piece);
        to.target.write(at, piece, false);
        return at + n;
    }

    private Disk finish(Mirror to) {
        gate.writeLock().lock();
        try {
            ensureOpen();
            DiskException failure = to.failure();
            if (failure != null) {
                throw failure;
            }
            to.target.flush();
            Disk source = current;
            current = to.target;
            mirror = null;
            return source;
        } finally {
            gate.writeLock().unlock();
        }
    }

    private void cancel(Mirror to) {
        to.giveUp();
        gate.writeLock().lock();
        try {
            if (to.equals(mirror)) {
                mirror = null;
            }
        } finally {
            gate.writeLock().unlock();
        }
    }

    private void ensureOpen() {
        if (closed) {
            throw new DiskException(Kind.CLOSED, current + " is closed", null);
        }
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
    public void read(long offset, IoMemory into) {
        gate.readLock().lock();
        try {
            current.read(offset, into);
        } finally {
            gate.readLock().unlock();
        }
    }

    @Override
    public void write(long offset, IoMemory from, boolean durable) {
        gate.readLock().lock();
        try {
            Mirror to = mirror;
            if (to == null) {
                current.write(offset, from, durable);
            } else {
                to.change(
                        offset,
                        from.byteSize(),
                        () -> current.write(offset, from, durable),
                        part -> to.target.write(offset, from.slice(0, part), false));
            }
        } finally {
            gate.readLock().unlock();
        }
    }

    @Override
    public boolean tryRead(long offset, IoMemory into) {
        if (!enter()) {
            return false;
        }
        try {
            return current.tryRead(offset, into);
        } finally {
            gate.readLock().unlock();
        }
    }

    /** Not while it moves: what is written must reach both. */
    @Override
    public boolean tryWrite(long offset, IoMemory from) {
        if (!enter()) {
            return false;
        }
        try {
            return mirror == null && current.tryWrite(offset, from);
        } finally {
            gate.readLock().unlock();
        }
    }

    @Override
    public boolean beginRead(long offset, IoMemory into, IoEngine engine, IoEngine.Completion completion) {
        return begin(completion, leaving -> current.beginRead(offset, into, engine, leaving));
    }

    @Override
    public boolean beginWrite(long offset, IoMemory from, IoEngine engine, IoEngine.Completion completion) {
        return begin(completion, leaving -> current.beginWrite(offset, from, engine, leaving));
    }

    /** Not while it moves, so that a move has to wait only for those that had begun before. */
    private boolean begin(IoEngine.Completion completion, Predicate<IoEngine.Completion> how) {
        if (!enter()) {
            return false;
        }
        try {
            return mirror == null && inFlight.begin(completion, how);
        } finally {
            gate.readLock().unlock();
        }
    }

    // Who waits for the gate goes first: those who never wait could keep it from opening for ever.
    @SuppressWarnings("LockNotBeforeTry") // the caller releases it
    private boolean enter() {
        return !gate.hasQueuedThreads() && gate.readLock().tryLock();
    }

    @Override
    public void zero(long offset, long length, boolean release) {
        gate.readLock().lock();
        try {
            Mirror to = mirror;
            if (to == null) {
                current.zero(offset, length, release);
            } else {
                to.change(
                        offset,
                        length,
                        () -> current.zero(offset, length, release),
                        part -> to.target.zero(offset, part, release));
            }
        } finally {
            gate.readLock().unlock();
        }
    }

    @Override
    public void flush() {
        gate.readLock().lock();
        try {
            current.flush();
        } finally {
            gate.readLock().unlock();
        }
    }

    @Override
    public Extent extent(long offset, long length) {
        gate.readLock().lock();
        try {
            return current.extent(offset, length);
        } finally {
            gate.readLock().unlock();
        }
    }

    @Override
    public boolean copyTo(long offset, Disk target, long targetOffset, long length) {
        gate.readLock().lock();
        try {
            return current.copyTo(offset, target, targetOffset, length);
        } finally {
            gate.readLock().unlock();
        }
    }

    /** Not while it moves: what is written must reach both. Never waits, because whoever asks may hold another disk's gate. */
    @Override
    public boolean showBacking(Predicate<Disk> to) {
        if (!gate.readLock().tryLock()) {
            return false;
        }
        try {
            return mirror == null && current.showBacking(to);
        } finally {
            gate.readLock().unlock();
        }
    }

    /** Closes the disk in its place; a move under way ends with an error. */
    @Override
    public void close() {
        gate.writeLock().lock();
        try {
            closed = true;
            inFlight.awaitNone();
            current.close();
        } finally {
            gate.writeLock().unlock();
        }
    }

    @Override
    public String toString() {
        return current.toString();
    }
}
