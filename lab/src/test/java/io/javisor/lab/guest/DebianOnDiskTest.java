package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.Outcome;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.DebianDisk;
import io.javisor.lab.junit.LabTest;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.ImageWork;
import io.javisor.storage.disk.ParentPolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A Debian 12 that boots from a VHDX to systemd, and what its tools for SCSI say of its disks. */
@Tag("long")
@LabTest(guests = DebianDisk.NAME, timeout = 600)
class DebianOnDiskTest {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final int MIB = 1 << 20;

    private final long begun = System.nanoTime();

    @Test
    void bootsToALoginUsesItsDisksAndReboots() throws Exception {
        Path folder = Files.createTempDirectory(Path.of("/dev/shm"), "debian");
        DebianDisk debian = DebianDisk.get();
        Path root = folder.resolve("root.vhdx");
        DiskImage.create(root, ImageSpec.differencing(debian.vhdx()));
        Path raw = folder.resolve("a.raw");
        DiskImage.create(raw, ImageSpec.fixed(ImageFormat.RAW, 64 * MIB));
        Path vhdx = folder.resolve("b.vhdx");
        DiskImage.create(vhdx, ImageSpec.dynamic(ImageFormat.VHDX, 64 * MIB).withBlockBytes(MIB));
        Path moved = folder.resolve("moved.vhdx");
        try (VirtualMachine vm = VirtualMachine.builder("debian")
                .linux(l -> l.kernel(debian.kernel()).initrd(debian.initrd()).append(DebianDisk.COMMAND_LINE))
                .vcpus(2)
                .memory(1L << 30)
                .disk(root, d -> d.parents(ParentPolicy.within(debian.folder(), folder)))
                .disk(raw)
                .disk(vhdx)
                .build()) {
            vm.start().await(Wait.forConsole(Pattern.compile("debian login:")), PATIENCE);
            vm.await(Wait.forShell(), PATIENCE);
            phase("up");
            var guest = new GuestShell(vm);
            assertThat(guest.run("systemctl is-system-running --wait")).isEqualTo("running");
            assertThat(guest.run("findmnt -no SOURCE,FSTYPE /")).matches("/dev/sd[abc] +ext4");
            assertThat(guest.run(
                            "for c in /sys/bus/vmbus/devices/*; do grep -q ba6163d9 $c/class_id && ls $c/channels; done"
                                    + " | wc -l"))
                    .as("a channel for each vCPU")
                    .isEqualTo("2");
            String a = "/dev/" + guest.device(1);
            String b = "/dev/" + guest.device(2);
            phase("running");
            inspects(guest, a);
            changes(guest, a);
            reserves(guest, a);
            copies(guest, a, b);
            phase("commands");
            guest.run("fio --name=v --filename=" + b + " --rw=randwrite --bssplit=4k/60:64k/30:1M/10 --iodepth=32"
                    + " --ioengine=libaio --direct=1 --size=48M --verify=crc32c --verify_fatal=1 --do_verify=1"
                    + " --randrepeat=1");
            phase("fio");
            // Moved to a file of another format while it is written.
            guest.run("(fio --name=m --filename=" + a
                    + " --rw=randwrite --bs=16k --iodepth=8 --ioengine=libaio --direct=1"
                    + " --size=32M --verify=crc32c --verify_fatal=1 --do_verify=1 --loops=2 >/tmp/fio 2>&1; echo $? >/tmp/fio.code)"
                    + " >/dev/null 2>&1 &");
            vm.disks().at(0, 1).orElseThrow().move(moved, ImageSpec.Layout.DYNAMIC, (_, _) -> {});
            assertThat(
                            guest.run(
                                    "for i in $(seq 600); do [ -s /tmp/fio.code ] && break; sleep 0.2; done; cat /tmp/fio.code"))
                    .isEqualTo("0");
            assertThat(vm.disks().at(0, 1).orElseThrow().path()).contains(moved);
            phase("moved");
            String sum = guest.run("sha256sum <" + a);

            guest.run("echo kept >/root/kept && sync; systemctl reboot >/dev/null 2>&1 &");
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (vm.statistics().boots() < 2 && System.nanoTime() < deadline) {
                Thread.sleep(200);
            }
            vm.await(Wait.forShell(), PATIENCE);
            phase("rebooted");
            assertThat(guest.run("cat /root/kept")).isEqualTo("kept");
            assertThat(guest.run("journalctl -b -u systemd-fsck-root -o cat")).contains("clean");
            assertThat(guest.run("sha256sum </dev/" + guest.device(1))).isEqualTo(sum);
            assertThat(guest.run("dmesg --level=emerg,alert,crit,err"))
                    .doesNotContain("sd ")
                    .doesNotContain("EXT4-fs error");
            assertThat(vm.shutdown(Duration.ofMinutes(2))).isInstanceOf(Outcome.PoweredOff.class);
        }
        for (Path image : new Path[] {root, vhdx, moved}) {
            assertThat(ImageWork.check(image).problems()).as("%s", image).isEmpty();
            assertThat(ImageWork.inspect(image).logInUse()).isFalse();
            Files.delete(image);
        }
        Files.delete(raw);
        Files.delete(folder);
    }

    /** How long each part takes, for those who wait for it. */
    private void phase(String reached) {
        System.out.printf("%s after %d s%n", reached, (System.nanoTime() - begun) / 1_000_000_000);
    }

    private static void inspects(GuestShell guest, String disk) {
        assertThat(guest.run("sg_inq " + disk)).contains("3PC=1", "[SPC-4]", "Virtual Disk");
        assertThat(guest.run("sg_vpd -p bl " + disk))
                .contains("Maximum compare and write length: 255 blocks", "Maximum unmap block descriptor count: 256");
        assertThat(guest.run("sg_vpd -p lbpv " + disk)).contains("Unmap command supported (LBPU): 1", "LBPRZ): 1");
        assertThat(guest.run("sg_vpd -p di " + disk)).contains("designator type: NAA", "T10 vendor identification");
        assertThat(guest.run("sg_vpd -p bdc " + disk)).contains("Non-rotating medium");
        assertThat(guest.run("sg_readcap -l " + disk))
                .contains("Number of logical blocks=131072", "Logical block length=512 bytes", "lbpme=1, lbprz=1");
        assertThat(guest.run("sg_vpd -p tpc " + disk))
                .contains("Populate token", "Extended copy(LID1)", "Maximum token transfer size: 524288");
        assertThat(guest.run("sg_opcodes " + disk)).contains("Persistent reserve in", "Unmap", "Compare and write");
        assertThat(guest.run("sg_luns " + disk)).contains("0000000000000000", "0001000000000000", "0002000000000000");
    }

    private static void changes(GuestShell guest, String disk) {
        guest.run("tr '\\000' x </dev/zero | head -c 65536 >/tmp/x; dd if=/tmp/x of=" + disk
                + " oflag=direct bs=64k 2>/dev/null");
        guest.run("sg_unmap --force --lba=8 --num=8 " + disk + " && sg_write_same --16 --lba=32 --num=8 --in=/dev/zero "
                + disk + " && sg_verify --lba=0 --count=128 " + disk + " && sg_sync " + disk);
        assertThat(guest.run("dd if=" + disk + " iflag=direct bs=512 count=128 2>/dev/null | tr -d '\\000' | wc -c"))
                .isEqualTo(String.valueOf(65536 - 16 * 512));
        guest.run("head -c 512 /tmp/x >/tmp/cw; head -c 512 /dev/urandom >/tmp/new; cat /tmp/new >>/tmp/cw;"
                + " sg_compare_and_write --in=/tmp/cw --lba=0 --num=1 --xferlen=1024 " + disk
                + " && dd if=" + disk + " iflag=direct bs=512 count=1 2>/dev/null | cmp - /tmp/new");
        assertThat(guest.tryRun("sg_compare_and_write --in=/tmp/cw --lba=0 --num=1 --xferlen=1024 " + disk)
                        .exitCode())
                .as("a miscompare (sg3_utils' exit code 14)")
                .isEqualTo(14);
        guest.run("blkdiscard " + disk);
    }

    private static void reserves(GuestShell guest, String disk) {
        guest.run("sg_persist --out --register --param-sark=0xabc " + disk
                + " && sg_persist --out --reserve --param-rk=0xabc --prout-type=5 " + disk);
        assertThat(guest.run("sg_persist --in --read-keys " + disk)).contains("0xabc");
        assertThat(guest.run("sg_persist --in --read-reservation " + disk))
                .contains("Write Exclusive, registrants only");
        assertThat(guest.run("sg_persist --in --report-capabilities " + disk)).contains("Persist Through Power Loss");
        guest.run("sg_persist --out --release --param-rk=0xabc --prout-type=5 " + disk
                + " && sg_persist --out --register --param-rk=0xabc --param-sark=0 " + disk);
    }

    private static void copies(GuestShell guest, String from, String to) {
        guest.run("dd if=/dev/urandom of=" + from + " bs=1M count=4 oflag=direct 2>/dev/null"
                + " && sg_xcopy if=" + from + " of=" + to
                + " bs=512 count=8192 2>/tmp/said || { cat /tmp/said; exit 1; };"
                + " blockdev --flushbufs " + to + "; cmp -n 4194304 " + from + " " + to);
        // By a token: blocks 0 to 2047 to block 65536.
        guest.run("cd /tmp; z() { head -c $1 /dev/zero; };"
                + " { printf '\\000\\036'; z 12; printf '\\000\\020'; z 8; printf '\\000\\000\\010\\000'; z 4; } >pop;"
                + " sg_raw -s 32 -i pop " + from + " 83 10 00 00 00 00 00 00 00 07 00 00 00 20 00 00 2>said"
                + " && sg_raw -r 600 -o info " + from + " 84 07 00 00 00 07 00 00 00 00 00 00 02 58 00 00 2>>said"
                + " && { printf '\\002\\046'; z 14; dd if=info bs=1 skip=38 count=512 2>/dev/null; z 6; printf '\\000\\020';"
                + " printf '\\000\\000\\000\\000\\000\\001\\000\\000\\000\\000\\010\\000'; z 4; } >use"
                + " && sg_raw -s 552 -i use " + to + " 83 11 00 00 00 00 00 00 00 08 00 00 02 28 00 00 2>>said"
                + " || { cat said; exit 1; };"
                + " blockdev --flushbufs " + to + "; cmp -n 1048576 " + from + " " + to + " 0 33554432");
    }
}
