package io.javisor.api.state;

import io.javisor.linux.HostFile;
import io.javisor.partition.MemoryBacking;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;

/**
 * Writes one node's memory to its file. Memory that nobody has touched is not read, and pages of zeroes are not written. For
 * one thread.
 */
final class MemoryImageWriter {
    private static final int BLOCK = MemoryIndex.BLOCK;
    private static final int PAGE = 4096;

    private final MemoryBacking backing;
    private final MemorySegment memory;
    private final BooleanSupplier wanted;
    private final MemorySegment zeroes;
    private final boolean[] filled = new boolean[BLOCK / PAGE];
    private final List<MemoryIndex.Block> blocks = new ArrayList<>();

    /**
     * @param wanted whether to go on, asked at each block
     * @param arena of a page of zeroes
     */
    private MemoryImageWriter(MemoryBacking backing, BooleanSupplier wanted, Arena arena) {
        this.backing = backing;
        this.memory = backing.segment();
        this.wanted = wanted;
        this.zeroes = arena.allocate(BLOCK, PAGE);
    }

    /** Writes a node's memory to a file in a folder, to stable storage. */
    static MemoryIndex write(Path folder, int node, MemoryBacking backing, boolean compressed, BooleanSupplier wanted) {
        long size = backing.segment().byteSize();
        Path path = folder.resolve(new MemoryIndex(size, compressed, List.of()).fileName(node));
        int flags = HostFile.READ_WRITE | HostFile.CREATE | HostFile.EXCLUSIVE;
        try (Arena arena = Arena.ofConfined();
                HostFile file = HostFile.open(path, flags, 0400)) {
            var writer = new MemoryImageWriter(backing, wanted, arena);
            if (compressed) {
                writer.deflated(file, arena);
            } else {
                file.truncate(size);
                writer.plain(file);
            }
            file.sync();
            return new MemoryIndex(size, compressed, writer.blocks);
        }
    }

    private interface BlockSink {
        void block(int number);
    }

    private void each(BlockSink sink) {
        long size = memory.byteSize();
        for (long at = backing.nextTouched(0); at >= 0 && at < size; ) {
            if (!wanted.getAsBoolean()) {
                throw new SaveAbandonedException();
            }
            int number = Math.toIntExact(at / BLOCK);
            long end = (long) number * BLOCK + BLOCK;
            if (look(number)) {
                sink.block(number);
            }
            at = end < size ? backing.nextTouched(end) : -1;
        }
    }

    /** Finds out which pages of a block are not zero; whether there are any. */
    private boolean look(int number) {
        Arrays.fill(filled, false);
        long start = (long) number * BLOCK;
        long end = start + BLOCK;
        boolean any = false;
        long at = backing.nextTouched(start);
        while (at >= 0 && at < end) {
            long stop = Math.min(end, backing.nextUntouched(at));
            for (long page = at & -PAGE; page < stop; page += PAGE) {
                if (MemorySegment.mismatch(memory, page, page + PAGE, zeroes, 0, PAGE) >= 0) {
                    filled[(int) ((page - start) / PAGE)] = true;
                    any = true;
                }
            }
            at = stop < end ? backing.nextTouched(stop) : -1;
        }
        return any;
    }

    private MemorySegment pages(int number, int first, int end) {
        return filled[first]
                ? memory.asSlice((long) number * BLOCK + (long) first * PAGE, (long) (end - first) * PAGE)
                : zeroes.asSlice(0, (long) (end - first) * PAGE);
    }

    private int endOfRun(int first) {
        int end = first + 1;
        while (end < filled.length && filled[end] == filled[first]) {
            end++;
        }
        return end;
    }

    private void plain(HostFile file) {
        each(number -> {
            var crc = new CRC32C();
            for (int first = 0; first < filled.length; ) {
                int end = endOfRun(first);
                MemorySegment run = pages(number, first, end);
                crc.update(run.asByteBuffer());
                if (filled[first]) {
                    writeAll(file, run, (long) number * BLOCK + (long) first * PAGE);
                }
                first = end;
            }
            blocks.add(new MemoryIndex.Block(number, (int) crc.getValue(), (long) number * BLOCK, BLOCK));
        });
    }

    private void deflated(HostFile file, Arena arena) {
        MemorySegment whole = arena.allocate(BLOCK, PAGE);
        MemorySegment packed = arena.allocate(BLOCK + BLOCK / 8, PAGE);
        long[] position = {0};
        // Fast, and without headers: the index has the checksum.
        try (DeflaterScope deflater = new DeflaterScope(new Deflater(Deflater.BEST_SPEED, true))) {
            each(number -> {
                for (int first = 0; first < filled.length; ) {
                    int end = endOfRun(first);
                    MemorySegment.copy(
                            pages(number, first, end), 0, whole, (long) first * PAGE, (long) (end - first) * PAGE);
                    first = end;
                }
                var crc = new CRC32C();
                crc.update(whole.asByteBuffer());
                ByteBuffer to = packed.asByteBuffer();
                deflater.of.reset();
                deflater.of.setInput(whole.asByteBuffer());
                deflater.of.finish();
                while (!deflater.of.finished()) {
                    deflater.of.deflate(to);
                }
                writeAll(file, packed.asSlice(0, to.position()), position[0]);
                blocks.add(new MemoryIndex.Block(number, (int) crc.getValue(), position[0], to.position()));
                position[0] += to.position();
            });
        }
    }

    private record DeflaterScope(Deflater of) implements AutoCloseable {
        @Override
        public void close() {
            of.end();
        }
    }

    private static void writeAll(HostFile file, MemorySegment bytes, long position) {
        for (long done = 0; done < bytes.byteSize(); ) {
            done += file.write(bytes.asSlice(done), position + done);
        }
    }
}
