package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.api.exec.ExecResult;
import io.javisor.lab.DebianDisk;
import io.javisor.lab.junit.LabTest;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.fibrechannel.SanPort;
import io.javisor.storage.fibrechannel.SanVolume;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.fibrechannel.Wwn;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two Debian guests at one SAN: fencing by persistent reservations, and multipath over paths that break. */
@Tag("long")
@LabTest(guests = DebianDisk.NAME, memory = "4G", timeout = 900)
class SharedLunOnDebianTest {
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final int MIB = 1 << 20;
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final Wwn ONE = Wwn.of("c003ff0000010000");
    private static final Wwn TWO = Wwn.of("c003ff0000020000");
    private static final int SHARED = 3;
    private static final int OWN = 4;

    private final long begun = System.nanoTime();

    @TempDir
    private Path folder;

    private static VirtualMachine machine(String name, SoftwareSan san, Wwn port) {
        DebianDisk debian = DebianDisk.get();
        return VirtualMachine.builder(name)
                .linux(l -> l.kernel(debian.kernel()).initrd(debian.initrd()).append(DebianDisk.COMMAND_LINE))
                .memory(768L << 20)
                .disk(debian.disk(), d -> d.overlay())
                .fibreChannel(f -> f.connect(san).setA(NODE, port).setB(NODE, new Wwn(port.value() + 1)))
                .build();
    }

    private void phase(String reached) {
        System.out.printf("%s after %d s%n", reached, (System.nanoTime() - begun) / 1_000_000_000);
    }

    /** The device of an address at the Fibre Channel adapter. */
    private static String device(GuestShell guest, int target, int lun) {
        return "/dev/"
                + guest.run("modprobe sg; h=$(ls /sys/class/fc_host); h=${h#host}; for i in $(seq 300); do"
                        + " for d in /sys/bus/scsi/devices/$h:0:" + target + ":" + lun
                        + "/block/*; do [ -e $d ] && echo ${d##*/} && exit; done; sleep 0.1; done; exit 1");
    }

    @Test
    void guestsFenceEachOtherAndKeepTheirPaths() throws Exception {
        Path shared = folder.resolve("shared.raw");
        DiskImage.create(shared, ImageSpec.fixed(ImageFormat.RAW, 16 * MIB));
        Path own = folder.resolve("own.vhdx");
        DiskImage.create(own, ImageSpec.dynamic(ImageFormat.VHDX, 96 * MIB).withBlockBytes(MIB));
        try (SoftwareSan san = SoftwareSan.builder("san").ports("a", 2).build()) {
            SanVolume volume = san.open("shared", shared, DiskOptions.DEFAULT);
            volume.present(SHARED);
            san.open("own", own, DiskOptions.DEFAULT).presentTo(ONE, OWN);
            try (VirtualMachine first = machine("first", san, ONE);
                    VirtualMachine second = machine("second", san, TWO)) {
                first.start();
                second.start();
                first.await(Wait.forShell(), PATIENCE);
                second.await(Wait.forShell(), PATIENCE);
                phase("up");
                var one = new GuestShell(first);
                var two = new GuestShell(second);
                looks(one, two, volume);
                fences(one, two, volume);
                phase("fenced");
                multipath(one, san);
                phase("paths");
                first.kill();
                second.kill();
            }
        }
    }

    private static void looks(GuestShell one, GuestShell two, SanVolume volume) {
        String serial = volume.unit().identity().toString().replace("-", "");
        for (GuestShell guest : List.of(one, two)) {
            String disk = device(guest, 1, SHARED);
            assertThat(guest.run("sg_vpd -p sn " + disk)).contains(serial);
            assertThat(guest.run("sg_inq " + disk)).contains("TPGS=1");
            assertThat(guest.run("sg_vpd -p di " + disk))
                    .contains("Relative target port: 0x2", "Target port group: 0x2");
            assertThat(guest.run("sg_rtpg " + disk))
                    .contains("target port group id : 0x1", "target port group id : 0x2");
        }
        assertThat(one.run("lsscsi -g | grep -c Virtual"))
                .as("root, and two units by two paths")
                .isEqualTo("5");
        assertThat(two.run("lsscsi -g | grep -c Virtual")).isEqualTo("3");
        assertThat(two.run("sg_luns " + device(two, 0, SHARED)))
                .contains("0003000000000000")
                .doesNotContain("0004");
    }

    private static void fences(GuestShell one, GuestShell two, SanVolume volume) {
        String a = device(one, 0, SHARED);
        String b = device(two, 0, SHARED);
        one.run("sg_persist --out --register --param-sark=0x111 " + a);
        two.run("sg_persist --out --register --param-sark=0x222 " + b);
        one.run("sg_persist --out --reserve --param-rk=0x111 --prout-type=5 " + a);
        assertThat(two.run("sg_persist --in --read-full-status " + b))
                .contains(ONE.toString().replace(':', ' '), TWO.toString().replace(':', ' '));
        ExecResult second = two.tryRun("sg_persist --out --reserve --param-rk=0x222 --prout-type=5 " + b);
        assertThat(second.exitCode())
                .as("a reservation conflict (sg3_utils' exit code 24): %s", second.stderrText())
                .isEqualTo(24);
        // The first counts in the first sector until it is fenced.
        one.run("(i=0; while i=$((i+1)); printf %512d $i | dd of=" + a
                + " bs=512 count=1 oflag=direct conv=notrunc 2>/tmp/why; do echo $i >/tmp/last; done; touch /tmp/fenced)"
                + " >/dev/null 2>&1 &");
        one.run("for i in $(seq 300); do [ -s /tmp/last ] && exit; sleep 0.1; done; exit 1");
        two.run("sg_persist --out --preempt-abort --param-rk=0x222 --param-sark=0x111 --prout-type=5 " + b);
        one.run("for i in $(seq 300); do [ -e /tmp/fenced ] && exit; sleep 0.1; done; exit 1");
        String last = one.run("cat /tmp/last");
        IoMemory sector = IoMemory.allocate(512);
        ((io.javisor.storage.scsi.DiskUnit) volume.unit()).disk().read(0, sector);
        assertThat(new String(sector.toByteArray(), StandardCharsets.US_ASCII).strip())
                .as("what was said to be written last is there, and nothing after it")
                .isEqualTo(last);
        assertThat(two.run("printf %512d 7777777 | dd of=" + b
                        + " bs=512 count=1 oflag=direct conv=notrunc 2>/dev/null; sg_dd if=" + b
                        + " bs=512 count=1 2>/dev/null"))
                .endsWith(" 7777777");
        assertThat(one.tryRun("printf %512d 1 | dd of=" + a + " bs=512 count=1 oflag=direct conv=notrunc")
                        .exitCode())
                .isNotZero();
        assertThat(two.run("sg_persist --in --read-keys " + b))
                .contains("0x222")
                .doesNotContain("0x111");
        two.run("sg_persist --out --release --param-rk=0x222 --prout-type=5 " + b
                + " && sg_persist --out --register --param-rk=0x222 --param-sark=0 " + b);
        one.run("printf %512d 1 | dd of=" + a + " bs=512 count=1 oflag=direct conv=notrunc");
    }

    private static void multipath(GuestShell guest, SoftwareSan san) throws InterruptedException {
        String disk = device(guest, 0, OWN);
        device(guest, 1, OWN);
        // What multipath goes by, which the rules of sg3-utils take from the T10 name.
        String name = guest.run("udevadm info -q property -n " + disk + " | sed -n s/^ID_SERIAL=//p");
        guest.run(
                "cat >/etc/multipath.conf <<X\ndefaults {\n polling_interval 1\n max_polling_interval 2\n no_path_retry 60\n"
                        + " find_multipaths no\n}\nblacklist {\n wwid \".*\"\n}\nblacklist_exceptions {\n wwid \""
                        + name + "\"\n}\nX\n"
                        + "systemctl start multipathd; for i in $(seq 300); do [ -b /dev/mapper/" + name
                        + " ] && [ $(multipathd show paths raw format '%d %t' | grep -c active) = 2 ] && exit; sleep 0.1; done;"
                        + " multipath -ll; exit 1");
        guest.run("mkfs.ext4 -q /dev/mapper/" + name + " && mkdir -p /mnt/own && mount /dev/mapper/" + name
                + " /mnt/own");
        guest.run("(fio --name=v --directory=/mnt/own --rw=randwrite --bs=16k --iodepth=8 --ioengine=libaio --direct=1"
                + " --size=24M --verify=crc32c --verify_fatal=1 --do_verify=1 --time_based --runtime=30 --loops=1000"
                + " >/tmp/fio 2>&1; echo $? >/tmp/fio.code) >/dev/null 2>&1 &");
        for (SanPort port : san.ports()) {
            Thread.sleep(2000);
            port.fail();
            guest.run(
                    "for i in $(seq 300); do multipathd show paths raw format '%t' | grep -q failed && exit; sleep 0.1; done;"
                            + " multipath -ll; exit 1");
            port.restore();
            guest.run(
                    "for i in $(seq 600); do [ $(multipathd show paths raw format '%t' | grep -c active) = 2 ] && exit;"
                            + " sleep 0.1; done; multipath -ll; exit 1");
        }
        assertThat(guest.run(
                        "for i in $(seq 900); do [ -s /tmp/fio.code ] && break; sleep 0.1; done; cat /tmp/fio.code"))
                .as(guest.tryRun("cat /tmp/fio").stdoutText())
                .isEqualTo("0");
        guest.run("umount /mnt/own && fsck.ext4 -fn /dev/mapper/" + name);
        assertThat(guest.run("dmesg")).doesNotContain("EXT4-fs error").doesNotContain("Buffer I/O error on dev dm-");
    }
}
