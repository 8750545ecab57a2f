package io.javisor.storage.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.vhd.VhdCreation;
import io.javisor.storage.vhd.VhdDisk;
import io.javisor.storage.vhdx.VhdxCreation;
import io.javisor.storage.vhdx.VhdxDisk;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CrashTest {
    private static final int SIZE = 4 << 20;
    private static final int REQUESTS = 90;
    private static final int SPREAD = 1500;

    @TempDir
    Path folder;

    private Disk parent() {
        return DiskImage.open(folder.resolve("parent"), DiskOptions.DEFAULT.withReadOnly(true));
    }

    private CrashHarness dynamicVhdx() {
        var file = new PagedFile();
        VhdxCreation.create(
                file,
                folder.resolve("d.vhdx"),
                ImageSpec.dynamic(ImageFormat.VHDX, SIZE).withBlockBytes(1 << 20));
        return new CrashHarness(file, SIZE, new long[SIZE / 512], f -> VhdxDisk.open(f, (_, _) -> parent()));
    }

    private long[] makeParent(Path named, ImageFormat format) {
        DiskImage.create(named, ImageSpec.dynamic(format, SIZE).withBlockBytes(1 << 20));
        long[] stamps = new long[SIZE / 512];
        DiskImage.create(folder.resolve("parent"), ImageSpec.dynamic(ImageFormat.RAW, SIZE));
        try (Disk raw = DiskImage.open(folder.resolve("parent"))) {
            for (int s = 100; s < stamps.length; s += 3) {
                stamps[s] = 1_000_000L + s;
                raw.write(s * 512L, IoMemory.of(CrashHarness.sectors(stamps[s], 1)), false);
            }
        }
        return stamps;
    }

    private static void survives(CrashHarness harness, long seed, int times) {
        harness.record(seed, REQUESTS, SPREAD);
        harness.pullThePlugEverywhere(seed, times, true);
        assertThat(harness.cuts()).isGreaterThan(500);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void dynamicVhdxSurvives(long seed) {
        survives(dynamicVhdx(), seed, 5);
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 4})
    void differencingVhdxSurvives(long seed) {
        Path named = folder.resolve("p.vhdx");
        long[] stamps = makeParent(named, ImageFormat.VHDX);
        var file = new PagedFile();
        VhdxCreation.create(
                file, folder.resolve("c.vhdx"), ImageSpec.differencing(named).withBlockBytes(1 << 20));
        survives(new CrashHarness(file, SIZE, stamps, f -> VhdxDisk.open(f, (_, _) -> parent())), seed, 5);
    }

    @ParameterizedTest
    @ValueSource(longs = {5})
    void dynamicVhdSurvives(long seed) {
        var file = new PagedFile();
        VhdCreation.create(
                file,
                folder.resolve("d.vhd"),
                ImageSpec.dynamic(ImageFormat.VHD, SIZE).withBlockBytes(1 << 19));
        survives(
                new CrashHarness(file, SIZE, new long[SIZE / 512], f -> VhdDisk.open(f, (_, _, _) -> parent())),
                seed,
                6);
    }

    @ParameterizedTest
    @ValueSource(longs = {6})
    void differencingVhdSurvives(long seed) {
        Path named = folder.resolve("p.vhd");
        long[] stamps = makeParent(named, ImageFormat.VHD);
        var file = new PagedFile();
        VhdCreation.create(
                file, folder.resolve("c.vhd"), ImageSpec.differencing(named).withBlockBytes(1 << 19));
        survives(new CrashHarness(file, SIZE, stamps, f -> VhdDisk.open(f, (_, _, _) -> parent())), seed, 6);
    }

    @Test
    void theHarnessNoticesWhenFlushesDoNothing() {
        CrashHarness harness = dynamicVhdx();
        harness.record(1, REQUESTS, SPREAD);
        assertThatThrownBy(() -> harness.pullThePlugEverywhere(1, 5, false))
                .isInstanceOfAny(AssertionError.class, io.javisor.storage.disk.DiskException.class);
    }
}
