package io.javisor.kvm.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.linux.HostFile;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateFileBackingTest {
    private static final int PAGE = 4096;
    private static final long SIZE = 4L << 20;

    @TempDir
    Path folder;

    /** Sixteen pages of ones at 1 MiB, and nothing else. */
    private PrivateFileBacking backing() throws Exception {
        Path path = folder.resolve("memory");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(SIZE);
            file.seek(1 << 20);
            byte[] ones = new byte[16 * PAGE];
            Arrays.fill(ones, (byte) 1);
            file.write(ones);
        }
        return PrivateFileBacking.map("test", HostFile.open(path, HostFile.READ_ONLY), SIZE);
    }

    private static byte at(PrivateFileBacking backing, long offset) {
        return backing.segment().get(ValueLayout.JAVA_BYTE, offset);
    }

    @Test
    void sharesTheFileUntilItIsWritten() throws Exception {
        try (PrivateFileBacking one = backing();
                PrivateFileBacking other = PrivateFileBacking.map(
                        "other", HostFile.open(folder.resolve("memory"), HostFile.READ_ONLY), SIZE)) {
            assertThat(at(one, 1 << 20)).isEqualTo((byte) 1);
            assertThat(one.residentBytes()).isZero();
            one.segment().set(ValueLayout.JAVA_BYTE, (1 << 20) + 5, (byte) 7);
            one.segment().set(ValueLayout.JAVA_BYTE, 3 << 20, (byte) 9);
            assertThat(one.residentBytes()).isEqualTo(2 * PAGE);
            assertThat(at(other, (1 << 20) + 5)).isEqualTo((byte) 1);
            assertThat(at(other, 3 << 20)).isZero();
            assertThat(other.residentBytes()).isZero();
        }
        try (RandomAccessFile file =
                new RandomAccessFile(folder.resolve("memory").toFile(), "r")) {
            file.seek((1 << 20) + 5);
            assertThat(file.read()).isEqualTo(1);
        }
    }

    @Test
    void whatIsGivenBackReadsAsZeroesAndNotAsTheFile() throws Exception {
        try (PrivateFileBacking backing = backing()) {
            backing.segment().set(ValueLayout.JAVA_BYTE, 1 << 20, (byte) 7);
            backing.discard(1 << 20, PAGE);
            assertThat(at(backing, 1 << 20)).isZero();
            assertThat(at(backing, (1 << 20) + PAGE)).isEqualTo((byte) 1);
            backing.segment().set(ValueLayout.JAVA_BYTE, 1 << 20, (byte) 3);
            assertThat(at(backing, 1 << 20)).isEqualTo((byte) 3);
            backing.discard(0, SIZE);
            assertThat(backing.segment().mismatch(MemorySegment.ofArray(new byte[(int) SIZE])))
                    .isEqualTo(-1);
        }
    }

    @Test
    void moreHolesThanMappingsStillReadAsZeroes() throws Exception {
        Path path = folder.resolve("large");
        long size = 64L << 20;
        Files.write(path, new byte[0]);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            byte[] ones = new byte[1 << 20];
            Arrays.fill(ones, (byte) 1);
            for (int i = 0; i < 64; i++) {
                file.write(ones);
            }
        }
        try (PrivateFileBacking backing =
                PrivateFileBacking.map("large", HostFile.open(path, HostFile.READ_ONLY), size)) {
            for (long offset = 0; offset < size; offset += 2 * PAGE) {
                backing.discard(offset, PAGE);
            }
            for (long offset = 0; offset < size; offset += PAGE) {
                assertThat(at(backing, offset)).isEqualTo((byte) (offset / PAGE % 2));
            }
        }
    }

    @Test
    void findsWhatWasTouched() throws Exception {
        try (PrivateFileBacking backing = backing()) {
            assertThat(backing.nextTouched(0)).isEqualTo(1 << 20);
            assertThat(backing.nextUntouched(1 << 20)).isEqualTo((1 << 20) + 16 * PAGE);
            assertThat(backing.nextTouched((1 << 20) + 16 * PAGE)).isEqualTo(-1);
            backing.segment().set(ValueLayout.JAVA_BYTE, 3 << 20, (byte) 9);
            backing.segment().set(ValueLayout.JAVA_BYTE, (1 << 20) + 16 * PAGE, (byte) 9);
            assertThat(backing.nextUntouched(1 << 20)).isEqualTo((1 << 20) + 17 * PAGE);
            assertThat(backing.nextTouched(2 << 20)).isEqualTo(3 << 20);
            assertThat(backing.nextTouched((3 << 20) + PAGE)).isEqualTo(-1);
            backing.discard(1 << 20, 17 * PAGE);
            assertThat(backing.nextTouched(0)).isEqualTo(3 << 20);
        }
    }
}
