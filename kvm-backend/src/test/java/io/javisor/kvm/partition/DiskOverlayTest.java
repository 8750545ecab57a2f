package io.javisor.kvm.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.linux.PageSize;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskOverlayTest {
    private static final long MIB = 1 << 20;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private long files() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.count();
        }
    }

    @Test
    void contentGoesToDiskAndComesBackPieceByPiece() throws IOException {
        try (MemfdBacking memory = MemfdBacking.reserve("test", 16 * MIB, PageSize.KIB_4)) {
            memory.segment().fill((byte) 1);
            DiskOverlay overlay = DiskOverlay.over(memory, 4 * MIB, 8 * MIB, folder);
            assertThat(files()).as("nameless from the start").isZero();
            assertThat(memory.residentBytes()).as("the rest").isEqualTo(8 * MIB);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 4 * MIB)).isZero();
            // A page at the beginning and one at the end; all else is empty.
            memory.segment().asSlice(4 * MIB, 4096).fill((byte) 7);
            memory.segment().asSlice(12 * MIB - 4096, 4096).fill((byte) 9);
            assertThat(overlay.left()).isEqualTo(8 * MIB);
            assertThat(memory.nextTouched(4 * MIB))
                    .as("what is on disk may be anything")
                    .isEqualTo(4 * MIB);

            assertThat(overlay.moveBack(3 * MIB)).isEqualTo(2 * MIB);
            assertThat(overlay.left()).isEqualTo(6 * MIB);
            assertThat(overlay.moveBack(100 * MIB)).isEqualTo(6 * MIB);
            assertThat(overlay.left()).isZero();
            assertThat(memory.nextTouched(7 * MIB)).as("empty again").isEqualTo(10 * MIB);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 4 * MIB + 4095))
                    .isEqualTo((byte) 7);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 4 * MIB + 4096))
                    .isZero();
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 12 * MIB - 1))
                    .isEqualTo((byte) 9);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 12 * MIB)).isEqualTo((byte) 1);
            assertThat(memory.residentBytes()).as("empty pieces took no memory").isEqualTo(12 * MIB);
            overlay.close();
            overlay.close();
        }
    }

    @Test
    void whatIsLeftOfAGuestThatEndedIsDropped() {
        try (MemfdBacking memory = MemfdBacking.reserve("test", 8 * MIB, PageSize.KIB_4)) {
            try (DiskOverlay overlay = DiskOverlay.over(memory, 0, 8 * MIB, folder)) {
                memory.segment().fill((byte) 5);
                assertThat(overlay.left()).isEqualTo(8 * MIB);
            }
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 0)).isZero();
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 8 * MIB - 1)).isZero();
        }
    }

    @Test
    void aFolderThatCannotBeUsedIsSaidWithTheRemedy() {
        try (MemfdBacking memory = MemfdBacking.reserve("test", 8 * MIB, PageSize.KIB_4)) {
            assertThatThrownBy(() -> DiskOverlay.over(memory, 0, 8 * MIB, Path.of("/proc/no")))
                    .isInstanceOfSatisfying(
                            HypervisorException.class, e -> assertThat(e.code()).isEqualTo("smart-paging"));
            memory.segment().fill((byte) 5);
            assertThatThrownBy(() -> DiskOverlay.over(memory, 1, MIB, folder))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
