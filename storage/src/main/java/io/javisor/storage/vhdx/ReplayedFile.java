package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.file.BackingFile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A file that may not be written, seen as if its log had been replayed (section 2.3.3, note 5): the updates are kept in
 * memory and laid over what is read.
 */
final class ReplayedFile implements BackingFile {
    /** 64 MiB of updates; a log of 1 MiB has at most a few hundred. */
    private static final long MOST_UPDATES = 16 << 10;

    /** An update; zeroes if it has no page. */
    @SuppressWarnings("ArrayRecordComponent") // nobody else sees it
    private record Patch(long offset, long length, byte @Nullable [] page) {}

    private final BackingFile file;
    private final List<Patch> patches = new ArrayList<>();
    private final long size;

    ReplayedFile(BackingFile file, LogReplay replay) {
        this.file = file;
        if (replay.updates() > MOST_UPDATES) {
            throw new DiskException(
                    DiskException.Kind.UNSUPPORTED,
                    file.name() + ": its log has " + replay.updates() + " updates, too many to keep in memory",
                    "open it for writing once, which replays the log");
        }
        replay.replay(new LogEntry.Updates() {
            @Override
            public void page(long fileOffset, byte[] page) {
                patches.add(new Patch(fileOffset, page.length, page));
            }

            @Override
            public void zero(long fileOffset, long length) {
                patches.add(new Patch(fileOffset, length, null));
            }
        });
        size = replay.fileSize();
    }

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public boolean isReadOnly() {
        return true;
    }

    @Override
    public int alignment() {
        return file.alignment();
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long position, IoMemory into) {
        long length = into.byteSize();
        long inFile = Math.clamp(file.size() - position, 0, length);
        if (inFile > 0) {
            file.read(position, into.slice(0, inFile));
        }
        if (inFile < length) {
            into.slice(inFile, length - inFile).clear();
        }
        for (Patch patch : patches) {
            long from = Math.max(position, patch.offset);
            long to = Math.min(position + length, patch.offset + patch.length);
            if (from < to) {
                byte[] page = patch.page;
                if (page == null) {
                    into.slice(from - position, to - from).clear();
                } else {
                    into.put(from - position, MemorySegment.ofArray(page).asSlice(from - patch.offset, to - from));
                }
            }
        }
    }

    @Override
    public void write(long position, IoMemory from) {
        throw readOnly();
    }

    @Override
    public void flush() {}

    @Override
    public void resize(long newSize) {
        throw readOnly();
    }

    @Override
    public void zero(long position, long length, boolean release) {
        throw readOnly();
    }

    private DiskException readOnly() {
        return new DiskException(DiskException.Kind.READ_ONLY, name() + " is read-only", "open it for writing");
    }

    @Override
    public void close() {
        file.close();
    }
}
