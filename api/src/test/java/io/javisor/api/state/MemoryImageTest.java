package io.javisor.api.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.kvm.partition.MemfdBacking;
import io.javisor.linux.PageSize;
import io.javisor.partition.MemoryBacking;
import io.javisor.partition.state.StateException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryImageTest {
    private static final int BLOCK = MemoryIndex.BLOCK;
    private static final int SIZE = 8 * BLOCK;

    @TempDir
    Path folder;

    /** Blocks 1 and 2 have some pages, block 5 is all random, block 6 was touched and is zero. */
    private static MemoryBacking memory() {
        MemoryBacking memory = MemfdBacking.reserve("test", SIZE, PageSize.KIB_4);
        Random random = new Random(1);
        for (int page : new int[] {512, 513, 700, 1023, 1024}) {
            write(memory, random, page * 4096, 4096);
        }
        write(memory, random, 5 * BLOCK, BLOCK);
        memory.segment().asSlice(6 * BLOCK, BLOCK).fill((byte) 0);
        return memory;
    }

    private static void write(MemoryBacking memory, Random random, int offset, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory.segment(), offset, length);
    }

    private MemoryIndex written(boolean compressed) {
        try (MemoryBacking memory = memory()) {
            MemoryIndex index = MemoryImageWriter.write(folder, 0, memory, compressed, () -> true);
            return MemoryIndex.of(index.leaf(0).reader());
        }
    }

    private RandomAccessFile spoil(MemoryIndex index) throws Exception {
        Path file = folder.resolve(index.fileName(0));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return new RandomAccessFile(file.toFile(), "rw");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesRoundAndKeepsHoles(boolean compressed) throws Exception {
        MemoryIndex index = written(compressed);
        assertThat(index.blocks()).extracting(MemoryIndex.Block::number).containsExactly(1, 2, 5);
        MemoryImage image = MemoryImage.check(folder, 0, index);
        assertThat(image.filled()).isEqualTo(3 * BLOCK);
        try (MemoryBacking was = memory();
                MemoryBacking is = image.open("again", PageSize.KIB_4)) {
            assertThat(is.residentBytes()).isLessThanOrEqualTo(compressed ? 3 * BLOCK : 0);
            assertThat(is.segment().mismatch(was.segment())).isEqualTo(-1);
        }
        Path file = folder.resolve(index.fileName(0));
        assertThat(Files.size(file)).isEqualTo(index.fileSize());
        assertThat(index.fileSize()).isLessThanOrEqualTo(compressed ? BLOCK + BLOCK / 8 : SIZE);
    }

    @ParameterizedTest
    @CsvSource({
        "2097153, other checksum", // a byte of the first page of block 1
        "2200000, other checksum", // a byte in a hole of block 1
        "9000000, where there were none", // a byte in block 4, which has none
        "12582911, other checksum", // the last byte of block 5
        "16777215, where there were none", // the last byte
    })
    void aChangedByteIsFound(long position, String reason) throws Exception {
        MemoryIndex index = written(false);
        try (RandomAccessFile file = spoil(index)) {
            file.seek(position);
            int was = file.read();
            file.seek(position);
            file.write(was ^ 0x40);
        }
        assertThatThrownBy(() -> MemoryImage.check(folder, 0, index))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("damaged")
                .hasMessageContaining(reason)
                .hasMessageContaining("memory-0.img");
    }

    @Test
    void aChangedCompressedByteIsFound() throws Exception {
        MemoryIndex index = written(true);
        try (RandomAccessFile file = spoil(index)) {
            for (long position = 0; position < file.length(); position += file.length() / 50) {
                file.seek(position);
                int was = file.read();
                file.seek(position);
                file.write(was ^ 1);
                assertThatThrownBy(() -> MemoryImage.check(folder, 0, index))
                        .as("byte %d", position)
                        .isInstanceOf(StateException.class)
                        .hasMessageContaining("damaged");
                file.seek(position);
                file.write(was);
            }
        }
        MemoryImage.check(folder, 0, index);
    }

    @ParameterizedTest
    @CsvSource({"false, -1", "false, 1", "true, -1", "true, 1"})
    void anotherLengthIsFound(boolean compressed, int more) throws Exception {
        MemoryIndex index = written(compressed);
        try (RandomAccessFile file = spoil(index)) {
            file.setLength(file.length() + more);
        }
        assertThatThrownBy(() -> MemoryImage.check(folder, 0, index)).hasMessageContaining("bytes, and");
    }

    @Test
    void aFileThatIsReplacedAfterTheCheckIsRefused() throws Exception {
        MemoryIndex index = written(false);
        MemoryImage image = MemoryImage.check(folder, 0, index);
        Path file = folder.resolve(index.fileName(0));
        Path other = folder.resolve("other");
        Files.copy(file, other);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> image.open("again", PageSize.KIB_4)).hasMessageContaining("was replaced");
        Files.delete(file);
        assertThatThrownBy(() -> MemoryImage.check(folder, 0, index))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("ENOENT");
    }

    @Test
    void blocksThatOverlapOrLieOutsideAreRefused() {
        MemoryIndex.Block one = new MemoryIndex.Block(1, 0, BLOCK, BLOCK);
        assertThatThrownBy(() -> read(new MemoryIndex(SIZE, false, List.of(one, one))))
                .hasMessageContaining("impossible");
        assertThatThrownBy(() -> read(new MemoryIndex(BLOCK, false, List.of(one))))
                .hasMessageContaining("impossible");
        assertThatThrownBy(() -> read(new MemoryIndex(SIZE + 1, false, List.of())))
                .hasMessageContaining("a node of");
        assertThatThrownBy(() -> read(new MemoryIndex(SIZE, true, List.of(new MemoryIndex.Block(1, 0, 5, 100)))))
                .hasMessageContaining("impossible");
    }

    private static MemoryIndex read(MemoryIndex index) {
        return MemoryIndex.of(index.leaf(0).reader());
    }

    @Test
    void isAbandonedWhenTheMachineEnds() {
        try (MemoryBacking memory = memory()) {
            assertThatThrownBy(() -> MemoryImageWriter.write(folder, 0, memory, false, () -> false))
                    .isInstanceOf(SaveAbandonedException.class);
        }
    }
}
