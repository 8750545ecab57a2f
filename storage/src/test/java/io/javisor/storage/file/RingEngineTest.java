package io.javisor.storage.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoEngine;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.disk.MeteredDisk;
import io.javisor.storage.disk.MovableDisk;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no thread waits for, on the kernel and the file system that are there. */
class RingEngineTest {
    private static final int BLOCK = 4096;
    private static final int SIZE = 8 << 20;

    @TempDir
    Path folder;

    @BeforeEach
    void needsARing() {
        assumeTrue(RingEngine.refusal() == null, RingEngine.refusal());
    }

    /** On a disk; skipped where the file system of temporary files lies in memory, or can't do direct I/O. */
    private MovableDisk disk(String name, boolean direct) {
        Path path = folder.resolve(name);
        DiskImage.create(path, ImageSpec.fixed(ImageFormat.RAW, SIZE));
        try (HostBackingFile file = HostBackingFile.open(path, true, false)) {
            assumeTrue(!file.isInMemory(), "temporary files lie in memory");
        }
        return new MovableDisk(DiskImage.open(path, DiskOptions.DEFAULT.withDirect(direct)), null);
    }

    private static IoMemory block(Arena arena, long value) {
        MemorySegment memory = arena.allocate(BLOCK, BLOCK);
        for (int i = 0; i < BLOCK / 8; i++) {
            memory.setAtIndex(ValueLayout.JAVA_LONG, i, value);
        }
        return IoMemory.of(List.of(memory.asSlice(0, 1024), memory.asSlice(1024)));
    }

    private static final class Told implements IoEngine.Completion {
        final Semaphore times = new Semaphore(0);
        final AtomicLong moved = new AtomicLong(Long.MIN_VALUE);

        @Override
        public void ended(long bytes) {
            moved.set(bytes);
            times.release();
        }

        long await() throws InterruptedException {
            assertThat(times.tryAcquire(2, TimeUnit.MINUTES)).as("it ends").isTrue();
            return moved.get();
        }
    }

    /** Each thread has blocks of its own, and sees what it wrote last; what finds no place goes the other way. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void manyAtATimeBringWhatWasWritten(boolean direct) throws Exception {
        var begun = new AtomicInteger();
        var wrong = new AtomicReference<Throwable>();
        var metered = new MeteredDisk(disk("many.raw", direct));
        try (metered;
                var engine = new RingEngine("ring")) {
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int number = t;
                threads.add(Thread.ofPlatform()
                        .uncaughtExceptionHandler((_, e) -> wrong.set(e))
                        .start(() -> use(metered, engine, number, begun)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(wrong).hasNullValue();
            assertThat(begun.get()).isGreaterThan(1000);
            assertThat(metered.statistics().errors()).isZero();
            assertThat(metered.statistics().writes() + metered.statistics().reads())
                    .as("all counted once, by the ring or by a thread")
                    .isEqualTo(4L * 30 * 40 * 2);
        }
    }

    private static void use(MeteredDisk disk, IoEngine engine, int thread, AtomicInteger begun) {
        var random = new Random(thread);
        try (Arena arena = Arena.ofShared()) {
            for (int round = 0; round < 30; round++) {
                long first = thread * 400L + 40L * random.nextInt(10);
                var all = new Semaphore(0);
                List<IoMemory> written = new ArrayList<>();
                List<IoMemory> read = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    IoMemory memory = block(arena, random.nextLong());
                    written.add(memory);
                    long at = (first + i) * BLOCK;
                    if (disk.beginWrite(at, memory, engine, moved -> all.release(moved == BLOCK ? 1 : 1000))) {
                        begun.incrementAndGet();
                    } else {
                        disk.write(at, memory, false);
                        all.release();
                    }
                }
                all.acquireUninterruptibly(40);
                for (int i = 0; i < 40; i++) {
                    IoMemory memory = block(arena, 0);
                    read.add(memory);
                    long at = (first + i) * BLOCK;
                    if (disk.beginRead(at, memory, engine, moved -> all.release(moved == BLOCK ? 1 : 1000))) {
                        begun.incrementAndGet();
                    } else {
                        disk.read(at, memory);
                        all.release();
                    }
                }
                all.acquireUninterruptibly(40);
                assertThat(all.availablePermits()).as("none failed").isZero();
                for (int i = 0; i < 40; i++) {
                    assertThat(read.get(i).toByteArray())
                            .isEqualTo(written.get(i).toByteArray());
                }
            }
        }
    }

    @Test
    void whatDoesNotFitIsRefusedAndWhatFailsIsTold() throws Exception {
        Path path = folder.resolve("errors.raw");
        try (MovableDisk disk = disk("errors.raw", false);
                var engine = new RingEngine("ring");
                Arena arena = Arena.ofShared()) {
            var told = new Told();
            IoMemory memory = block(arena, 7);
            assertThat(disk.beginRead(SIZE, memory, engine, told)).isFalse();
            assertThat(disk.beginRead(-512, memory, engine, told)).isFalse();
            assertThat(disk.beginWrite(100, memory, engine, told)).isFalse();
            assertThat(disk.beginRead(0, IoMemory.of(new byte[512]), engine, told))
                    .as("the heap moves")
                    .isFalse();
            assertThat(disk.beginRead(0, memory, () -> {}, told))
                    .as("an engine that it does not know")
                    .isFalse();
            // Cut short behind its back: half of the block is there.
            try (var file = new RandomAccessFile(path.toFile(), "rw")) {
                file.setLength(SIZE - BLOCK / 2);
            }
            assertThat(disk.beginRead(SIZE - BLOCK, memory, engine, told)).isTrue();
            assertThat(told.await()).isEqualTo(-1);
            assertThat(disk.beginRead(0, memory, engine, told)).isTrue();
            assertThat(told.await()).isEqualTo(BLOCK);
        }
    }

    @Test
    void aReadOnlyDiskIsNotWritten() throws Exception {
        Path path = folder.resolve("ro.raw");
        Files.write(path, new byte[SIZE]);
        try (var disk = new MovableDisk(DiskImage.open(path, DiskOptions.DEFAULT.withReadOnly(true)), null);
                var engine = new RingEngine("ring");
                Arena arena = Arena.ofShared()) {
            assertThat(disk.beginWrite(0, block(arena, 1), engine, new Told())).isFalse();
        }
    }

    /** What has begun is told before close returns; what comes later is refused; a listener's own trouble harms nobody. */
    @Test
    void closingWaitsForWhatIsUnderWay() throws Exception {
        try (MovableDisk disk = disk("close.raw", true);
                Arena arena = Arena.ofShared()) {
            for (int round = 0; round < 50; round++) {
                var engine = new RingEngine("ring");
                var told = new AtomicInteger();
                int begun = 0;
                for (int i = 0; i < 300; i++) {
                    boolean angry = round == 0 && i == 7;
                    begun += disk.beginWrite((long) i * BLOCK, block(arena, i), engine, _ -> {
                                told.incrementAndGet();
                                if (angry) {
                                    throw new IllegalStateException("a listener's own trouble");
                                }
                            })
                            ? 1
                            : 0;
                }
                Thread other = Thread.ofPlatform().start(engine::close);
                engine.close();
                assertThat(told).hasValue(begun);
                assertThat(begun).isPositive();
                other.join();
                assertThat(disk.beginWrite(0, block(arena, 1), engine, new Told()))
                        .isFalse();
            }
        }
    }

    /** A disk that is closed or moved while requests are under way waits for them, as it does for threads. */
    @Test
    void aDiskThatGoesOrMovesWaitsForItsRequests() throws Exception {
        try (var engine = new RingEngine("ring");
                Arena arena = Arena.ofShared()) {
            for (int round = 0; round < 20; round++) {
                MovableDisk disk = disk("a" + round + ".raw", true);
                Path target = folder.resolve("b" + round + ".vhdx");
                DiskImage.create(
                        target, ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withBlockBytes(1 << 20));
                var told = new AtomicInteger();
                int begun = 0;
                for (int i = 0; i < 100; i++) {
                    if (disk.beginWrite((long) i * BLOCK, block(arena, i + 1), engine, _ -> told.incrementAndGet())) {
                        begun++;
                    } else {
                        disk.write((long) i * BLOCK, block(arena, i + 1), false);
                    }
                }
                if (round % 2 == 0) {
                    disk.close();
                } else {
                    disk.move(DiskImage.open(target), (_, _) -> {}).close();
                    for (int i = 0; i < 100; i++) {
                        IoMemory found = block(arena, 0);
                        disk.read((long) i * BLOCK, found);
                        assertThat(found.toByteArray())
                                .isEqualTo(block(arena, i + 1).toByteArray());
                    }
                    disk.close();
                }
                assertThat(told).as("told before the disk was closed").hasValue(begun);
                assertThat(disk.beginWrite(0, block(arena, 1), engine, new Told()))
                        .as("a closed disk")
                        .isFalse();
            }
        }
    }
}
