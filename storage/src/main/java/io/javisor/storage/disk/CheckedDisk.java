package io.javisor.storage.disk;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What all disks check alike before they do anything: ranges, whole sectors, closed, read-only. Implementations get requests
 * that are right and not empty.
 */
public abstract class CheckedDisk implements Disk {
    private final String name;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** @param name of the disk, for messages: the file's path */
    protected CheckedDisk(String name) {
        this.name = name;
    }

    /** Its name, for messages. */
    public final String name() {
        return name;
    }

    @Override
    public final void read(long offset, IoMemory into) {
        if (check(offset, into.byteSize())) {
            doRead(offset, into);
        }
    }

    @Override
    public final void write(long offset, IoMemory from, boolean durable) {
        checkWritable();
        if (check(offset, from.byteSize())) {
            doWrite(offset, from, durable);
        }
    }

    @Override
    public final boolean tryRead(long offset, IoMemory into) {
        return !closed.get() && isRange(offset, into.byteSize()) && (into.byteSize() == 0 || doTryRead(offset, into));
    }

    @Override
    public final boolean tryWrite(long offset, IoMemory from) {
        return !closed.get()
                && !traits().readOnly()
                && isRange(offset, from.byteSize())
                && (from.byteSize() == 0 || doTryWrite(offset, from));
    }

    @Override
    public final boolean beginRead(long offset, IoMemory into, IoEngine engine, IoEngine.Completion completion) {
        return isBeginning(offset, into) && doBegin(offset, into, false, engine, completion);
    }

    @Override
    public final boolean beginWrite(long offset, IoMemory from, IoEngine engine, IoEngine.Completion completion) {
        return !traits().readOnly() && isBeginning(offset, from) && doBegin(offset, from, true, engine, completion);
    }

    private boolean isBeginning(long offset, IoMemory memory) {
        return !closed.get() && isRange(offset, memory.byteSize()) && memory.byteSize() > 0;
    }

    @Override
    public final void zero(long offset, long length, boolean release) {
        checkWritable();
        if (check(offset, length)) {
            doZero(offset, length, release);
        }
    }

    @Override
    public final void flush() {
        ensureOpen();
        if (!traits().readOnly()) {
            doFlush();
        }
    }

    @Override
    public final Extent extent(long offset, long length) {
        if (!check(offset, length)) {
            throw new DiskException(DiskException.Kind.RANGE, name + ": the extent of an empty range", null);
        }
        return doExtent(offset, length);
    }

    @Override
    public final void close() {
        if (closed.compareAndSet(false, true)) {
            doClose();
        }
    }

    /** Reads a range that is on the disk. */
    protected abstract void doRead(long offset, IoMemory into);

    /** Writes a range that is on the disk, which is writable. */
    protected abstract void doWrite(long offset, IoMemory from, boolean durable);

    /** Reads a range that is on the disk if that waits for nothing. */
    protected boolean doTryRead(long offset, IoMemory into) {
        return false;
    }

    /** Writes a range that is on the disk, which is writable, if that waits for nothing. */
    protected boolean doTryWrite(long offset, IoMemory from) {
        return false;
    }

    /** Begins a transfer of a range that is on the disk, which is writable if it is to be written. */
    protected boolean doBegin(
            long offset, IoMemory memory, boolean writing, IoEngine engine, IoEngine.Completion completion) {
        return false;
    }

    /** Zeroes a range that is on the disk, which is writable. */
    protected abstract void doZero(long offset, long length, boolean release);

    /** Flushes a writable disk. */
    protected abstract void doFlush();

    /** Looks up a range that is on the disk. */
    protected Extent doExtent(long offset, long length) {
        return new Extent(Extent.Kind.DATA, length);
    }

    /** Closes, once; the disk already refuses new requests. */
    protected abstract void doClose();

    /** Throws if it has been closed; for implementations, once they hold the lock that closing takes. */
    protected final void ensureOpen() {
        if (closed.get()) {
            throw new DiskException(DiskException.Kind.CLOSED, name + " is closed", null);
        }
    }

    /** Throws unless the range is on the disk. */
    protected final void requireRange(long offset, long length) {
        check(offset, length);
    }

    /** Throws unless it can be written. */
    protected final void checkWritable() {
        ensureOpen();
        if (traits().readOnly()) {
            throw new DiskException(DiskException.Kind.READ_ONLY, name + " is read-only", "open it for writing");
        }
    }

    private boolean isRange(long offset, long length) {
        return (offset | length) >= 0 && length <= size() - offset && (offset | length) % traits().sectorBytes() == 0;
    }

    private boolean check(long offset, long length) {
        ensureOpen();
        if (!isRange(offset, length)) {
            throw new DiskException(
                    DiskException.Kind.RANGE,
                    name + ": " + length + " bytes at " + offset + " are not whole sectors of " + traits().sectorBytes()
                            + " bytes on a disk of " + size() + " bytes",
                    null);
        }
        return length > 0;
    }

    @Override
    public String toString() {
        return name;
    }
}
