package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the kernel that is there; where it has no ring, that is what is seen. */
class IoUringTest {
    @TempDir
    Path folder;

    private static IoUring open(int entries) {
        try {
            return new IoUring(entries);
        } catch (LinuxException e) {
            assertThat(e.errno()).isIn(Errno.ENOSYS, Errno.EPERM, Errno.EACCES, Errno.EOPNOTSUPP, Errno.ENOMEM);
            return abort("no io_uring here: " + e.getMessage());
        }
    }

    private HostFile file(String name) {
        return HostFile.open(folder.resolve(name), HostFile.READ_WRITE | HostFile.CREATE);
    }

    private static IoVector vector(MemorySegment... pieces) {
        var vector = new IoVector(pieces.length);
        for (MemorySegment piece : pieces) {
            vector.add(piece);
        }
        return vector;
    }

    private static Map<Long, Integer> results(IoUring ring, int count) {
        var found = new HashMap<Long, Integer>();
        while (found.size() < count) {
            ring.submit(true);
            while (ring.next()) {
                assertThat(found.put(ring.token(), ring.result())).isNull();
            }
        }
        return found;
    }

    @Test
    void transfersAreDoneTogetherAndTellTheirResults() {
        try (IoUring ring = open(8);
                HostFile file = file("data");
                Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(8192, 8);
            for (int i = 0; i < 8192; i++) {
                from.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31));
            }
            assertThat(ring.capacity()).isEqualTo(8);
            assertThat(ring.prepareWrite(file, vector(from.asSlice(4096), from.asSlice(0, 1000)), 10_000, 1, false))
                    .isTrue();
            assertThat(ring.prepareWrite(file, vector(from.asSlice(0, 500)), 0, 2, true))
                    .isTrue();
            assertThat(ring.prepared()).isEqualTo(2);
            assertThat(results(ring, 2)).isEqualTo(Map.of(1L, 5096, 2L, 500));
            assertThat(ring.prepared()).isZero();

            MemorySegment into = arena.allocate(8192, 8);
            ring.prepareRead(file, vector(into.asSlice(0, 96), into.asSlice(96, 5000)), 10_000, 3, false);
            ring.prepareRead(file, vector(into.asSlice(6000, 400)), 100, 4, false);
            ring.prepareRead(file, vector(into.asSlice(7000, 1000)), 15_000, 5, false);
            ring.prepareRead(file, vector(into.asSlice(8100)), 1 << 20, 6, true);
            assertThat(results(ring, 4)).isEqualTo(Map.of(3L, 5096, 4L, 400, 5L, 96, 6L, 0));
            assertThat(into.asSlice(0, 4096).mismatch(from.asSlice(4096))).isEqualTo(-1);
            assertThat(into.asSlice(4096, 1000).mismatch(from.asSlice(0, 1000))).isEqualTo(-1);
            assertThat(into.asSlice(6000, 400).mismatch(from.asSlice(100, 400))).isEqualTo(-1);
        }
    }

    @Test
    void whatHasNoRoomWaitsForTheNextCall() {
        try (IoUring ring = open(4);
                HostFile file = file("data");
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(2048);
            for (int i = 0; i < 4; i++) {
                assertThat(ring.prepareWrite(file, vector(memory.asSlice(0, 16)), 16L * i, i, false))
                        .isTrue();
            }
            assertThat(ring.prepareWrite(file, vector(memory), 0, 9, false))
                    .as("five in a queue of four")
                    .isFalse();
            assertThat(results(ring, 4)).hasSize(4);
            // Pieces are bounded, too.
            List<MemorySegment> pieces = new ArrayList<>();
            for (int i = 0; i < 600; i++) {
                pieces.add(memory.asSlice(i, 1));
            }
            var many = vector(pieces.toArray(MemorySegment[]::new));
            assertThat(ring.prepareWrite(file, many, 0, 1, false)).isTrue();
            assertThat(ring.prepareWrite(file, many, 600, 2, false)).isFalse();
            assertThat(results(ring, 1)).isEqualTo(Map.of(1L, 600));
            assertThat(ring.prepareWrite(file, many, 600, 2, false)).isTrue();
            assertThat(results(ring, 1)).isEqualTo(Map.of(2L, 600));
            assertThat(file.status().size()).isEqualTo(1200);
        }
    }

    /** More than both queues hold, so that their places are used again and again. */
    @Test
    void theQueuesGoRound() {
        try (IoUring ring = open(4);
                HostFile file = file("data");
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(8);
            IoVector one = vector(memory);
            for (int round = 0; round < 1000; round++) {
                memory.set(ValueLayout.JAVA_LONG, 0, round);
                for (int i = 0; i < 3; i++) {
                    assertThat(ring.prepareWrite(file, one, 24L * round + 8L * i, i, false))
                            .isTrue();
                }
                assertThat(results(ring, 3)).isEqualTo(Map.of(0L, 8, 1L, 8, 2L, 8));
            }
            file.read(memory, 24L * 777 + 8);
            assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(777);
        }
    }

    @Test
    void errorsAreResults() throws Exception {
        Path path = folder.resolve("read-only");
        try (IoUring ring = open(4);
                HostFile made = file("read-only");
                HostFile file = HostFile.open(path, HostFile.READ_ONLY);
                Arena arena = Arena.ofConfined()) {
            assertThat(made.status().size()).isZero();
            MemorySegment memory = arena.allocate(16);
            ring.prepareWrite(file, vector(memory), 0, 7, false);
            assertThat(results(ring, 1)).isEqualTo(Map.of(7L, -Errno.EBADF));
        }
    }

    @Test
    void aFileMayBeClosedOnceTheKernelHasTheTransfer() {
        try (IoUring ring = open(4);
                Arena arena = Arena.ofConfined()) {
            HostFile file = file("data");
            MemorySegment memory = arena.allocate(16);
            ring.prepareWrite(file, vector(memory), 0, 7, true);
            file.close(); // between the two: the number is still the file's
            ring.submit(false);
            assertThat(results(ring, 1)).isEqualTo(Map.of(7L, 16));
            assertThatThrownBy(() -> ring.prepareWrite(file, vector(memory), 0, 8, true))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(ring.prepared()).isZero();
        }
    }

    @Test
    void anEventWakesWhoWaits() throws Exception {
        try (IoUring ring = open(4);
                EventFd event = new EventFd()) {
            ring.prepareAwait(event, 42);
            ring.submit(false);
            assertThat(ring.next()).isFalse();
            Thread other = Thread.ofPlatform().start(event::signal);
            assertThat(results(ring, 1)).isEqualTo(Map.of(42L, 1));
            other.join();
        }
    }

    @Test
    void refusesWhatMakesNoRing() {
        assertThatThrownBy(() -> new IoUring(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new IoUring(1025)).isInstanceOf(IllegalArgumentException.class);
        IoUring ring = open(1);
        ring.close();
        ring.close();
    }
}
