package io.javisor.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What every disk does, whatever is behind it. */
public abstract class DiskContract {
    /** Not a multiple of any block size, but of 4,096. */
    protected static final int SIZE = (5 << 20) + 3 * 4096;

    /** Opens the disk, which the first time has the initial contents; what was flushed or closed stays. */
    protected abstract Disk open(boolean readOnly);

    /** Whether the disk is still there after it was closed. */
    protected boolean survivesClose() {
        return true;
    }

    /** Contents before the first write. */
    protected byte[] initial() {
        return new byte[SIZE];
    }

    static byte[] read(Disk disk, long offset, int length) {
        IoMemory memory = IoMemory.allocate(length);
        disk.read(offset, memory);
        return memory.toByteArray();
    }

    @Test
    void hasItsSizeAndInitialContents() {
        try (Disk disk = open(false)) {
            assertThat(disk.size()).isEqualTo(SIZE);
            assertThat(read(disk, 0, SIZE)).isEqualTo(initial());
        }
    }

    @Test
    void agreesWithAnArrayOverRandomRequestsAndReopening() {
        var random = new Random(7);
        byte[] model = initial();
        Disk disk = open(false);
        try {
            int sector = disk.traits().sectorBytes();
            for (int i = 0; i < 350; i++) {
                int length = sector * (1 + random.nextInt(random.nextInt(8) == 0 ? SIZE / sector / 3 : 40));
                int at = sector * random.nextInt((SIZE - length) / sector + 1);
                switch (random.nextInt(12)) {
                    case 0, 1, 2, 3, 4 -> {
                        byte[] data = new byte[length];
                        random.nextBytes(data);
                        System.arraycopy(data, 0, model, at, length);
                        IoMemory from = scattered(random, data);
                        if (i % 3 != 0 || !disk.tryWrite(at, from)) {
                            disk.write(at, from, i % 50 == 0);
                        }
                    }
                    case 5, 6 -> {
                        Arrays.fill(model, at, at + length, (byte) 0);
                        disk.zero(at, length, random.nextBoolean());
                    }
                    case 7 -> {
                        // whole blocks
                        int from = at >> 20 << 20;
                        int n = Math.min(1 << 20, SIZE - from);
                        Arrays.fill(model, from, from + n, (byte) 0);
                        disk.zero(from, n, true);
                    }
                    case 8 -> disk.flush();
                    case 9 -> {
                        if (survivesClose() && i % 3 == 0) {
                            disk.close();
                            disk = open(false);
                        }
                    }
                    default -> {
                        IoMemory into = IoMemory.allocate(length);
                        if (i % 3 != 0 || !disk.tryRead(at, into)) {
                            disk.read(at, into);
                        }
                        assertThat(into.toByteArray())
                                .as("request %d: %d bytes at %d", i, length, at)
                                .isEqualTo(Arrays.copyOfRange(model, at, at + length));
                    }
                }
            }
            assertThat(read(disk, 0, SIZE)).isEqualTo(model);
            checkExtents(disk, model);
        } finally {
            disk.close();
        }
        if (survivesClose()) {
            try (Disk again = open(true)) {
                assertThat(read(again, 0, SIZE)).isEqualTo(model);
            }
        }
    }

    private static IoMemory scattered(Random random, byte[] data) {
        var pieces = new ArrayList<MemorySegment>();
        MemorySegment all = Arena.ofAuto().allocate(data.length);
        MemorySegment.copy(MemorySegment.ofArray(data), 0, all, 0, data.length);
        for (int at = 0; at < data.length; ) {
            int n = Math.min(data.length - at, 1 + random.nextInt(9000));
            // Heap and native memory mixed.
            pieces.add(random.nextInt(5) == 0 ? MemorySegment.ofArray(data).asSlice(at, n) : all.asSlice(at, n));
            at += n;
        }
        return IoMemory.of(pieces);
    }

    private static void checkExtents(Disk disk, byte[] model) {
        for (long at = 0; at < SIZE; ) {
            Extent extent = disk.extent(at, SIZE - at);
            assertThat(extent.length()).isBetween(1L, SIZE - at);
            if (extent.kind() == Extent.Kind.ZERO) {
                assertThat(Arrays.copyOfRange(model, (int) at, (int) (at + extent.length())))
                        .containsOnly(0);
            }
            at += extent.length();
        }
    }

    @Test
    void movesMorePiecesThanOneSystemCallTakes() {
        try (Disk disk = open(false)) {
            int sector = disk.traits().sectorBytes();
            byte[] data = new byte[2500 * 512];
            new Random(3).nextBytes(data);
            var memory = Arena.ofAuto().allocate(data.length);
            MemorySegment.copy(MemorySegment.ofArray(data), 0, memory, 0, data.length);
            var pieces = new ArrayList<MemorySegment>();
            for (int i = 0; i < 2500; i++) {
                pieces.add(memory.asSlice(i * 512L, 512));
            }
            int length = data.length / sector * sector;
            disk.write(sector, IoMemory.of(pieces).slice(0, length), false);
            assertThat(read(disk, sector, length)).isEqualTo(Arrays.copyOf(data, length));
            memory.fill((byte) 0);
            disk.read(sector, IoMemory.of(pieces).slice(0, length));
            assertThat(memory.asSlice(0, length).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                    .isEqualTo(Arrays.copyOf(data, length));
        }
    }

    @Test
    void refusesWhatIsNotOnTheDisk() {
        try (Disk disk = open(false)) {
            int sector = disk.traits().sectorBytes();
            IoMemory one = IoMemory.allocate(sector);
            for (long at :
                    List.of((long) SIZE, -(long) sector, Long.MAX_VALUE / sector * sector, 1L, (long) sector / 2)) {
                for (Runnable request : List.<Runnable>of(
                        () -> disk.read(at, one),
                        () -> disk.write(at, one, false),
                        () -> disk.zero(at, sector, true),
                        () -> disk.extent(at, sector))) {
                    assertThatThrownBy(request::run)
                            .isInstanceOfSatisfying(
                                    DiskException.class,
                                    e -> assertThat(e.kind()).isEqualTo(DiskException.Kind.RANGE));
                }
            }
            assertThatThrownBy(() -> disk.read(SIZE - sector, IoMemory.allocate(2L * sector)))
                    .isInstanceOf(DiskException.class);
            assertThatThrownBy(() -> disk.write(0, IoMemory.allocate(sector + 1), false))
                    .isInstanceOf(DiskException.class);
            assertThatThrownBy(() -> disk.zero(0, Long.MAX_VALUE, false)).isInstanceOf(DiskException.class);
            disk.read(SIZE, IoMemory.allocate(0));
        }
    }

    @Test
    void refusesEverythingOnceClosed() {
        Disk disk = open(false);
        int sector = disk.traits().sectorBytes();
        disk.close();
        disk.close();
        IoMemory one = IoMemory.allocate(sector);
        for (Runnable request : List.<Runnable>of(
                () -> disk.read(0, one),
                () -> disk.write(0, one, true),
                () -> disk.zero(0, sector, false),
                disk::flush)) {
            assertThatThrownBy(request::run)
                    .isInstanceOfSatisfying(
                            DiskException.class, e -> assertThat(e.kind()).isEqualTo(DiskException.Kind.CLOSED));
        }
    }

    @Test
    void refusesWritesWhenReadOnly() {
        if (!survivesClose()) {
            return;
        }
        open(false).close();
        try (Disk disk = open(true)) {
            assertThat(disk.traits().readOnly()).isTrue();
            int sector = disk.traits().sectorBytes();
            for (Runnable request : List.<Runnable>of(
                    () -> disk.write(0, IoMemory.allocate(sector), false), () -> disk.zero(0, sector, true))) {
                assertThatThrownBy(request::run)
                        .isInstanceOfSatisfying(
                                DiskException.class, e -> assertThat(e.kind()).isEqualTo(DiskException.Kind.READ_ONLY));
            }
            disk.flush();
            assertThat(read(disk, 0, SIZE)).isEqualTo(initial());
        }
    }

    @Test
    void keepsItsIdentity() {
        UUID identity;
        try (Disk disk = open(false)) {
            identity = disk.traits().identity();
        }
        if (survivesClose()) {
            try (Disk again = open(false)) {
                assertThat(again.traits().identity()).isEqualTo(identity);
            }
        }
    }

    @Test
    void servesManyThreadsAtOnce() throws Exception {
        int threads = 4;
        byte[] model = initial();
        try (Disk disk = open(false);
                var pool = Executors.newFixedThreadPool(threads)) {
            int sector = disk.traits().sectorBytes();
            int sectors = SIZE / sector;
            var done = new ArrayList<Future<?>>();
            for (int t = 0; t < threads; t++) {
                int mine = t;
                done.add(pool.submit(() -> {
                    var random = new Random(mine);
                    for (int i = 0; i < 150; i++) {
                        // Each thread has every fourth sector, so that all share all blocks.
                        int s = random.nextInt(sectors / threads) * threads + mine;
                        byte[] data = new byte[sector];
                        random.nextBytes(data);
                        disk.write((long) s * sector, IoMemory.of(data), i % 40 == 0);
                        synchronized (model) {
                            System.arraycopy(data, 0, model, s * sector, sector);
                        }
                        assertThat(read(disk, (long) s * sector, sector)).isEqualTo(data);
                        if (i % 50 == 0) {
                            disk.flush();
                        }
                    }
                }));
            }
            for (Future<?> f : done) {
                f.get();
            }
            assertThat(read(disk, 0, SIZE)).isEqualTo(model);
        }
    }
}
