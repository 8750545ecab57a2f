package io.javisor.storage.file;

import io.javisor.storage.disk.CheckedDisk;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskTraits;
import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.disk.IoMemory;
import java.util.UUID;

/** A disk whose sectors lie in a file one after the other. */
public final class RawDisk extends CheckedDisk {
    // What file systems punch; smaller ranges are zeroed and stay.
    private static final int RELEASE = 4096;

    private final BackingFile file;
    private final DiskTraits traits;
    private final long size;

    /**
     * @param file owned: closed with the disk
     * @param size of the disk in bytes, at most the file's
     * @param sectorBytes 512, 2,048 or 4,096
     * @param identity of the disk
     */
    public RawDisk(BackingFile file, long size, int sectorBytes, UUID identity) {
        super(file.name());
        this.file = file;
        this.size = size;
        if (size % sectorBytes != 0) {
            throw new DiskException(
                    DiskException.Kind.OPEN,
                    file.name() + ": " + size + " bytes are not whole sectors of " + sectorBytes + " bytes",
                    "extend the file: truncate --size %" + sectorBytes + " " + file.name());
        }
        if (sectorBytes % file.alignment() != 0) {
            throw new DiskException(
                    DiskException.Kind.OPEN,
                    file.name() + ": direct I/O moves " + file.alignment() + " bytes at a time, more than a sector of "
                            + sectorBytes + " bytes",
                    "open with sectors of 4096 bytes, or without direct I/O");
        }
        traits = new DiskTraits(
                sectorBytes, sectorBytes == 2048 ? sectorBytes : 4096, RELEASE, file.isReadOnly(), identity);
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
        file.read(offset, into);
    }

    @Override
    protected void doWrite(long offset, IoMemory from, boolean durable) {
        file.write(offset, from);
        if (durable) {
            file.flush();
        }
    }

    @Override
    protected boolean doTryRead(long offset, IoMemory into) {
        return file.tryRead(offset, into);
    }

    @Override
    protected boolean doTryWrite(long offset, IoMemory from) {
        return file.tryWrite(offset, from);
    }

    @Override
    protected boolean doBegin(
            long offset, IoMemory memory, boolean writing, IoEngine engine, IoEngine.Completion completion) {
        return file.begin(offset, memory, writing, engine, completion);
    }

    @Override
    protected void doZero(long offset, long length, boolean release) {
        file.zero(offset, length, release);
    }

    @Override
    protected void doFlush() {
        file.flush();
    }

    @Override
    public boolean copyTo(long offset, Disk target, long targetOffset, long length) {
        requireRange(offset, length);
        return target.showBacking(
                to -> to instanceof RawDisk other && other.copyFrom(file, offset, targetOffset, length));
    }

    private boolean copyFrom(BackingFile source, long sourceOffset, long offset, long length) {
        requireRange(offset, length);
        checkWritable();
        return source instanceof HostBackingFile from
                && file instanceof HostBackingFile to
                && from.copyTo(to, sourceOffset, offset, length);
    }

    @Override
    protected void doClose() {
        try {
            if (!traits.readOnly()) {
                file.flush();
            }
        } finally {
            file.close();
        }
    }
}
