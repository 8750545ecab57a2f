package io.javisor.storage.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskImageTest {
    @TempDir
    Path folder;

    /** A disk made by a spec, opened by its file. */
    abstract class OfFile extends DiskContract {
        abstract ImageSpec spec();

        abstract String name();

        DiskOptions options() {
            return DiskOptions.DEFAULT;
        }

        @Override
        protected Disk open(boolean readOnly) {
            Path path = folder.resolve(name());
            if (!Files.exists(path)) {
                DiskImage.create(path, spec());
            }
            return DiskImage.open(path, options().withReadOnly(readOnly));
        }
    }

    /** A differencing disk over a parent half full of random bytes. */
    abstract class Differencing extends OfFile {
        private final byte[] contents = new byte[SIZE];

        abstract ImageSpec parentSpec();

        Path parent() {
            return folder.resolve("parent-" + name());
        }

        @Override
        ImageSpec spec() {
            DiskImage.create(parent(), parentSpec());
            byte[] half = new byte[SIZE / 2 / 4096 * 4096];
            new Random(5).nextBytes(half);
            System.arraycopy(half, 0, contents, 4096, half.length);
            try (Disk disk = DiskImage.open(parent())) {
                disk.write(4096, IoMemory.of(half), false);
            }
            return ImageSpec.differencing(parent());
        }

        @Override
        protected byte[] initial() {
            if (!Files.exists(folder.resolve(name()))) {
                open(false).close();
            }
            return contents.clone();
        }
    }

    @Nested
    class Raw extends OfFile {
        @Override
        ImageSpec spec() {
            return ImageSpec.dynamic(ImageFormat.RAW, SIZE);
        }

        @Override
        String name() {
            return "disk.img";
        }
    }

    @Nested
    class RawDirect extends OfFile {
        @Override
        ImageSpec spec() {
            return ImageSpec.fixed(ImageFormat.RAW, SIZE);
        }

        @Override
        String name() {
            return "direct.img";
        }

        @Override
        DiskOptions options() {
            return DiskOptions.DEFAULT.withDirect(true).withSectorBytes(4096);
        }
    }

    @Nested
    class FixedVhd extends OfFile {
        @Override
        ImageSpec spec() {
            return ImageSpec.fixed(ImageFormat.VHD, SIZE);
        }

        @Override
        String name() {
            return "fixed.vhd";
        }
    }

    @Nested
    class DynamicVhd extends OfFile {
        @Override
        ImageSpec spec() {
            return ImageSpec.dynamic(ImageFormat.VHD, SIZE).withBlockBytes(1 << 19);
        }

        @Override
        String name() {
            return "dynamic.vhd";
        }
    }

    @Nested
    class DifferencingVhd extends Differencing {
        @Override
        ImageSpec parentSpec() {
            return ImageSpec.dynamic(ImageFormat.VHD, SIZE);
        }

        @Override
        String name() {
            return "differencing.vhd";
        }
    }

    @Nested
    class FixedVhdx extends OfFile {
        @Override
        ImageSpec spec() {
            return ImageSpec.fixed(ImageFormat.VHDX, SIZE).withBlockBytes(1 << 20);
        }

        @Override
        String name() {
            return "fixed.vhdx";
        }
    }

    @Nested
    class DynamicVhdx extends OfFile {
        @Override
        ImageSpec spec() {
            return ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withBlockBytes(1 << 20);
        }

        @Override
        String name() {
            return "dynamic.vhdx";
        }
    }

    @Nested
    class DynamicVhdxWithLargeSectors extends OfFile {
        @Override
        ImageSpec spec() {
            return ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withSectorBytes(4096);
        }

        @Override
        String name() {
            return "large.vhdx";
        }
    }

    @Nested
    class DifferencingVhdx extends Differencing {
        @Override
        ImageSpec parentSpec() {
            return ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withBlockBytes(1 << 20);
        }

        @Override
        ImageSpec spec() {
            return super.spec().withBlockBytes(1 << 20);
        }

        @Override
        String name() {
            return "differencing.vhdx";
        }
    }

    @Nested
    class Overlay extends Differencing {
        @Override
        ImageSpec parentSpec() {
            return ImageSpec.dynamic(ImageFormat.VHDX, SIZE);
        }

        @Override
        String name() {
            return "overlaid.vhdx";
        }

        @Override
        protected boolean survivesClose() {
            return false;
        }

        @Override
        protected Disk open(boolean readOnly) {
            if (!Files.exists(parent())) {
                var _ = spec();
            }
            return OverlayDisk.in(folder, DiskImage.open(parent(), DiskOptions.DEFAULT.withReadOnly(true)), true);
        }

        @Test
        void leavesTheDiskUnderneathAndTheFolderAlone() throws IOException {
            byte[] before = initial();
            byte[] file = Files.readAllBytes(parent());
            try (Disk overlay = open(false)) {
                overlay.write(0, IoMemory.of(new byte[1 << 20]), true);
                overlay.zero(1 << 20, 1 << 20, true);
            }
            assertThat(Files.readAllBytes(parent())).isEqualTo(file);
            try (Disk disk = DiskImage.open(parent())) {
                assertThat(DiskContract.read(disk, 0, SIZE)).isEqualTo(before);
            }
            try (var files = Files.list(folder)) {
                assertThat(files).containsExactly(parent());
            }
        }
    }

    @Test
    void aDiskInMemoryIsZeroesAndKeepsWrites() {
        try (Disk disk = DiskImage.memory("m", 1 << 20, 512)) {
            disk.write(512, IoMemory.of(new byte[512]), false);
            assertThat(DiskContract.read(disk, 0, 4096)).containsOnly(0);
        }
    }

    @Test
    void createLeavesFilesAloneThatAreThere() throws IOException {
        Path path = Files.writeString(folder.resolve("mine.vhdx"), "precious");
        assertThatThrownBy(() -> DiskImage.create(path, ImageSpec.dynamic(ImageFormat.VHDX, 1 << 20)))
                .isInstanceOf(DiskException.class)
                .hasMessageContainingAll("EEXIST", "another name");
        assertThat(path).hasContent("precious");
    }

    @Test
    void aRawFileOfHalfASectorIsRefusedWithTheRemedy() throws IOException {
        Path path = Files.write(folder.resolve("odd.img"), new byte[700]);
        assertThatThrownBy(() -> DiskImage.open(path))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("truncate");
    }

    @Test
    void aRawDiskIsNotTakenForAnImageByItsContents() throws IOException {
        Path vhdx = folder.resolve("inner.vhdx");
        DiskImage.create(vhdx, ImageSpec.dynamic(ImageFormat.VHDX, 1 << 20));
        Path raw = Files.copy(vhdx, folder.resolve("raw.img"));
        try (Disk disk = DiskImage.open(raw)) {
            assertThat(disk.size()).isEqualTo(Files.size(raw));
        }
    }

    @Test
    void aParentOutsideTheFolderIsRefusedUnlessAdmitted() throws IOException {
        Path outside = Files.createDirectory(folder.resolve("a"));
        Path inside = Files.createDirectory(folder.resolve("b"));
        Path parent = outside.resolve("secret.vhdx");
        Path child = inside.resolve("child.vhdx");
        DiskImage.create(parent, ImageSpec.dynamic(ImageFormat.VHDX, 1 << 20));
        DiskImage.create(child, ImageSpec.differencing(parent));
        assertThatThrownBy(() -> DiskImage.open(child))
                .isInstanceOfSatisfying(
                        DiskException.class, e -> assertThat(e.kind()).isEqualTo(DiskException.Kind.PARENT))
                .hasMessageContaining("not admitted");
        DiskImage.open(child, DiskOptions.DEFAULT.withParents(ParentPolicy.within(outside)))
                .close();
        // A symbolic link inside the folder does not help.
        Files.createSymbolicLink(inside.resolve("secret.vhdx"), parent);
        assertThatThrownBy(() -> DiskImage.open(child)).isInstanceOf(DiskException.class);
    }

    @Test
    void aChangedParentIsRefused() {
        for (String extension : new String[] {"vhdx"}) {
            Path parent = folder.resolve("p." + extension);
            Path child = folder.resolve("c." + extension);
            DiskImage.create(parent, ImageSpec.dynamic(ImageFormat.VHDX, 1 << 20));
            DiskImage.create(child, ImageSpec.differencing(parent));
            DiskImage.open(child).close();
            try (Disk disk = DiskImage.open(parent)) {
                disk.write(0, IoMemory.allocate(512), false);
            }
            assertThatThrownBy(() -> DiskImage.open(child))
                    .isInstanceOf(DiskException.class)
                    .hasMessageContaining("not the disk that the child was made for");
        }
    }

    @Test
    void chainsOfDifferencingDisksReadThrough() {
        Path before = folder.resolve("0.vhdx");
        DiskImage.create(before, ImageSpec.dynamic(ImageFormat.VHDX, 8 << 20));
        for (int i = 0; i < 4; i++) {
            Path path = folder.resolve(i + ".vhdx");
            if (i > 0) {
                DiskImage.create(path, ImageSpec.differencing(before));
            }
            try (Disk disk = DiskImage.open(path)) {
                byte[] data = new byte[512];
                data[0] = (byte) (i + 1);
                disk.write(i * 512L, IoMemory.of(data), false);
            }
            before = path;
        }
        try (Disk disk = DiskImage.open(before)) {
            for (int i = 0; i < 4; i++) {
                assertThat(DiskContract.read(disk, i * 512L, 512)[0]).isEqualTo((byte) (i + 1));
            }
        }
    }

    @Test
    void aRingOfDifferencingDisksEnds() throws IOException {
        Path a = folder.resolve("a.vhd");
        Path b = folder.resolve("b.vhd");
        DiskImage.create(a, ImageSpec.dynamic(ImageFormat.VHD, 1 << 20));
        DiskImage.create(b, ImageSpec.differencing(a));
        // b's parent is a; now a file named a whose parent has the same identity as itself
        byte[] ring = Files.readAllBytes(b);
        System.arraycopy(Files.readAllBytes(a), 68, ring, 68, 16);
        for (int at : new int[] {0, ring.length - 512}) {
            System.arraycopy(Files.readAllBytes(a), 68, ring, at + 68, 16);
            int sum = 0;
            for (int i = 0; i < 512; i++) {
                sum += i >= 64 && i < 68 ? 0 : ring[at + i] & 0xFF;
            }
            java.nio.ByteBuffer.wrap(ring).putInt(at + 64, ~sum);
        }
        Files.write(a, ring);
        assertThatThrownBy(() -> DiskImage.open(b))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("chain");
    }
}
