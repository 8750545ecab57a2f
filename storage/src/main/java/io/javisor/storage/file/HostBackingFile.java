package io.javisor.storage.file;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.linux.Errno;
import io.javisor.linux.FileStatus;
import io.javisor.linux.HostFile;
import io.javisor.linux.IoVector;
import io.javisor.linux.LinuxException;
import io.javisor.linux.PageSize;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskException.Kind;
import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.disk.IoMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A file or block device of the host. */
public final class HostBackingFile implements BackingFile {
    // linux/fs.h: _IOR(0x12, 114, size_t), the size of a block device in bytes
    private static final long BLKGETSIZE64 = 0x80081272L;
    private static final int ZEROES = 1 << 20;
    /** Bytes of a write that others had better not wait for: some ten microseconds of copying. */
    private static final int LONG_WRITE = 128 << 10;

    /** Bytes that are copied from or to the page cache while a request is handed to the kernel, with others behind it. */
    private static final int MOST_COPIED_AT_ONCE = 32 << 10;

    private static final int BOUNCE_MOST = 1 << 20;
    // What one call copies, so that it does not take for ever.
    private static final long COPY_MOST = 64 << 20;
    private static final MemorySegment ZERO =
            Arena.ofAuto().allocate(ZEROES, 4096).asReadOnly();
    // A few kilobytes per thread, empty between calls.
    private static final ThreadLocal<IoVector> VECTOR =
            ThreadLocal.withInitial(() -> new IoVector(IoVector.MAX_PIECES));

    private final HostFile file;
    private final boolean readOnly;
    private final boolean device;
    private final int alignment;
    private final int memoryAlignment;
    private final FileStatus opened;
    // Whether a transfer copies and waits for nothing but the file's own lock, which long operations hold.
    private final boolean inMemory;
    private final AtomicInteger longOperations = new AtomicInteger();
    // Whether the file system has not refused yet to say what would wait.
    private volatile boolean readsNoWait;
    private volatile boolean writesNoWait;
    private volatile long size;

    private HostBackingFile(HostFile file, boolean readOnly, boolean direct) {
        this.file = file;
        this.readOnly = readOnly;
        opened = file.status();
        device = opened.isBlockDevice();
        if (!device && !opened.isRegularFile()) {
            throw new DiskException(Kind.OPEN, file + " is neither a file nor a block device", "name one that is");
        }
        size = device ? deviceSize(file) : opened.size();
        // Kernels before 6.1 don't tell the alignment: 4,096 is right for every device.
        alignment = direct ? orElse(opened.directOffsetAlignment()) : 1;
        memoryAlignment = direct ? orElse(opened.directMemoryAlignment()) : 1;
        inMemory = !device && !direct && file.isInMemory();
        readsNoWait = !direct;
        writesNoWait = !direct;
    }

    private static int orElse(int alignment) {
        return alignment > 0 ? alignment : 4096;
    }

    /**
     * Opens a file.
     *
     * @param readOnly whether it shall refuse writes
     * @param direct whether to go past the host's page cache
     */
    public static HostBackingFile open(Path path, boolean readOnly, boolean direct) {
        return open(path, readOnly ? HostFile.READ_ONLY : HostFile.READ_WRITE, readOnly, direct);
    }

    /** Opens a file that others may write at the same time, if they open it by this, too. */
    public static HostBackingFile openShared(Path path, boolean direct) {
        HostFile file = openFile(path, direct ? HostFile.READ_WRITE | HostFile.DIRECT : HostFile.READ_WRITE);
        try {
            var opened = new HostBackingFile(file, false, direct);
            if (opened.device) {
                throw new DiskException(
                        Kind.UNSUPPORTED,
                        path + " is a block device; what processes share is a file",
                        "open the device in one process, or share a file");
            }
            opened.lockShared();
            return opened;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** Makes a file that is not there yet, readable and writable by its owner. */
    public static HostBackingFile create(Path path) {
        return open(path, HostFile.READ_WRITE | HostFile.CREATE | HostFile.EXCLUSIVE, false, false);
    }

    private static HostBackingFile open(Path path, int flags, boolean readOnly, boolean direct) {
        HostFile file = openFile(path, direct ? flags | HostFile.DIRECT : flags);
        try {
            if (!readOnly && file.status().isBlockDevice()) {
                // Of a block device, exclusive means that it is neither mounted nor part of anything else.
                file.close();
                file = openFile(path, (direct ? flags | HostFile.DIRECT : flags) | HostFile.EXCLUSIVE);
            }
            var opened = new HostBackingFile(file, readOnly, direct);
            opened.lock();
            return opened;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static HostFile openFile(Path path, int flags) {
        try {
            return HostFile.open(path, flags);
        } catch (LinuxException e) {
            Kind kind = e.errno() == Errno.EBUSY ? Kind.BUSY : Kind.OPEN;
            boolean direct = (flags & HostFile.DIRECT) != 0;
            throw new DiskException(kind, String.valueOf(e.getMessage()), e.call(), e.errno(), remedy(e, direct), e);
        }
    }

    // One writer, or many readers, or many who write together: two machines that write one image destroy it.
    private void lock() {
        boolean locked;
        try {
            locked = file.tryLock(!readOnly);
            if (locked && readOnly) {
                locked = lockAmong(LockBytes.READERS, LockBytes.SHARERS);
            }
        } catch (LinuxException e) {
            if (e.errno() == Errno.EOPNOTSUPP || e.errno() == Errno.ENOSYS || e.errno() == Errno.ENOLCK) {
                return; // a file system without locks
            }
            throw failed(Kind.OPEN, e);
        }
        if (!locked) {
            throw inUse(readOnly ? " by a writer" : "");
        }
    }

    private void lockShared() {
        try {
            if (!file.tryLock(false) || !lockAmong(LockBytes.SHARERS, LockBytes.READERS)) {
                throw inUse(" by one who does not share it");
            }
        } catch (LinuxException e) {
            throw failed(Kind.OPEN, e);
        }
    }

    /** Takes a lock of one kind unless somebody has one of the other; of two who do this at once, none may get it. */
    private boolean lockAmong(long mine, long others) {
        return file.tryLockByte(mine, false) && !file.isByteLocked(others);
    }

    private DiskException inUse(String how) {
        return new DiskException(
                Kind.BUSY,
                name() + " is in use" + how,
                "stop what uses it (see: fuser -v " + name() + "), or open an overlay of it");
    }

    private static String remedy(LinuxException e, boolean direct) {
        return switch (e.errno()) {
            case Errno.ENOENT -> "check the path";
            case Errno.EEXIST -> "choose another name, or delete the file first";
            case Errno.EACCES, Errno.EPERM -> "give this user access to the file, or open it read-only";
            case Errno.EROFS -> "open it read-only";
            case Errno.EBUSY -> "unmount the device, or take it out of what uses it (see: lsblk)";
            case Errno.EINVAL -> direct ? "the file system can't do direct I/O: open without it" : "check the path";
            default -> "check the path and its file system";
        };
    }

    /** A new file without a name, in memory. */
    public static HostBackingFile memory(String name) {
        return new HostBackingFile(HostFile.memory(name, PageSize.KIB_4), false, false);
    }

    private static long deviceSize(HostFile file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(JAVA_LONG);
            file.descriptor().ioctl("BLKGETSIZE64", BLKGETSIZE64, bytes);
            return bytes.get(JAVA_LONG, 0);
        } catch (LinuxException e) {
            throw new DiskException(Kind.OPEN, String.valueOf(e.getMessage()), e.call(), e.errno(), null, e);
        }
    }

    @Override
    public String name() {
        return file.toString();
    }

    @Override
    public boolean isReadOnly() {
        return readOnly;
    }

    /** Whether it is a block device, whose length is fixed. */
    public boolean isDevice() {
        return device;
    }

    /** Whether its transfers copy from and to the host's memory, and wait for no device. */
    boolean isInMemory() {
        return inMemory;
    }

    /** What the host said when it was opened. */
    public FileStatus opened() {
        return opened;
    }

    /** Bytes of storage that the host holds for it now. */
    public long allocatedBytes() {
        return device ? size : file.status().allocatedBytes();
    }

    @Override
    public int alignment() {
        return alignment;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long position, IoMemory into) {
        transfer(position, into, false);
    }

    @Override
    public void write(long position, IoMemory from) {
        transfer(position, from, true);
        grow(position + from.byteSize());
    }

    @Override
    public boolean tryRead(long position, IoMemory into) {
        return attempt(position, into, false);
    }

    @Override
    public boolean tryWrite(long position, IoMemory from) {
        return position + from.byteSize() <= size && attempt(position, from, true);
    }

    private boolean attempt(long position, IoMemory memory, boolean writing) {
        if (!(writing ? writesNoWait : readsNoWait) || memory.count() > IoVector.MAX_PIECES || !passes(memory)) {
            return false;
        }
        try {
            if (inMemory) {
                return (!writing || longOperations.get() == 0) && once(position, memory, writing) == memory.byteSize();
            }
            return noWait(position, memory, writing) == memory.byteSize();
        } catch (LinuxException | IllegalStateException e) {
            return false; // who waits finds it again, and says it
        }
    }

    private long noWait(long position, IoMemory memory, boolean writing) {
        IoVector vector = VECTOR.get();
        try {
            for (int i = 0; i < memory.count(); i++) {
                vector.add(memory.piece(i));
            }
            long n = writing ? file.writeNoWait(vector, position) : file.readNoWait(vector, position);
            if (n == -Errno.EOPNOTSUPP || n == -Errno.ENOSYS || n == -Errno.EINVAL) {
                if (writing) {
                    writesNoWait = false;
                } else {
                    readsNoWait = false;
                }
            }
            return n;
        } finally {
            vector.clear();
        }
    }

    /** Not where transfers only copy: a kernel's thread does that no better than one of this process. */
    @Override
    public boolean begin(
            long position, IoMemory memory, boolean writing, IoEngine engine, IoEngine.Completion completion) {
        return !inMemory
                && engine instanceof RingEngine ring
                && position + memory.byteSize() <= size
                && memory.count() <= IoVector.MAX_PIECES
                && passes(memory)
                && ring.begin(file, memory, position, writing, copies(memory), completion);
    }

    private boolean copies(IoMemory memory) {
        return memoryAlignment == 1 && memory.byteSize() > MOST_COPIED_AT_ONCE;
    }

    private void grow(long end) {
        if (end > size) {
            synchronized (this) {
                size = Math.max(size, end);
            }
        }
    }

    private void transfer(long position, IoMemory memory, boolean writing) {
        if (!passes(memory)) {
            bounce(position, memory, writing);
            return;
        }
        boolean isLong = writing && inMemory && memory.byteSize() > LONG_WRITE;
        if (isLong) {
            longOperations.incrementAndGet();
        }
        try {
            long length = memory.byteSize();
            for (long done = 0; done < length; ) {
                IoMemory rest = memory.slice(done, length - done);
                long n = once(position + done, rest, writing);
                if (n == 0) {
                    throw new DiskException(
                            writing ? Kind.WRITE : Kind.READ,
                            name() + " ends at " + (position + done) + ", inside a transfer of " + length + " bytes at "
                                    + position,
                            "the file was cut short while in use, or is damaged");
                }
                done += n;
            }
        } catch (LinuxException e) {
            throw failed(writing ? Kind.WRITE : Kind.READ, e);
        } catch (IllegalStateException e) {
            throw closed(e);
        } finally {
            if (isLong) {
                longOperations.decrementAndGet();
            }
        }
    }

    private long once(long position, IoMemory memory, boolean writing) {
        if (memory.count() == 1) {
            return writing ? file.write(memory.piece(0), position) : file.read(memory.piece(0), position);
        }
        IoVector vector = VECTOR.get();
        try {
            int n = Math.min(memory.count(), IoVector.MAX_PIECES);
            for (int i = 0; i < n; i++) {
                vector.add(memory.piece(i));
            }
            return writing ? file.write(vector, position) : file.read(vector, position);
        } finally {
            vector.clear();
        }
    }

    private boolean passes(IoMemory memory) {
        for (int i = 0; i < memory.count(); i++) {
            MemorySegment piece = memory.piece(i);
            if (!piece.isNative() || !isAligned(piece)) {
                return false;
            }
        }
        return true;
    }

    private boolean isAligned(MemorySegment piece) {
        return memoryAlignment == 1 || (piece.address() % memoryAlignment == 0 && piece.byteSize() % alignment == 0);
    }

    private void bounce(long position, IoMemory memory, boolean writing) {
        try (Arena arena = Arena.ofConfined()) {
            long length = memory.byteSize();
            MemorySegment buffer = arena.allocate(Math.min(length, BOUNCE_MOST), Math.max(memoryAlignment, 4096));
            for (long done = 0; done < length; ) {
                MemorySegment part = buffer.asSlice(0, Math.min(buffer.byteSize(), length - done));
                if (writing) {
                    memory.get(done, part);
                }
                transfer(position + done, IoMemory.of(part), writing);
                if (!writing) {
                    memory.put(done, part);
                }
                done += part.byteSize();
            }
        }
    }

    /**
     * Copies inside the host's kernel.
     *
     * @return false if it can't between these two files; then nothing has happened
     */
    boolean copyTo(HostBackingFile target, long position, long targetPosition, long length) {
        if (device || target.device) {
            return false;
        }
        try {
            for (long done = 0; done < length; ) {
                long n = file.copyTo(
                        target.file, position + done, targetPosition + done, Math.min(length - done, COPY_MOST));
                if (n == 0) {
                    throw new DiskException(
                            Kind.READ, name() + " ends at " + (position + done), "the file was cut short while in use");
                }
                done += n;
            }
            return true;
        } catch (LinuxException e) {
            // Other file systems, other kinds of files, overlapping ranges of one file, kernels that can't.
            if (List.of(Errno.EXDEV, Errno.EINVAL, Errno.EOPNOTSUPP, Errno.ENOSYS)
                    .contains(e.errno())) {
                return false; // a part that was copied is copied again
            }
            throw failed(Kind.WRITE, e);
        } catch (IllegalStateException e) {
            throw closed(e);
        }
    }

    @Override
    public void flush() {
        try {
            file.syncData();
        } catch (LinuxException e) {
            throw failed(Kind.WRITE, e);
        } catch (IllegalStateException e) {
            throw closed(e);
        }
    }

    @Override
    public void resize(long newSize) {
        if (device) {
            throw new DiskException(Kind.UNSUPPORTED, name() + " is a block device and keeps its size", null);
        }
        try {
            synchronized (this) {
                file.truncate(newSize);
                size = newSize;
            }
        } catch (LinuxException e) {
            throw failed(Kind.WRITE, e);
        } catch (IllegalStateException e) {
            throw closed(e);
        }
    }

    @Override
    public void zero(long position, long length, boolean release) {
        longOperations.incrementAndGet();
        try {
            doZero(position, length, release);
        } finally {
            longOperations.decrementAndGet();
        }
    }

    private void doZero(long position, long length, boolean release) {
        try {
            if (release) {
                file.punchHole(position, length);
            } else {
                file.zero(position, length);
            }
            return;
        } catch (LinuxException e) {
            // EINVAL: a block device whose driver wants another alignment; EBUSY: one whose cache can't be dropped.
            if (e.errno() != Errno.EOPNOTSUPP && e.errno() != Errno.EINVAL && e.errno() != Errno.EBUSY) {
                throw failed(Kind.WRITE, e);
            }
        } catch (IllegalStateException e) {
            throw closed(e);
        }
        for (long done = 0; done < length; ) {
            long n = Math.min(ZEROES, length - done);
            transfer(position + done, IoMemory.of(ZERO.asSlice(0, n)), true);
            done += n;
        }
    }

    @Override
    public void close() {
        file.close();
    }

    private DiskException failed(Kind kind, LinuxException e) {
        boolean full = e.errno() == Errno.ENOSPC || e.errno() == Errno.EFBIG;
        String remedy = full ? "free space on the file system of " + name() : "see the host's kernel log";
        return new DiskException(
                full ? Kind.NO_SPACE : kind, String.valueOf(e.getMessage()), e.call(), e.errno(), remedy, e);
    }

    private DiskException closed(IllegalStateException e) {
        return new DiskException(Kind.CLOSED, name() + " is closed", null, 0, null, e);
    }
}
