package io.javisor.api.state;

import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.kvm.partition.PrivateFileBacking;
import io.javisor.linux.FileStatus;
import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import io.javisor.linux.PageSize;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.state.StateException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * One node's memory in a saved machine: checked once against its index, then given to any number of machines. Safe from any
 * thread.
 */
final class MemoryImage {
    private static final int BLOCK = MemoryIndex.BLOCK;

    private final Path path;
    private final MemoryIndex index;
    private final long inode;
    private final long device;

    private MemoryImage(Path path, MemoryIndex index, FileStatus status) {
        this.path = path;
        this.index = index;
        this.inode = status.inode();
        this.device = status.deviceId();
    }

    /**
     * Reads a whole file against its index.
     *
     * @throws StateException if a byte is not what it was
     */
    static MemoryImage check(Path folder, int node, MemoryIndex index) {
        Path path = folder.resolve(index.fileName(node));
        try (HostFile file = HostFile.open(path, HostFile.READ_ONLY);
                Arena arena = Arena.ofConfined()) {
            FileStatus status = file.status();
            if (!status.isRegularFile() || status.size() != index.fileSize()) {
                throw new StateException(
                        path + ": damaged: " + status.size() + " bytes, and " + index.fileSize() + " were written");
            }
            var reader = new BlockReader(path, file, arena);
            if (index.compressed()) {
                index.blocks().forEach(reader::inflate);
            } else {
                checkPlain(path, index, reader);
            }
            return new MemoryImage(path, index, status);
        } catch (LinuxException e) {
            throw new StateException(path + ": can't be read: " + e.getMessage());
        }
    }

    /** Blocks of the index are as they were, and between them there is nothing. */
    private static void checkPlain(Path path, MemoryIndex index, BlockReader reader) {
        Iterator<MemoryIndex.Block> blocks = index.blocks().iterator();
        MemoryIndex.Block next = blocks.hasNext() ? blocks.next() : null;
        for (long at = reader.file.nextData(0); at >= 0 || next != null; ) {
            long offset = at < 0 ? Long.MAX_VALUE : at / BLOCK * BLOCK;
            if (next != null && next.offset() <= offset) {
                reader.plain(next);
                offset = next.offset();
                next = blocks.hasNext() ? blocks.next() : null;
            } else if (!reader.isZero(offset)) {
                throw new StateException(
                        path + ": damaged: bytes at 0x" + Long.toHexString(offset) + ", where there were none");
            }
            at = at >= 0 && at / BLOCK * BLOCK <= offset ? reader.file.nextData(offset + BLOCK) : at;
        }
    }

    long size() {
        return index.size();
    }

    /** Bytes of memory that are not zero, in whole blocks. */
    long filled() {
        return (long) index.blocks().size() * BLOCK;
    }

    /**
     * Memory with this content for one machine: a private mapping of the file where that can be, else a copy.
     *
     * @param name for messages
     * @param pages what the machine's memory is to be made of
     */
    MemoryBacking open(String name, PageSize pages) {
        HostFile file = HostFile.open(path, HostFile.READ_ONLY);
        try {
            FileStatus status = file.status();
            if (status.inode() != inode || status.deviceId() != device || status.size() != index.fileSize()) {
                throw new StateException(path + ": was replaced since it was checked");
            }
            if (!index.compressed() && pages == PageSize.KIB_4) {
                try {
                    return PrivateFileBacking.map(name, file, index.size());
                } catch (LinuxException e) {
                    // A file system without mappings: a copy then.
                    return copied(name, file, pages);
                }
            }
            return copied(name, file, pages);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private MemoryBacking copied(String name, HostFile file, PageSize pages) {
        MemoryBacking backing = MemfdBacking.reserve(name, index.size(), pages);
        try (file;
                Arena arena = Arena.ofConfined()) {
            var reader = new BlockReader(path, file, arena);
            for (MemoryIndex.Block block : index.blocks()) {
                // Populated first, so that a short host is an error here and not a signal.
                long unit = Math.max(BLOCK, pages.bytes());
                backing.populate(block.offset() & -unit, unit);
                MemorySegment content = index.compressed() ? reader.inflate(block) : reader.plain(block);
                MemorySegment.copy(content, 0, backing.segment(), block.offset(), BLOCK);
            }
            return backing;
        } catch (RuntimeException e) {
            backing.close();
            throw e;
        }
    }

    /** Reads blocks of one file, and checks them. For one thread. */
    private static final class BlockReader {
        private final Path path;
        final HostFile file;
        private final MemorySegment block;
        private final MemorySegment packed;

        BlockReader(Path path, HostFile file, Arena arena) {
            this.path = path;
            this.file = file;
            this.block = arena.allocate(BLOCK, 4096);
            this.packed = arena.allocate(BLOCK + BLOCK / 8, 4096);
        }

        private void fill(MemorySegment into, long position) {
            for (long done = 0; done < into.byteSize(); ) {
                long n = file.read(into.asSlice(done), position + done);
                if (n <= 0) {
                    throw new StateException(path + ": cut short at byte " + (position + done));
                }
                done += n;
            }
        }

        boolean isZero(long offset) {
            fill(block, offset);
            // Zero where it begins, and everywhere the same as one byte before.
            return block.get(ValueLayout.JAVA_BYTE, 0) == 0
                    && MemorySegment.mismatch(block, 1, BLOCK, block, 0, BLOCK - 1) < 0;
        }

        MemorySegment plain(MemoryIndex.Block wanted) {
            fill(block, wanted.position());
            return checked(wanted);
        }

        MemorySegment inflate(MemoryIndex.Block wanted) {
            MemorySegment input = packed.asSlice(0, wanted.stored());
            fill(input, wanted.position());
            Inflater inflater = new Inflater(true);
            try {
                inflater.setInput(input.asByteBuffer());
                var to = block.asByteBuffer();
                while (to.hasRemaining() && inflater.inflate(to) > 0) {
                    // until the block is full, or the input gives no more
                }
                if (to.hasRemaining() || inflater.inflate(new byte[1]) > 0 || !inflater.finished()) {
                    throw damaged(wanted, "does not unpack to a block");
                }
            } catch (DataFormatException e) {
                throw damaged(wanted, "does not unpack: " + e.getMessage());
            } finally {
                inflater.end();
            }
            return checked(wanted);
        }

        private MemorySegment checked(MemoryIndex.Block wanted) {
            var crc = new CRC32C();
            crc.update(block.asByteBuffer());
            if ((int) crc.getValue() != wanted.crc()) {
                throw damaged(wanted, "has another checksum than was written");
            }
            return block;
        }

        private StateException damaged(MemoryIndex.Block block, String how) {
            return new StateException(path + ": damaged: memory at 0x" + Long.toHexString(block.offset()) + " " + how);
        }
    }
}
