package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostFileTest {
    @TempDir
    Path folder;

    private static MemorySegment text(Arena arena, String text) {
        MemorySegment segment = arena.allocate(text.length());
        MemorySegment.copy(
                MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII)), 0, segment, 0, text.length());
        return segment;
    }

    private static String text(MemorySegment segment) {
        return new String(segment.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII);
    }

    @Test
    void readsWhatIsInThePageCacheWithoutWaiting() {
        try (Arena arena = Arena.ofConfined();
                HostFile file = HostFile.open(folder.resolve("cached"), HostFile.READ_WRITE | HostFile.CREATE);
                HostFile memory = HostFile.memory("memory", PageSize.KIB_4)) {
            assertThat(memory.isInMemory()).isTrue();
            file.write(text(arena, "hello world"), 0);
            var vector = new IoVector(2);
            MemorySegment into = arena.allocate(11);
            vector.add(into.asSlice(0, 3));
            vector.add(into.asSlice(3));
            long n = file.readNoWait(vector, 0);
            // Some file systems can't tell, tmpfs among them.
            if (n != -Errno.EOPNOTSUPP) {
                assertThat(n).isEqualTo(11);
                assertThat(text(into)).isEqualTo("hello world");
                assertThat(file.readNoWait(vector, 11)).as("at the end").isZero();
            }
            assertThat(file.writeNoWait(vector, 0)).isIn((long) -Errno.EOPNOTSUPP, (long) -Errno.EAGAIN, 11L);
            assertThat(memory.readNoWait(vector, 0)).isIn((long) -Errno.EOPNOTSUPP, 0L);
        }
    }

    @Test
    void bytesAreLockedForOneOpening() {
        Path path = folder.resolve("locked");
        long far = 1L << 62;
        try (HostFile other = HostFile.open(path, HostFile.READ_WRITE | HostFile.CREATE)) {
            try (HostFile one = HostFile.open(path, HostFile.READ_WRITE)) {
                assertThat(one.tryLockByte(far, false)).isTrue();
                assertThat(other.tryLockByte(far, false)).isTrue();
                assertThat(one.tryLockByte(far, true)).as("another shares it").isFalse();
                assertThat(one.isByteLocked(far)).isTrue();
                other.unlockByte(far);
                assertThat(one.isByteLocked(far)).as("by others").isFalse();
                assertThat(one.tryLockByte(far, true)).isTrue();
                assertThat(other.isByteLocked(far)).isTrue();
                assertThat(other.tryLockByte(far, false)).isFalse();
                assertThat(other.tryLockByte(far + 1, true)).isTrue();
            }
            assertThat(other.tryLockByte(far, true)).isTrue();
            assertThatThrownBy(() -> other.tryLockByte(-1, true))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }

    @Test
    void whoWatchesAFileHearsOfWrites() throws Exception {
        Path path = folder.resolve("watched");
        java.time.Duration most = java.time.Duration.ofMinutes(10);
        try (HostFile file = HostFile.open(path, HostFile.READ_WRITE | HostFile.CREATE);
                FileWatch watch = new FileWatch(path);
                Arena arena = Arena.ofConfined()) {
            file.write(text(arena, "hello"), 0);
            watch.await(most);
            watch.wake();
            watch.await(most);
            Thread writer = Thread.ofPlatform().start(() -> file.truncate(2));
            watch.await(most);
            writer.join();
        }
        assertThatThrownBy(() -> new FileWatch(folder.resolve("nowhere")))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    }

    @Test
    void writesAndReadsAtPositions() throws Exception {
        Path path = folder.resolve("file");
        try (Arena arena = Arena.ofConfined();
                HostFile file = HostFile.open(path, HostFile.READ_WRITE | HostFile.CREATE | HostFile.EXCLUSIVE, 0640)) {
            assertThat(file.write(text(arena, "hello world"), 3)).isEqualTo(11);
            MemorySegment into = arena.allocate(5);
            assertThat(file.read(into, 9)).isEqualTo(5);
            assertThat(text(into)).isEqualTo("world");
            // Short at the end, then nothing.
            assertThat(file.read(into, 12)).isEqualTo(2);
            assertThat(file.read(into, 14)).isZero();
            assertThat(file.write(text(arena, "abc"))).isEqualTo(3);
            assertThat(file.read(into)).isEqualTo(5);
            assertThat(text(into)).isEqualTo("hello");
            file.sync();
            file.syncData();
            assertThat(file.status()).satisfies(s -> {
                assertThat(s.isRegularFile()).isTrue();
                assertThat(s.size()).isEqualTo(14);
                assertThat(s.mode() & 0777).isEqualTo(0640);
                assertThat(s.allocatedBytes()).isGreaterThanOrEqualTo(14);
                assertThat(s.inode()).isPositive();
            });
            file.truncate(4);
        }
        assertThat(Files.readString(path)).isEqualTo("abch");
    }

    @Test
    void findsDataAndHoles() {
        try (Arena arena = Arena.ofConfined();
                HostFile file = HostFile.memory("holes", PageSize.KIB_4)) {
            file.truncate(1 << 20);
            assertThat(file.nextData(0)).isEqualTo(-1);
            assertThat(file.nextHole(0)).isZero();
            file.write(text(arena, "x"), 5 * 4096 + 17);
            assertThat(file.nextData(0)).isEqualTo(5 * 4096);
            assertThat(file.nextData(5 * 4096 + 9)).isEqualTo(5 * 4096 + 9);
            assertThat(file.nextHole(5 * 4096)).isEqualTo(6 * 4096);
            assertThat(file.nextData(6 * 4096)).isEqualTo(-1);
            assertThat(file.nextHole(1 << 20)).isEqualTo(-1);
        }
    }

    @Test
    void scattersAndGathers() {
        try (Arena one = Arena.ofConfined();
                Arena two = Arena.ofShared();
                Arena three = Arena.ofConfined();
                HostFile file = HostFile.memory("vectors", PageSize.KIB_4)) {
            IoVector vector = new IoVector(5);
            // From three arenas: more than one call can keep alive.
            vector.add(text(one, "one "));
            vector.add(text(two, "two "));
            vector.add(text(one, "one again "));
            vector.add(text(three, "three "));
            vector.add(text(two, "two again"));
            assertThat(vector.size()).isEqualTo(5);
            assertThat(vector.byteSize()).isEqualTo(33);
            assertThatThrownBy(() -> vector.add(one.allocate(1))).isInstanceOf(IllegalStateException.class);
            assertThat(file.write(vector, 100)).isEqualTo(33);
            MemorySegment all = one.allocate(33);
            assertThat(file.read(all, 100)).isEqualTo(33);
            assertThat(text(all)).isEqualTo("one two one again three two again");
            vector.clear();
            MemorySegment first = one.allocate(4);
            MemorySegment second = three.allocate(4);
            MemorySegment third = two.allocate(60);
            vector.add(first);
            vector.add(second);
            vector.add(third);
            assertThat(file.read(vector, 100)).isEqualTo(33);
            assertThat(text(first)).isEqualTo("one ");
            assertThat(text(second)).isEqualTo("two ");
            assertThat(text(third)).startsWith("one again three two again");
        }
    }

    @Test
    void vectorWithDeadMemoryNeverReachesTheKernel() {
        IoVector vector = new IoVector(2);
        try (Arena arena = Arena.ofShared()) {
            vector.add(arena.allocate(8));
        }
        try (HostFile file = HostFile.memory("dead", PageSize.KIB_4)) {
            assertThatThrownBy(() -> file.write(vector, 0)).isInstanceOf(IllegalStateException.class);
            assertThat(file.status().size()).isZero();
        }
        assertThatThrownBy(() -> new IoVector(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new IoVector(1025)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> vector.add(MemorySegment.ofArray(new byte[1])))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void holesAndZeroesGiveStorageBack() {
        try (Arena arena = Arena.ofConfined();
                HostFile file = HostFile.memory("holes", PageSize.KIB_4)) {
            file.allocate(0, 64 << 10);
            assertThat(file.status().allocatedBytes()).isEqualTo(64 << 10);
            assertThat(file.status().size()).isEqualTo(64 << 10);
            file.write(text(arena, "x"), 8 << 10);
            file.punchHole(0, 32 << 10);
            assertThat(file.status().allocatedBytes()).isEqualTo(32 << 10);
            assertThat(file.status().size()).isEqualTo(64 << 10);
            MemorySegment one = arena.allocate(1);
            assertThat(file.read(one, 8 << 10)).isEqualTo(1);
            assertThat(one.get(ValueLayout.JAVA_BYTE, 0)).isZero();
            assertThatThrownBy(() -> file.allocate(-1, 10))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                    .hasMessageContainingAll("fallocate", "memfd:holes", "EINVAL");
        }
    }

    @Test
    void copiesInsideTheKernel() throws Exception {
        Path from = folder.resolve("from");
        Files.writeString(from, "0123456789");
        try (HostFile source = HostFile.open(from, HostFile.READ_ONLY);
                HostFile target = HostFile.open(folder.resolve("to"), HostFile.READ_WRITE | HostFile.CREATE)) {
            assertThat(source.copyTo(target, 2, 0, 5)).isEqualTo(5);
            assertThat(source.copyTo(target, 10, 5, 5)).isZero();
        }
        assertThat(Files.readString(folder.resolve("to"))).isEqualTo("23456");
    }

    @Test
    void opensRelativeToAFolder() throws Exception {
        Files.writeString(folder.resolve("inside"), "inside");
        Files.createSymbolicLink(folder.resolve("link"), Path.of("inside"));
        try (HostFile here = HostFile.open(folder, HostFile.READ_ONLY | HostFile.DIRECTORY)) {
            assertThat(here.status().isDirectory()).isTrue();
            try (HostFile file = here.openAt(Path.of("inside"), HostFile.READ_ONLY, 0)) {
                assertThat(file.status().size()).isEqualTo(6);
            }
            assertThatThrownBy(() -> here.openAt(Path.of("link"), HostFile.READ_ONLY | HostFile.NO_FOLLOW, 0))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errnoName()).isEqualTo("ELOOP"));
        }
    }

    @Test
    void errorsAreThoseOfTheKernel() throws Exception {
        Path path = folder.resolve("file");
        Files.writeString(path, "x");
        assertThatThrownBy(() -> HostFile.open(path, HostFile.READ_WRITE | HostFile.CREATE | HostFile.EXCLUSIVE))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
        assertThatThrownBy(() -> HostFile.open(path, HostFile.READ_ONLY | HostFile.DIRECTORY))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errnoName()).isEqualTo("ENOTDIR"));
        try (Arena arena = Arena.ofConfined();
                HostFile file = HostFile.open(path, HostFile.READ_ONLY)) {
            assertThatThrownBy(() -> file.write(arena.allocate(1), 0))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBADF))
                    .hasMessage("pwrite(" + path + ", 1 bytes at 0): EBADF");
            assertThat(file.tryWrite(arena.allocate(1))).isEqualTo(-Errno.EBADF);
        }
        try (HostFile device = HostFile.open(Path.of("/dev/zero"), HostFile.READ_ONLY)) {
            assertThat(device.status().isCharacterDevice()).isTrue();
            // 1:5
            assertThat(device.status().specialDeviceId()).isEqualTo(1L << 32 | 5);
        }
    }

    @Test
    void closedMemoryIsRefusedBeforeTheKernelSeesIt() {
        MemorySegment dead;
        try (Arena arena = Arena.ofConfined()) {
            dead = arena.allocate(8);
        }
        try (HostFile file = HostFile.memory("x", PageSize.KIB_4)) {
            assertThatThrownBy(() -> file.read(dead, 0)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void transfersAllocateNothing() throws Exception {
        try (Arena arena = Arena.ofConfined();
                HostFile file = HostFile.memory("hot", PageSize.KIB_4)) {
            file.truncate(4096);
            MemorySegment block = arena.allocate(512);
            IoVector vector = new IoVector(4);
            assertThat(Allocations.ofRound(5_000, () -> {
                        file.write(block, 0);
                        file.read(block, 512);
                        vector.clear();
                        vector.add(block);
                        vector.add(block);
                        file.read(vector, 0);
                    }))
                    .isLessThan(5_000);
        }
    }

    @Test
    void aLockEndsWithItsFileWhileProcessesAreStarted() throws Exception {
        Path path = Files.createFile(folder.resolve("locked"));
        AtomicBoolean done = new AtomicBoolean();
        Thread starter = Thread.ofPlatform().start(() -> {
            while (!done.get()) {
                try {
                    new ProcessBuilder("/bin/true").start().waitFor();
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        });
        try {
            for (int i = 0; i < 20_000; i++) {
                try (HostFile file = HostFile.open(path, HostFile.READ_WRITE)) {
                    assertThat(file.tryLock(true)).as("try %d", i).isTrue();
                }
            }
        } finally {
            done.set(true);
            starter.join();
        }
    }
}
