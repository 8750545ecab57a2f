package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.Drive;
import io.javisor.api.DriveSpec;
import io.javisor.api.Outcome;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.boot.debian.DebianPackages;
import io.javisor.lab.junit.LabTest;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.DiskStatistics;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.ImageWork;
import io.javisor.storage.disk.IoLimits;
import io.javisor.storage.disk.IoMemory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/** Disks of all formats under the drivers of stock kernels: what the guest says of them, and what the host finds in their files. */
@LabTest(
        guests = {"6.1", "6.12-cloud"},
        packages = "qemu-utils")
class DisksInGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(4); // a busy machine boots a guest in two
    private static final int MIB = 1 << 20;

    private Path folder;

    @BeforeEach
    void makeFolder() throws Exception {
        // Memory that can punch holes; the lab's other files lie on an overlay.
        folder = Files.createTempDirectory(Path.of("/dev/shm"), "disks");
    }

    @AfterEach
    void removeFolder() throws Exception {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    private Path random(String name, int bytes) throws Exception {
        byte[] contents = new byte[bytes];
        new Random(name.hashCode()).nextBytes(contents);
        return Files.write(folder.resolve(name), contents);
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    /** What is on a disk that no machine uses. */
    private static String sha256(Path image, ImageFormat format) throws Exception {
        try (Disk disk =
                DiskImage.open(image, DiskOptions.DEFAULT.withFormat(format).withReadOnly(true))) {
            IoMemory all = IoMemory.allocate(disk.size());
            disk.read(0, all);
            return sha256(all.toByteArray());
        }
    }

    private static String qemuImg(String... words) throws Exception {
        Path root = DebianPackages.open().unpack("qemu-utils");
        String libraries = "lib/x86_64-linux-gnu";
        var command = new ArrayList<>(List.of(
                root.resolve(libraries + "/ld-linux-x86-64.so.2").toString(),
                "--library-path",
                root.resolve(libraries) + ":" + root.resolve("usr/" + libraries),
                root.resolve("usr/bin/qemu-img").toString()));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", command, said).isZero();
        return said;
    }

    @Test
    void aGuestFindsItsDisksAndWhatItWritesIsThere() throws Exception {
        findsItsDisks("6.1");
    }

    @Test
    @Tag("long")
    void aLaterKernelFindsItsDisksToo() throws Exception {
        findsItsDisks("6.12-cloud");
    }

    private void findsItsDisks(String kernel) throws Exception {
        Path raw = folder.resolve("a.raw");
        DiskImage.create(raw, ImageSpec.fixed(ImageFormat.RAW, 64 * MIB));
        Path vhdx = folder.resolve("b.vhdx");
        DiskImage.create(vhdx, ImageSpec.dynamic(ImageFormat.VHDX, 96 * MIB).withBlockBytes(MIB));
        Path readOnly = random("c.raw", 4 * MIB);
        Path base = random("d.raw", 4 * MIB);
        Path large = folder.resolve("e.raw");
        DiskImage.create(large, ImageSpec.dynamic(ImageFormat.RAW, 32 * MIB));
        Path vhd = folder.resolve("f.vhd");
        DiskImage.create(vhd, ImageSpec.dynamic(ImageFormat.VHD, 32 * MIB));
        Path iso = IsoImage.write(folder.resolve("g.iso"), "HELLO.TXT", "read from a DVD");
        String baseBefore = sha256(Files.readAllBytes(base));

        String written;
        try (VirtualMachine vm = VirtualMachine.builder("disks")
                .linux(l -> l.debian(kernel).modules("ext4", "isofs"))
                .vcpus(2)
                .disk(raw)
                .disk(vhdx)
                .disk(readOnly, d -> d.readOnly())
                .disk(base, d -> d.overlay())
                .disk(large, d -> d.sectorBytes(4096))
                .disk(vhd)
                .dvd(iso)
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            var guest = new GuestShell(vm);
            String a = guest.device(0);
            String b = guest.device(1);
            String c = guest.device(2);
            String d = guest.device(3);
            String e = guest.device(4);
            String f = guest.device(5);
            String sr = guest.device(6);

            // What the kernel says of them.
            assertThat(vm.console().tail(50)).doesNotContain("modules not loaded");
            assertThat(guest.run("sed 's/ .*//' /proc/modules")).contains("hv_storvsc", "sd_mod", "sr_mod", "isofs");
            assertThat(guest.run("cat /proc/filesystems")).contains("\text2\n", "\tiso9660"); // 6.12 has ext4 built in
            assertThat(guest.run("cat /sys/block/" + a + "/size")).isEqualTo("131072");
            assertThat(guest.run("cat /sys/block/" + b + "/size")).isEqualTo("196608");
            assertThat(guest.run("cat /sys/block/" + a + "/queue/logical_block_size /sys/block/" + e
                            + "/queue/logical_block_size"))
                    .isEqualTo("512\n4096");
            assertThat(guest.run("cat /sys/block/" + e + "/size")).isEqualTo("65536");
            assertThat(guest.run("cat /sys/block/" + c + "/ro /sys/block/" + a + "/ro"))
                    .isEqualTo("1\n0");
            assertThat(guest.run("cat /sys/block/" + a + "/device/vendor /sys/block/" + a + "/device/model"))
                    .matches("Msft *\nVirtual Disk *");
            assertThat(guest.run("cat /sys/block/" + a + "/queue/rotational /sys/block/" + a + "/queue/fua"
                            + " /sys/block/" + a + "/queue/write_cache"))
                    .isEqualTo("0\n1\nwrite back");
            assertThat(guest.run("cat /sys/block/" + a + "/queue/discard_max_bytes"))
                    .isEqualTo("1073741824");

            // Patterns, written and read back in the guest.
            for (String device : new String[] {a, b, e, f, d}) {
                guest.run("dd if=/dev/urandom of=/tmp/p bs=1M count=3 2>/dev/null;"
                        + " dd if=/tmp/p of=/dev/" + device + " bs=64k seek=7 conv=fsync,notrunc 2>/dev/null;"
                        + " echo 3 >/proc/sys/vm/drop_caches;"
                        + " dd if=/dev/" + device + " bs=64k skip=7 count=48 2>/dev/null | cmp - /tmp/p");
            }
            assertThat(guest.tryRun("dd if=/tmp/p of=/dev/" + c + " bs=64k count=1 conv=fsync 2>&1")
                            .exitCode())
                    .isNotZero();
            assertThat(guest.sha256("/dev/" + c)).isEqualTo(sha256(Files.readAllBytes(readOnly)));
            guest.run("mkdir -p /mnt/dvd && mount -t iso9660 -o ro /dev/" + sr + " /mnt/dvd");
            assertThat(guest.run("cat /mnt/dvd/hello.txt; umount /mnt/dvd")).isEqualTo("read from a DVD");

            // A file system, which outlives the guest's reset.
            guest.run("mke2fs -F /dev/" + a + " >/dev/null 2>&1 && mkdir -p /mnt/a && mount -t ext2 /dev/" + a
                    + " /mnt/a" + " && dd if=/dev/urandom of=/mnt/a/data bs=1M count=8 2>/dev/null && sync");
            written = guest.run("sha256sum </mnt/a/data; umount /mnt/a");
            if (kernel.equals("6.12-cloud")) {
                reset(vm, guest);
            }
            guest.run("mkdir -p /mnt/a && mount -t ext2 /dev/" + guest.device(0) + " /mnt/a");
            assertThat(guest.run("sha256sum </mnt/a/data; umount /mnt/a")).isEqualTo(written);

            // Discarding gives storage back to the host.
            long before = allocated(large);
            guest.run("blkdiscard /dev/" + guest.device(4));
            assertThat(allocated(large)).isLessThan(before - 2 * MIB);
            assertThat(guest.run("head -c 33554432 /dev/" + guest.device(4) + " | tr -d '\\000' | wc -c"))
                    .isEqualTo("0");

            // What is beyond a limit waits.
            Drive limited = vm.disks().at(0, 2).orElseThrow();
            limited.limit(new IoLimits(0, MIB));
            long begun = System.nanoTime();
            assertThat(guest.sha256("/dev/" + guest.device(2))).isEqualTo(sha256(Files.readAllBytes(readOnly)));
            assertThat(Duration.ofNanos(System.nanoTime() - begun))
                    .as("4 MiB at 1 MiB a second, of which a tenth may be saved up")
                    .isGreaterThan(Duration.ofMillis(3800));

            DiskStatistics done = vm.disks().list().getFirst().statistics();
            assertThat(done.writtenBytes()).isGreaterThan(11L * MIB);
            assertThat(done.readBytes()).isGreaterThan(11L * MIB);
            assertThat(done.flushes()).isPositive();
            assertThat(done.errors()).isZero();
            assertThat(vm.statistics().channels())
                    .as("what the controller's channels carried, in both boots")
                    .hasEntrySatisfying("scsi0", traffic -> {
                        assertThat(traffic.packetsIn()).isGreaterThan(100);
                        assertThat(traffic.bytesIn()).isGreaterThan(16 * traffic.packetsIn());
                        assertThat(traffic.packetsOut()).isBetween(traffic.packetsIn() / 2, 2 * traffic.packetsIn());
                        assertThat(traffic.signalsIn()).isPositive();
                        assertThat(traffic.signalsOut()).isBetween(1L, traffic.packetsOut());
                    });

            written = guest.sha256("/dev/" + guest.device(1));
            assertThat(vm.shutdown(Duration.ofSeconds(30))).isInstanceOf(Outcome.PoweredOff.class);
        }
        assertThat(sha256(Files.readAllBytes(base))).isEqualTo(baseBefore);
        assertThat(sha256(vhdx, ImageFormat.VHDX)).isEqualTo(written);
        for (Path image : new Path[] {raw, vhdx, vhd}) {
            assertThat(ImageWork.check(image).problems()).as("%s", image).isEmpty();
        }
        // The same seen by others.
        Path copy = folder.resolve("copy.raw");
        for (Path image : new Path[] {vhdx, vhd}) {
            String format = image.equals(vhdx) ? "vhdx" : "vpc";
            ImageWork.convert(image, DiskOptions.DEFAULT, copy, ImageSpec.Layout.DYNAMIC, (_, _) -> {});
            assertThat(qemuImg("compare", "-f", format, "-F", "raw", image.toString(), copy.toString()))
                    .contains("Images are identical");
            Files.delete(copy);
        }
        qemuImg("check", "-f", "vhdx", vhdx.toString());
    }

    private static void reset(VirtualMachine vm, GuestShell guest) throws InterruptedException {
        guest.run("sync; (sleep 0.2; echo b >/proc/sysrq-trigger) >/dev/null 2>&1 &");
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (vm.statistics().boots() < 2 && System.nanoTime() < deadline) {
            Thread.sleep(100);
        }
        vm.await(Wait.forShell(), PATIENCE);
    }

    private static long allocated(Path file) throws Exception {
        Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
        return 512
                * Long.parseLong(new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip());
    }

    @Test
    @Tag("long")
    void disksComeAndGoUnderLoad(TestReporter reporter) throws Exception {
        comeAndGo(12, reporter);
    }

    @Test
    @Tag("long")
    void disksComeAndGoAHundredTimes(TestReporter reporter) throws Exception {
        comeAndGo(100, reporter);
    }

    /** What it reports is a sign of life: the time that the lab gives a test is for one that hangs. */
    private void comeAndGo(int times, TestReporter reporter) throws Exception {
        Path main = folder.resolve("main.vhdx");
        DiskImage.create(main, ImageSpec.dynamic(ImageFormat.VHDX, 64 * MIB).withBlockBytes(MIB));
        Path guestDisk = random("guest.raw", 2 * MIB);
        String contents = sha256(Files.readAllBytes(guestDisk));
        try (VirtualMachine vm = VirtualMachine.builder("hot")
                .linux(l -> l.debian("6.12-cloud"))
                .vcpus(2)
                .disk(main)
                .build()) {
            vm.start().await(Wait.forShell(), PATIENCE);
            var guest = new GuestShell(vm);
            String device = guest.device(0);
            guest.run("dd if=/dev/urandom of=/tmp/load bs=256k count=32 2>/dev/null;"
                    + " (while :; do dd if=/tmp/load of=/dev/" + device + " bs=256k conv=fsync 2>/dev/null"
                    + " || echo failed >>/tmp/failed; done) >/dev/null 2>&1 &");
            for (int i = 0; i < times; i++) {
                if (i % 5 == 0) {
                    reporter.publishEntry("times", String.valueOf(i));
                }
                Drive drive =
                        vm.disks().add(DriveSpec.builder(guestDisk).at(0, 5).build());
                String name = guest.device(5);
                if (i % 6 == 0) {
                    assertThat(guest.sha256("/dev/" + name)).isEqualTo(contents);
                    // Pulled out while it is read: the reader ends with an error, and the guest goes on.
                    guest.run("(while dd if=/dev/" + name
                            + " of=/dev/null bs=64k 2>/dev/null; do :; done) >/dev/null 2>&1 &");
                }
                assertThat(vm.disks().remove(drive)).isTrue();
                assertThat(vm.disks().remove(drive)).isFalse();
                guest.run("for i in $(seq 200); do [ -e /sys/block/" + name + " ] || exit 0; sleep 0.1; done; exit 1");
            }
            assertThat(vm.disks().list()).hasSize(1);
            assertThatThrownBy(() -> vm.disks().add(DriveSpec.disk(folder.resolve("absent"))))
                    .isInstanceOf(DiskException.class);
            guest.run("[ ! -e /tmp/failed ]");
            assertThat(guest.run("dmesg"))
                    .doesNotContain("BUG:")
                    .doesNotContain("Call Trace")
                    .doesNotContain("I/O error, dev " + device);
            assertThat(vm.disks().list().getFirst().statistics().errors()).isZero();
            vm.kill();
        }
        assertThat(ImageWork.check(main).problems()).isEmpty();
    }
}
