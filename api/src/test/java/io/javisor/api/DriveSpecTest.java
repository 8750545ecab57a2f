package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoLimits;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.disk.Progress;
import io.javisor.storage.scsi.DiskUnit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Drives of a machine that is described, and of one that does not run. */
class DriveSpecTest {
    @TempDir
    private Path folder;

    private static MachineBuilder machine() {
        return VirtualMachine.builder("m").linux(l -> l.debian("6.12-cloud"));
    }

    @Test
    void aDescriptionHasItsDrivesInOrder() {
        MachineSpec spec = machine()
                .disk(Path.of("a.raw"))
                .dvd(Path.of("b.iso"))
                .disk(
                        Path.of("c.vhdx"),
                        d -> d.overlay()
                                .iops(100)
                                .minimumIops(50)
                                .bandwidth(1 << 20)
                                .at(2, 7))
                .spec();
        assertThat(spec.drives()).hasSize(3);
        assertThat(spec.needsHyperV()).isTrue();
        DriveSpec last = spec.drives().getLast();
        assertThat(last.limits()).isEqualTo(new IoLimits(100, 1 << 20, 50));
        assertThat(last.address()).isEqualTo(new DriveAddress(2, 7));
        assertThat(last.options().readOnly()).as("the file under an overlay").isTrue();
        assertThat(spec.drives().stream().map(DriveSpec::writesFile)).containsExactly(true, false, false);
        assertThat(spec.drives().get(1).options().sectorBytes()).isEqualTo(2048);
        assertThat(machine().spec().needsHyperV()).isFalse();
    }

    @Test
    void theBuiltInitrdLoadsTheDrivers() {
        assertThat(machine().disk(Path.of("a")).dvd().spec().linux().initrd())
                .isEqualTo(new LinuxSpec.Initrd.Busybox(List.of("sd_mod", "sr_mod")));
        assertThat(machine().spec().linux().initrd()).isEqualTo(new LinuxSpec.Initrd.Busybox(List.of()));
    }

    @Test
    void allProblemsAreReportedAtOnce() {
        var wrong = machine()
                .disk(Path.of("a"), d -> d.sectorBytes(1024))
                .disk(Path.of("b.vhdx"), d -> d.sectorBytes(4096))
                .disk(Path.of("c"), d -> d.readOnly().overlay())
                .disk(Path.of("d"), d -> d.iops(-1))
                .disk(Path.of("e"), d -> d.at(4, 64))
                .disk(Path.of("f"), d -> d.at(0, 1))
                .disk(Path.of("g"), d -> d.at(0, 1));
        SpecException e = catchThrowableOfType(SpecException.class, wrong::spec);
        assertThat(e.problems().stream().map(SpecException.Problem::path))
                .containsExactly(
                        "drives[0].sectorBytes",
                        "drives[1].sectorBytes",
                        "drives[2].overlay",
                        "drives[3].limits",
                        "drives[4].controller",
                        "drives[4].lun",
                        "drives[6].at");
    }

    @Test
    void drivesWithoutAPlaceTakeThoseThatAreLeft() {
        var disks = new Disks(machine()
                .disk(Path.of("a"))
                .disk(Path.of("b"), d -> d.at(0, 0))
                .disk(Path.of("c"))
                .spec());
        assertThat(disks.list().stream().map(Drive::toString))
                .containsExactly("disk b at 0:0", "disk a at 0:1", "disk c at 0:2");
        assertThatThrownBy(
                        () -> disks.add(DriveSpec.builder(Path.of("d")).at(0, 1).build()))
                .isInstanceOfSatisfying(
                        HypervisorException.class,
                        thrown -> assertThat(thrown.code()).isEqualTo("drive-address"));
    }

    @Test
    void aMachineHas256DrivesAndNoMore() {
        MachineBuilder many = machine();
        for (int i = 0; i < 256; i++) {
            many.disk(Path.of("d" + i));
        }
        var disks = new Disks(many.spec());
        assertThat(disks.list().getLast().address()).isEqualTo(new DriveAddress(3, 63));
        assertThatThrownBy(() -> disks.add(DriveSpec.disk(Path.of("x")))).hasMessageContaining("no place");
        assertThatThrownBy(() -> many.disk(Path.of("x")).spec()).hasMessageContaining("are 257");
    }

    @Test
    void aMissingFileIsFoundBeforeAnythingStarts() throws Exception {
        var disks = new Disks(machine().disk(folder.resolve("absent")).spec());
        assertThatThrownBy(disks::check)
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("no such file")
                .hasMessageContaining("check the path");
    }

    @Test
    void filesAreOpenFromStartToStop() throws Exception {
        Path file = folder.resolve("a.vhdx");
        DiskImage.create(file, ImageSpec.dynamic(ImageFormat.VHDX, 8 << 20));
        var disks = new Disks(machine().disk(file).spec());
        disks.check();
        disks.open();
        disks.open();
        assertThatThrownBy(() -> DiskImage.open(file)).hasMessageContaining("in use");
        Drive drive = disks.list().getFirst();
        assertThat(disks.remove(drive)).isTrue();
        assertThat(disks.remove(drive)).isFalse();
        DiskImage.open(file).close();
        Drive again = disks.add(DriveSpec.disk(file));
        assertThatThrownBy(() -> DiskImage.open(file)).hasMessageContaining("in use");
        disks.close();
        DiskImage.open(file).close();
        assertThat(disks.list()).containsExactly(again);
        assertThat(again.statistics().writes()).isZero();
    }

    /** A disk that takes its time misses its minimum: the statistics and an event say so, until the minimum is changed. */
    @Test
    @Timeout(120)
    void aMissedMinimumIsTold() throws Exception {
        Path file = folder.resolve("slow.raw");
        DiskImage.create(file, ImageSpec.dynamic(ImageFormat.RAW, 1 << 20));
        var disks = new Disks(
                machine().disk(file, d -> d.minimumIops(IoLimits.MOST_IOPS)).spec());
        var told = new LinkedBlockingQueue<MachineEvent>();
        disks.tell(told::add);
        disks.open();
        Drive drive = disks.list().getFirst();
        Disk disk = ((DiskUnit) drive.open("m")).disk();
        IoMemory memory = IoMemory.allocate(256 << 10);
        MachineEvent event;
        do {
            disk.read(0, memory);
        } while ((event = told.poll()) == null);
        assertThat(event).isInstanceOfSatisfying(MachineEvent.DiskMinimumChanged.class, e -> {
            assertThat(e.drive()).isEqualTo(new DriveAddress(0, 0));
            assertThat(e.minimum()).isEqualTo(IoLimits.MOST_IOPS);
            assertThat(e.below()).isTrue();
        });
        assertThat(drive.statistics().minimumMisses()).isPositive();
        drive.limit(IoLimits.NONE);
        assertThat(drive.statistics().belowMinimum()).isFalse();
        assertThat(drive.statistics().minimumMisses()).isPositive();
        disks.close();
    }

    @Test
    void oneBadImageClosesTheOthers() throws Exception {
        Path good = folder.resolve("a.vhdx");
        DiskImage.create(good, ImageSpec.dynamic(ImageFormat.VHDX, 8 << 20));
        Path bad = Files.writeString(folder.resolve("b.vhdx"), "this is no VHDX");
        var disks = new Disks(machine().disk(good).disk(bad).spec());
        assertThatThrownBy(disks::open).isInstanceOf(DiskException.class);
        DiskImage.open(good).close();
    }

    @Test
    void aDiskMovesAndStaysWhatItWas() throws Exception {
        Path from = folder.resolve("a.raw");
        DiskImage.create(from, ImageSpec.dynamic(ImageFormat.RAW, 8 << 20));
        Path to = folder.resolve("b.vhdx");
        var disks = new Disks(machine().disk(from).spec());
        Drive drive = disks.list().getFirst();
        assertThatThrownBy(() -> drive.move(to, ImageSpec.Layout.DYNAMIC, Progress.NONE))
                .hasMessageContaining("not in use");
        disks.open();
        UUID identity = drive.open("m").identity();
        assertThatThrownBy(() -> drive.move(to, ImageSpec.Layout.DYNAMIC, (_, _) -> {
                    throw new IllegalStateException("enough");
                }))
                .hasMessage("enough");
        assertThat(to).doesNotExist();
        drive.move(to, ImageSpec.Layout.DYNAMIC, Progress.NONE);
        DiskImage.open(from).close();
        disks.close();
        disks.open();
        assertThat(drive.path()).contains(to);
        assertThat(drive.open("m").identity()).isEqualTo(identity);
        assertThatThrownBy(() -> DiskImage.open(to)).hasMessageContaining("in use");

        Path third = folder.resolve("c.vhdx");
        assertThatThrownBy(() -> drive.moveAndDelete(third, ImageSpec.Layout.DYNAMIC, (_, _) -> {
                    throw new IllegalStateException("enough");
                }))
                .hasMessage("enough");
        assertThat(to).exists();
        assertThat(third).doesNotExist();
        drive.moveAndDelete(third, ImageSpec.Layout.DYNAMIC, Progress.NONE);
        assertThat(to).doesNotExist();
        assertThat(drive.path()).contains(third);
        assertThatThrownBy(() -> DiskImage.open(third)).hasMessageContaining("in use");
        disks.close();
    }

    @Test
    void dvdsAreChangedAndUnitsAreLent() throws Exception {
        Path iso = Files.write(folder.resolve("a.iso"), new byte[64 << 10]);
        var disks = new Disks(machine().dvd().spec());
        Drive dvd = disks.list().getFirst();
        dvd.insert(iso);
        disks.open();
        dvd.eject();
        dvd.insert(iso);
        try (var disk = DiskImage.memory("lent", 1 << 20, 512)) {
            Drive lent = disks.add(new DiskUnit(disk));
            assertThatThrownBy(() -> lent.insert(iso)).hasMessageContaining("no DVD drive");
            assertThat(lent.spec()).isEmpty();
            disks.close();
            disk.flush();
        }
    }
}
