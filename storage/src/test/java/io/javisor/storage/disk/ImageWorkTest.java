package io.javisor.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageWorkTest {
    private static final int SIZE = 10 << 20;

    @TempDir
    Path folder;

    private static byte[] fill(Disk disk, long seed, int requests) {
        var random = new Random(seed);
        byte[] all = DiskContract.read(disk, 0, (int) disk.size());
        for (int i = 0; i < requests; i++) {
            byte[] part = new byte[512 * (1 + random.nextInt(500))];
            random.nextBytes(part);
            int at = 512 * random.nextInt((all.length - part.length) / 512);
            disk.write(at, IoMemory.of(part), false);
            System.arraycopy(part, 0, all, at, part.length);
        }
        return all;
    }

    private static byte[] contents(Path path) {
        try (Disk disk = DiskImage.open(path, DiskOptions.DEFAULT.withReadOnly(true))) {
            return DiskContract.read(disk, 0, (int) disk.size());
        }
    }

    private static void isSound(Path path) {
        assertThat(ImageWork.check(path).problems()).isEmpty();
    }

    private Path make(String name, ImageSpec spec) {
        Path path = folder.resolve(name);
        DiskImage.create(path, spec);
        return path;
    }

    @ParameterizedTest
    @CsvSource({
        "a.img, b.vhdx, DYNAMIC",
        "a.vhdx, b.vhd, DYNAMIC",
        "a.vhd, b.img, DYNAMIC",
        "a.vhdx, b.vhdx, FIXED",
        "a.vhd, b.vhd, FIXED"
    })
    void convertKeepsTheContents(String from, String to, ImageSpec.Layout layout) {
        Path source = make(from, ImageSpec.dynamic(ImageFormat.of(Path.of(from)), SIZE));
        byte[] all;
        try (Disk disk = DiskImage.open(source)) {
            all = fill(disk, 1, 8);
        }
        var told = new AtomicLong();
        Path target = folder.resolve(to);
        ImageWork.convert(source, DiskOptions.DEFAULT, target, layout, (done, total) -> {
            assertThat(done).isBetween(told.get(), total);
            told.set(done);
        });
        assertThat(told).hasValue(SIZE);
        assertThat(contents(target)).isEqualTo(all);
        isSound(target);
        assertThat(ImageWork.inspect(target).layout()).isEqualTo(layout);
    }

    @Test
    void aConversionThatIsEndedLeavesNothing() {
        Path source = make("a.img", ImageSpec.dynamic(ImageFormat.RAW, SIZE));
        Path target = folder.resolve("b.vhdx");
        assertThatThrownBy(() -> ImageWork.convert(
                        source, DiskOptions.DEFAULT, target, ImageSpec.Layout.DYNAMIC, (done, total) -> {
                            throw new IllegalStateException("enough");
                        }))
                .hasMessage("enough");
        assertThat(target).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"a.img, DYNAMIC", "a.vhd, DYNAMIC", "a.vhd, FIXED", "a.vhdx, DYNAMIC", "a.vhdx, FIXED"})
    void resizeGrowsAndShrinks(String name, ImageSpec.Layout layout) {
        ImageFormat format = ImageFormat.of(Path.of(name));
        var spec = layout == ImageSpec.Layout.FIXED ? ImageSpec.fixed(format, SIZE) : ImageSpec.dynamic(format, SIZE);
        Path path = make(name, format == ImageFormat.RAW ? spec : spec.withBlockBytes(1 << 20));
        byte[] all;
        try (Disk disk = DiskImage.open(path)) {
            all = fill(disk, 2, 20);
        }
        int bigger = SIZE + (3 << 20) + 512 * 7;
        ImageWork.resize(path, bigger, false);
        assertThat(contents(path)).isEqualTo(Arrays.copyOf(all, bigger));
        isSound(path);
        try (Disk disk = DiskImage.open(path)) {
            disk.write(bigger - 512, IoMemory.of(Arrays.copyOf(new byte[] {1, 2, 3}, 512)), true);
        }
        assertThatThrownBy(() -> ImageWork.resize(path, SIZE / 2 - 512, false))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("has contents at");
        ImageWork.resize(path, SIZE / 2 - 512, true);
        byte[] half = Arrays.copyOf(all, SIZE / 2 - 512);
        assertThat(contents(path)).isEqualTo(half);
        isSound(path);
        ImageWork.resize(path, SIZE, false);
        assertThat(contents(path)).as("what was cut off is gone").isEqualTo(Arrays.copyOf(half, SIZE));
        isSound(path);
    }

    @Test
    void resizeMovesABatThatIsTooSmall() {
        // 1 MiB of BAT has room for 128 GiB in blocks of 1 MiB.
        Path path = make("a.vhdx", ImageSpec.dynamic(ImageFormat.VHDX, 1L << 30).withBlockBytes(1 << 20));
        byte[] data = new byte[512];
        new Random(1).nextBytes(data);
        try (Disk disk = DiskImage.open(path)) {
            disk.write((1L << 30) - 512, IoMemory.of(data), false);
        }
        long size = 1L << 40;
        ImageWork.resize(path, size, false);
        isSound(path);
        try (Disk disk = DiskImage.open(path)) {
            assertThat(disk.size()).isEqualTo(size);
            assertThat(DiskContract.read(disk, (1L << 30) - 512, 512)).isEqualTo(data);
            disk.write(size - 512, IoMemory.of(data), false);
            assertThat(DiskContract.read(disk, size - 512, 512)).isEqualTo(data);
        }
        isSound(path);
        assertThat(ImageWork.inspect(path).fileBytes()).isLessThan(64L << 20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"vhd", "vhdx"})
    void mergeGivesTheParentWhatTheChildHas(String extension) throws IOException {
        Path parent = make("p." + extension, ImageSpec.dynamic(ImageFormat.of(Path.of("x." + extension)), SIZE));
        try (Disk disk = DiskImage.open(parent)) {
            fill(disk, 3, 10);
        }
        Path child = make("c." + extension, ImageSpec.differencing(parent));
        byte[] all;
        try (Disk disk = DiskImage.open(child)) {
            all = fill(disk, 4, 10);
            disk.zero(1 << 20, 3 << 20, true);
            Arrays.fill(all, 1 << 20, 4 << 20, (byte) 0);
            disk.zero(512 * 3, 512, true);
            Arrays.fill(all, 512 * 3, 512 * 4, (byte) 0);
        }
        assertThat(ImageWork.merge(child, DiskOptions.DEFAULT, Progress.NONE)).isEqualTo(parent.toRealPath());
        assertThat(contents(parent)).isEqualTo(all);
        assertThat(contents(child)).as("still the same, and opens").isEqualTo(all);
        isSound(parent);
        isSound(child);
    }

    @Test
    void aMergeThatIsCutOffCanBeTakenUpAgain() {
        Path parent = make("p.vhdx", ImageSpec.dynamic(ImageFormat.VHDX, SIZE));
        Path child = make("c.vhdx", ImageSpec.differencing(parent));
        byte[] all;
        try (Disk disk = DiskImage.open(child)) {
            all = fill(disk, 5, 10);
        }
        assertThatThrownBy(() -> ImageWork.merge(child, DiskOptions.DEFAULT, (done, total) -> {
                    if (done > total / 2) {
                        throw new IllegalStateException("power cut");
                    }
                }))
                .hasMessage("power cut");
        assertThat(contents(child)).isEqualTo(all);
        ImageWork.merge(child, DiskOptions.DEFAULT, Progress.NONE);
        assertThat(contents(parent)).isEqualTo(all);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.img", "a.vhd", "a.vhdx"})
    void compactGivesSpaceBack(String name) {
        Path path = make(name, ImageSpec.dynamic(ImageFormat.of(Path.of(name)), SIZE));
        byte[] all = new byte[SIZE];
        byte[] mib = new byte[1 << 20];
        new Random(6).nextBytes(mib);
        try (Disk disk = DiskImage.open(path)) {
            for (int i = 0; i < 10; i++) {
                disk.write(i << 20, IoMemory.of(mib), false);
            }
            byte[] zeroes = new byte[9 << 20];
            disk.write(0, IoMemory.of(zeroes), false); // written, so no hole anybody knows of
            System.arraycopy(mib, 0, all, 9 << 20, 1 << 20);
        }
        ImageDescription before = ImageWork.inspect(path);
        ImageWork.compact(path);
        ImageDescription after = ImageWork.inspect(path);
        assertThat(after.allocatedBytes()).isLessThan(before.allocatedBytes() - (2 << 20));
        assertThat(after.identity().equals(before.identity())).isEqualTo(true);
        assertThat(contents(path)).isEqualTo(all);
        isSound(path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"vhd", "vhdx"})
    void compactedParentsAndChildrenStillFit(String extension) {
        Path parent = make("p." + extension, ImageSpec.dynamic(ImageFormat.of(Path.of("x." + extension)), SIZE));
        try (Disk disk = DiskImage.open(parent)) {
            fill(disk, 7, 10);
        }
        Path child = make("c." + extension, ImageSpec.differencing(parent));
        byte[] all;
        try (Disk disk = DiskImage.open(child)) {
            all = fill(disk, 8, 6);
            disk.zero(0, 2 << 20, true);
            Arrays.fill(all, 0, 2 << 20, (byte) 0);
        }
        ImageWork.compact(parent);
        assertThat(contents(child)).isEqualTo(all);
        ImageWork.compact(child);
        assertThat(contents(child)).as("zeroes still hide the parent").isEqualTo(all);
        isSound(parent);
        isSound(child);
    }

    @Test
    void inspectTellsWhatThereIs() {
        Path parent =
                make("p.vhdx", ImageSpec.dynamic(ImageFormat.VHDX, 1L << 40).withSectorBytes(4096));
        Path child = make("c.vhdx", ImageSpec.differencing(parent));
        ImageDescription d = ImageWork.inspect(child);
        assertThat(d.layout()).isEqualTo(ImageSpec.Layout.DIFFERENCING);
        assertThat(d.size()).isEqualTo(1L << 40);
        assertThat(d.sectorBytes()).isEqualTo(4096);
        assertThat(d.blockBytes()).isEqualTo(2 << 20);
        assertThat(d.parents()).first().isEqualTo(".\\p.vhdx");
        assertThat(d.logInUse()).isFalse();
        assertThat(ImageWork.inspect(parent).identity())
                .as("a child is the same disk")
                .isEqualTo(d.identity());
    }

    @Test
    void checkFindsOverlapsAndLeaks() throws IOException {
        Path path = make("a.vhdx", ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withBlockBytes(1 << 20));
        try (Disk disk = DiskImage.open(path)) {
            fill(disk, 9, 10);
        }
        isSound(path);
        try (var file = Files.newByteChannel(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer first = ByteBuffer.allocate(8);
            file.position(3 << 20).read(first);
            file.position((3 << 20) + 8).write(first.flip()); // the second block lies where the first does
        }
        CheckReport report = ImageWork.check(path);
        assertThat(report.problems()).singleElement().asString().contains("0x300008", "block 1", "over something else");
        assertThat(report.leakedBytes()).isEqualTo(1 << 20);
    }

    @Test
    void anImageHasOneWriterOrManyReaders() {
        Path path = make("a.vhdx", ImageSpec.dynamic(ImageFormat.VHDX, SIZE));
        try (Disk writer = DiskImage.open(path)) {
            for (boolean readOnly : new boolean[] {true, false}) {
                assertThatThrownBy(() -> DiskImage.open(path, DiskOptions.DEFAULT.withReadOnly(readOnly)))
                        .isInstanceOfSatisfying(
                                DiskException.class, e -> assertThat(e.kind()).isEqualTo(DiskException.Kind.BUSY));
            }
            assertThat(writer.size()).isEqualTo(SIZE);
        }
        try (Disk one = DiskImage.open(path, DiskOptions.DEFAULT.withReadOnly(true));
                Disk two = DiskImage.open(path, DiskOptions.DEFAULT.withReadOnly(true))) {
            assertThat(one.size()).isEqualTo(two.size());
            assertThatThrownBy(() -> DiskImage.open(path)).isInstanceOf(DiskException.class);
        }
        DiskImage.open(path).close();
    }

    @Test
    void aDiskOf64TebibytesIsWrittenAtItsEnd() {
        Path path =
                make("huge.vhdx", ImageSpec.dynamic(ImageFormat.VHDX, 64L << 40).withBlockBytes(1 << 20));
        byte[] data = new byte[4096];
        new Random(3).nextBytes(data);
        try (Disk disk = DiskImage.open(path)) {
            for (long at : new long[] {0, 32L << 40, (64L << 40) - 4096}) {
                disk.write(at, IoMemory.of(data), false);
            }
        }
        try (Disk disk = DiskImage.open(path)) {
            assertThat(DiskContract.read(disk, (64L << 40) - 4096, 4096)).isEqualTo(data);
            assertThat(disk.extent(1 << 20, 1L << 40)).isEqualTo(new Extent(Extent.Kind.ZERO, 1L << 40));
        }
    }
}
