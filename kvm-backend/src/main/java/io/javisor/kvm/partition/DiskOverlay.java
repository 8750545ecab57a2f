package io.javisor.kvm.partition;

import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A part of a backing that lies in a file on disk for a while, because the host is short of memory: the guest sees no
 * difference but its speed, and the host can write the pages out. The file has no name from the start, so nothing is left of
 * it whatever happens. For one thread at a time.
 */
public final class DiskOverlay implements AutoCloseable {
    /** Pieces in which memory comes back: 2 MiB. */
    private static final int PIECE = 2 << 20;

    private static final int PAGE = 4096;
    private static final MemorySegment ZEROES =
            MemorySegment.ofArray(new byte[PAGE]).asReadOnly();

    private final MemfdBacking backing;
    private final long offset;
    private final HostFile file;
    private final MemorySegment buffer = MemorySegment.ofArray(new byte[PIECE]);
    private long left; // bytes from the offset on that are still in the file

    private DiskOverlay(MemfdBacking backing, long offset, long length, HostFile file) {
        this.backing = backing;
        this.offset = offset;
        this.file = file;
        left = length;
    }

    /**
     * Puts a file in place of memory, whose content is lost: before a guest runs.
     *
     * @param offset in the backing, a multiple of 2 MiB
     * @param length bytes, a multiple of 2 MiB
     * @param folder on a disk with so much room
     * @throws HypervisorException if there is no room, or the file system can't be mapped
     */
    public static DiskOverlay over(MemfdBacking backing, long offset, long length, Path folder) {
        if (((offset | length) & PIECE - 1) != 0 || length <= 0) {
            throw new IllegalArgumentException("overlay at " + offset + " + " + length + ": not in whole 2 MiB");
        }
        HostFile file = null;
        try {
            Files.createDirectories(folder);
            Path path = Files.createTempFile(folder, "paging-", ".tmp");
            try {
                file = HostFile.open(path, HostFile.READ_WRITE);
            } finally {
                Files.delete(path);
            }
            file.truncate(length);
            file.allocate(0, length); // a full disk is an error now, and not a signal later
            backing.cover(offset, length, file);
            return new DiskOverlay(backing, offset, length, file);
        } catch (IOException | LinuxException e) {
            if (file != null) {
                file.close();
            }
            throw new HypervisorException(
                    "smart-paging",
                    "can't page " + (length >> 20) + " MiB of guest memory to " + folder + ": " + e.getMessage(),
                    null,
                    e instanceof LinuxException linux ? linux.errno() : 0,
                    "name a folder on a disk with room for it",
                    e);
        }
    }

    /** Bytes that are still in the file. */
    public long left() {
        return left;
    }

    /**
     * Moves some back into memory, from the end. Nothing may use the memory meanwhile: neither vCPUs nor devices.
     *
     * @param most bytes
     * @return bytes that are no longer in the file
     * @throws HypervisorException if the host has no memory; what was moved before stays moved
     */
    public long moveBack(long most) {
        long moved = 0;
        while (left > 0 && moved + PIECE <= most) {
            long at = offset + left - PIECE;
            MemorySegment place = backing.segment().asSlice(at, PIECE);
            buffer.copyFrom(place);
            boolean empty = isZero(0, PIECE);
            backing.uncover(at, PIECE);
            if (!empty) {
                try {
                    backing.populate(at, PIECE);
                } catch (HypervisorException e) {
                    backing.cover(at, PIECE, file, left - PIECE);
                    throw e;
                }
                for (int page = 0; page < PIECE; page += PAGE) {
                    if (!isZero(page, PAGE)) {
                        MemorySegment.copy(buffer, page, place, page, PAGE);
                    }
                }
            }
            left -= PIECE;
            moved += PIECE;
            file.punchHole(left, PIECE);
        }
        return moved;
    }

    private boolean isZero(int from, int length) {
        for (int page = from; page < from + length; page += PAGE) {
            if (MemorySegment.mismatch(buffer, page, page + PAGE, ZEROES, 0, PAGE) >= 0) {
                return false;
            }
        }
        return true;
    }

    /** Puts memory back in place of what is still in the file, whose content is lost: after the guest. Idempotent. */
    @Override
    public void close() {
        if (left > 0) {
            backing.uncover(offset, left);
            left = 0;
        }
        file.close();
    }
}
