package io.javisor.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.storage.disk.DiskException.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Disks that move while they are written. */
class MovableDiskTest {
    private static final int SIZE = 24 << 20;

    @TempDir
    private Path folder;

    /** Writes what nobody else may write, and knows what must be there. */
    private static final class Writer implements Runnable {
        private final Disk disk;
        private final int from;
        private final byte[] expected = new byte[SIZE / 4];
        private final Random random;
        private final AtomicBoolean stop;
        private int rounds;

        Writer(Disk disk, int number, AtomicBoolean stop) {
            this.disk = disk;
            this.from = number * (SIZE / 4);
            this.stop = stop;
            random = new Random(number);
        }

        @Override
        public void run() {
            while (!stop.get()) {
                int sectors = 1 + random.nextInt(64);
                int at = random.nextInt(expected.length / 512 - sectors) * 512;
                if (random.nextInt(4) == 0) {
                    disk.zero(from + at, sectors * 512L, random.nextBoolean());
                    java.util.Arrays.fill(expected, at, at + sectors * 512, (byte) 0);
                } else {
                    byte[] bytes = new byte[sectors * 512];
                    random.nextBytes(bytes);
                    disk.write(from + at, IoMemory.of(bytes), false);
                    System.arraycopy(bytes, 0, expected, at, bytes.length);
                }
                rounds++;
            }
        }
    }

    private static byte[] contents(Disk disk) {
        IoMemory all = IoMemory.allocate(SIZE);
        disk.read(0, all);
        return all.toByteArray();
    }

    private Disk image(String name) {
        Path path = folder.resolve(name);
        ImageFormat format = ImageFormat.of(path);
        DiskImage.create(path, ImageSpec.dynamic(format, SIZE).withBlockBytes(format == ImageFormat.RAW ? 0 : 1 << 20));
        return DiskImage.open(path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"b.raw", "b.vhdx", "b.vhd"})
    void whatIsWrittenWhileItMovesIsThereAfterwards(String name) throws Exception {
        var stop = new AtomicBoolean();
        var failed = new AtomicReference<Throwable>();
        try (var disk = new MovableDisk(image("a.vhdx"), null)) {
            UUID identity = disk.traits().identity();
            List<Writer> writers = new ArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                var writer = new Writer(disk, i, stop);
                writers.add(writer);
                threads.add(Thread.ofPlatform()
                        .uncaughtExceptionHandler((_, e) -> failed.set(e))
                        .start(writer));
            }
            List<Long> told = new ArrayList<>();
            disk.move(image(name), (done, _) -> told.add(done)).close();
            int rounds = writers.stream().mapToInt(w -> w.rounds).sum();
            while (writers.stream().mapToInt(w -> w.rounds).sum() < rounds + 100 && failed.get() == null) {
                Thread.onSpinWait(); // it is written after the switch, too
            }
            stop.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failed).hasNullValue();
            byte[] now = contents(disk);
            for (Writer writer : writers) {
                assertThat(java.util.Arrays.mismatch(
                                now, writer.from, writer.from + SIZE / 4, writer.expected, 0, writer.expected.length))
                        .isEqualTo(-1);
            }
            assertThat(told).isSorted().last().isEqualTo((long) SIZE);
            assertThat(disk.traits().identity()).isEqualTo(identity);
        }
        try (Disk moved = DiskImage.open(folder.resolve(name))) {
            assertThat(moved.toString()).endsWith(name);
        }
    }

    @Test
    void overlappingWritesEndAlikeOnBothSides() throws Exception {
        Disk source = DiskImage.memory("source", SIZE, 512);
        var stop = new AtomicBoolean();
        try (var disk = new MovableDisk(source, null)) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 1; i <= 4; i++) {
                byte[] mine = new byte[8192];
                java.util.Arrays.fill(mine, (byte) i);
                threads.add(Thread.ofPlatform().start(() -> {
                    while (!stop.get()) {
                        disk.write(4096, IoMemory.of(mine), false);
                    }
                }));
            }
            Disk target = DiskImage.memory("target", SIZE, 512);
            // Stops all before the switch, when the first piece has long been copied.
            disk.move(target, (done, total) -> {
                        if (done == total) {
                            stop.set(true);
                            threads.forEach(MovableDiskTest::join);
                            assertThat(contents(target)).isEqualTo(contents(source));
                        }
                    })
                    .close();
        } finally {
            stop.set(true);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aMoveThatIsGivenUpLeavesTheSource() {
        Disk source = DiskImage.memory("source", SIZE, 512);
        try (var disk = new MovableDisk(source, null);
                Disk target = DiskImage.memory("target", SIZE, 512)) {
            byte[] text = new byte[512];
            text[0] = 7;
            source.write(SIZE - 512, IoMemory.of(text), false);
            assertThatThrownBy(() -> disk.move(target, (done, _) -> {
                        if (done > 0) {
                            disk.write(0, IoMemory.of(text), false);
                            throw new IllegalStateException("enough");
                        }
                    }))
                    .hasMessage("enough");
            disk.write(512, IoMemory.of(text), false);
            assertThat(contents(disk)).isEqualTo(contents(source)).contains(7);
            IoMemory second = IoMemory.allocate(512);
            target.read(512, second);
            assertThat(second.toByteArray()).containsOnly(0);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> disk.move(target, Progress.NONE)).hasMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void anErrorOfTheTargetEndsTheMoveAndNotTheWrite() {
        Disk source = DiskImage.memory("source", SIZE, 512);
        Disk target = DiskImage.memory("target", SIZE, 512);
        try (var disk = new MovableDisk(source, null)) {
            byte[] text = {1};
            IoMemory sector = IoMemory.of(java.util.Arrays.copyOf(text, 512));
            assertThatThrownBy(() -> disk.move(target, (done, _) -> {
                        if (done > 0) {
                            target.close(); // from now on it refuses everything
                            disk.write(0, sector, false);
                        }
                    }))
                    .isInstanceOfSatisfying(
                            DiskException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CLOSED));
            disk.write(512, sector, true);
            assertThat(contents(disk)).startsWith(1).isEqualTo(contents(source));
        }
    }

    @Test
    void aDiskThatIsClosedEndsTheMove() {
        Disk target = DiskImage.memory("target", SIZE, 512);
        var disk = new MovableDisk(image("a.raw"), null);
        disk.write(SIZE - 512, IoMemory.of(new byte[512]), false);
        assertThatThrownBy(() -> disk.move(target, (_, _) -> disk.close()))
                .isInstanceOfSatisfying(
                        DiskException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CLOSED));
        target.close();
    }

    @Test
    void theHostCopiesBetweenRawDisks() {
        byte[] text = new byte[1 << 20];
        new Random(3).nextBytes(text);
        try (var from = new MeteredDisk(new MovableDisk(image("a.raw"), null));
                var to = new MeteredDisk(new MovableDisk(image("b.raw"), null));
                var other = new MovableDisk(image("c.vhdx"), null);
                var small = DiskImage.memory("small", 1 << 20, 512)) {
            from.write(4096, IoMemory.of(text), false);
            assertThat(from.copyTo(4096, to, 8192, text.length)).isTrue();
            IoMemory copy = IoMemory.allocate(text.length);
            to.read(8192, copy);
            assertThat(copy.toByteArray()).isEqualTo(text);
            assertThat(from.statistics().readBytes()).isEqualTo(text.length);
            assertThat(from.copyTo(0, other, 0, 4096))
                    .as("a VHDX has its own order")
                    .isFalse();
            assertThat(other.copyTo(0, from, 0, 4096)).isFalse();
            assertThatThrownBy(() -> from.copyTo(0, small, 512, 1 << 20)).isInstanceOf(DiskException.class);
            assertThat(small.size()).isEqualTo(1 << 20);
            assertThatThrownBy(() -> from.copyTo(SIZE, to, 0, 512)).isInstanceOf(DiskException.class);
        }
    }

    @Test
    void aDiskThatMovesIsNotCopiedToBehindItsBack() {
        try (var disk = new MovableDisk(image("a.raw"), null);
                var source = new MovableDisk(image("b.raw"), null)) {
            disk.move(
                            image("c.raw"),
                            (_, _) ->
                                    assertThat(source.copyTo(0, disk, 0, 4096)).isFalse())
                    .close();
            assertThat(source.copyTo(0, disk, 0, 4096)).isTrue();
        }
    }

    @Test
    void refusesTargetsThatDoNotFit() {
        try (var disk = new MovableDisk(DiskImage.memory("source", SIZE, 512), UUID.randomUUID());
                Disk small = DiskImage.memory("small", SIZE - 512, 512);
                Disk large = DiskImage.memory("large", SIZE, 4096);
                Disk other = DiskImage.memory("other", SIZE, 512)) {
            assertThatThrownBy(() -> disk.move(small, Progress.NONE)).hasMessageContaining("as large as the source");
            assertThatThrownBy(() -> disk.move(large, Progress.NONE)).hasMessageContaining("same sectors");
            disk.write(0, IoMemory.of(new byte[512]), false);
            assertThatThrownBy(() -> disk.move(other, (_, _) -> disk.move(other, Progress.NONE)))
                    .hasMessageContaining("being moved already");
        }
    }
}
