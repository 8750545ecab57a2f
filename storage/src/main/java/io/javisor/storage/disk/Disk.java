package io.javisor.storage.disk;

import java.util.function.Predicate;

/**
 * A disk: an array of sectors. Safe from any thread; calls block until they are done, so callers bring the threads, and
 * requests that are in progress together have no order among each other.
 *
 * <p>Offsets and lengths are in bytes and multiples of {@link DiskTraits#sectorBytes()}.
 */
public interface Disk extends AutoCloseable {
    /** What never changes while it is open. */
    DiskTraits traits();

    /** Bytes in all, a multiple of the sector size. */
    long size();

    /**
     * Reads sectors.
     *
     * @param offset of the first byte
     * @param into where they go; its size says how many
     * @throws DiskException if the range is not on the disk, the disk is closed, or the host can't read
     */
    void read(long offset, IoMemory into);

    /**
     * Writes sectors.
     *
     * @param offset of the first byte
     * @param from where they come from; its size says how many. It may change meanwhile: then any mix is written
     * @param durable whether it is on stable storage when this returns (SCSI's force unit access)
     * @throws DiskException if the range is not on the disk, the disk is closed or read-only, or the host can't write
     */
    void write(long offset, IoMemory from, boolean durable);

    /**
     * Reads sectors if that waits for nothing, as from the host's page cache: for threads that must not wait.
     *
     * @return false if it would wait, or can't be told, or fails; then {@link #read} does it, or says what is wrong. The memory
     *     may have been changed
     */
    default boolean tryRead(long offset, IoMemory into) {
        return false;
    }

    /**
     * Writes sectors, not durably, if that waits for nothing.
     *
     * @return false if it would wait, or can't be told, or fails; then {@link #write} does it, or says what is wrong. Some may
     *     have been written
     */
    default boolean tryWrite(long offset, IoMemory from) {
        return false;
    }

    /**
     * Begins to read sectors without a thread that waits.
     *
     * @param into where they go; it must stay until the completion has been told
     * @param engine that does it
     * @return false if there is no such way now: then nothing has happened, and nobody is told
     */
    default boolean beginRead(long offset, IoMemory into, IoEngine engine, IoEngine.Completion completion) {
        return false;
    }

    /** Begins to write sectors, not durably; otherwise as {@link #beginRead}. */
    default boolean beginWrite(long offset, IoMemory from, IoEngine engine, IoEngine.Completion completion) {
        return false;
    }

    /** Returns when all writes that had returned before are on stable storage. */
    void flush();

    /**
     * Makes a range read as zeroes. Like any write it is durable after a flush.
     *
     * @param offset of the first byte
     * @param length in bytes
     * @param release whether its storage may go back to the host (SCSI's unmap); else it stays where it is allocated
     */
    void zero(long offset, long length, boolean release);

    /**
     * Tells what is stored at the start of a range, so that a copy can leave out what is not. It is a snapshot: writes
     * change it.
     *
     * @return a piece that begins at the offset and is at most as long as the range
     */
    default Extent extent(long offset, long length) {
        return new Extent(Extent.Kind.DATA, length);
    }

    /**
     * Copies a range to another disk by the host's own means, inside its kernel and sharing storage where it can.
     *
     * @param offset of the first byte here
     * @param target where it goes
     * @param targetOffset of the first byte there
     * @param length in bytes
     * @return false if there is no such way between these two; then nothing has happened
     * @throws DiskException if a range is not on its disk, or one of the two fails
     */
    default boolean copyTo(long offset, Disk target, long targetOffset, long length) {
        return false;
    }

    /**
     * Shows the disk that does the work of this one, which stays in its place for the length of the call.
     *
     * @return what the caller made of it; false if it can't be shown now
     */
    default boolean showBacking(Predicate<Disk> to) {
        return to.test(this);
    }

    /** Flushes, unless read-only, and closes. Requests in progress end first. Idempotent. */
    @Override
    void close();
}
