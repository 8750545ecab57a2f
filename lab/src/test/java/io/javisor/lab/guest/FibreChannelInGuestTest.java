package io.javisor.lab.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.MachineHba;
import io.javisor.api.MachineState;
import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import io.javisor.lab.junit.LabTest;
import io.javisor.partition.HypervisorException;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.ImageSpec;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.fibrechannel.SanPort;
import io.javisor.storage.fibrechannel.SanVolume;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.scsi.DiskUnit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stock guest with a Fibre Channel adapter: what it sees of its names, its LUNs and its paths. */
@LabTest(guests = "6.12-cloud")
class FibreChannelInGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int MIB = 1 << 20;
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final Wwn PORT_A = Wwn.of("c003ff0000010000");
    private static final Wwn PORT_B = Wwn.of("c003ff0000010001");

    @TempDir
    private Path folder;

    private static String device(GuestShell guest, int target, int lun) {
        return guest.run(
                "for i in $(seq 200); do for d in /sys/bus/scsi/devices/*:0:" + target + ":" + lun + "/block/*; do"
                        + " [ -e $d ] && [ -b /dev/${d##*/} ] && echo ${d##*/} && exit; done; sleep 0.1; done; exit 1");
    }

    /** The units that the guest knows, as target:LUN. */
    private static String known(GuestShell guest) {
        return guest.run("for d in /sys/bus/scsi/devices/[0-9]*:*:*:*; do d=${d##*/}; echo ${d#*:}; done | sort");
    }

    private static String serial(GuestShell guest, String disk) {
        return guest.run("tail -c +5 /sys/block/" + disk + "/device/vpd_pg80");
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static void gone(GuestShell guest, String disk) {
        // After the scan that is under way: of a thousand addresses, each time that something comes or goes.
        guest.run("for i in $(seq 900); do [ -e /sys/block/" + disk + " ] || exit 0; sleep 0.1; done; exit 1");
    }

    private static String read(String disk) {
        return "echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/" + disk + " bs=64k count=16 2>/tmp/said | sha256sum";
    }

    private static VirtualMachine machine(SoftwareSan san) {
        return VirtualMachine.builder("fc")
                .memory(MemorySize.mib(256))
                .vcpus(2)
                .linux(l -> l.debian("6.12-cloud"))
                .fibreChannel(f -> f.connect(san).setA(NODE, PORT_A).setB(NODE, PORT_B))
                .build();
    }

    @Test
    void aGuestSeesItsNamesItsUnitsAndItsPaths() throws Exception {
        byte[] contents = new byte[MIB];
        new Random(8).nextBytes(contents);
        Path raw = Files.write(folder.resolve("own.raw"), contents);
        Path vhdx = folder.resolve("shared.vhdx");
        DiskImage.create(vhdx, ImageSpec.dynamic(ImageFormat.VHDX, 32 * MIB).withBlockBytes(MIB));
        Path state = folder.resolve("state");
        try (SoftwareSan san =
                        SoftwareSan.builder("san").ports("a", 2).ports("b", 1).build();
                var later = DiskImage.memory("later", 4 * MIB, 512)) {
            later.write(0, IoMemory.of(contents), false);
            SanVolume own = san.open("own", raw, DiskOptions.DEFAULT);
            SanVolume shared = san.open("shared", vhdx, DiskOptions.DEFAULT);
            SanVolume hidden = san.add("hidden", new DiskUnit(later));
            for (Wwn port : new Wwn[] {PORT_A, PORT_B}) {
                own.presentTo(port, 0);
                shared.presentTo(port, 3);
            }
            hidden.presentTo(Wwn.of("c003ff0000020000"), 1);

            String expected = sha256(contents) + "  -";
            try (VirtualMachine vm = machine(san)) {
                vm.start().await(Wait.forShell(), PATIENCE);
                var guest = new GuestShell(vm);
                assertThat(guest.run("cat /sys/class/fc_host/host*/port_name /sys/class/fc_host/host*/node_name"))
                        .isEqualTo("0x" + PORT_A.hex() + "\n0x" + NODE.hex());
                String first = device(guest, 0, 3);
                String second = device(guest, 1, 3);
                String data = device(guest, 1, 0);
                device(guest, 0, 0);
                assertThat(known(guest)).as("its fabric, its mask").isEqualTo("0:0:0\n0:0:3\n0:1:0\n0:1:3");

                // One disk by both paths: the same serial number and NAA name, and the host's.
                String identity = shared.unit().identity().toString().replace("-", "");
                assertThat(serial(guest, first)).isEqualTo(identity);
                assertThat(serial(guest, second)).isEqualTo(identity);
                String wwid = guest.run("cat /sys/block/" + first + "/device/wwid");
                assertThat(wwid).matches("naa\\.3[0-9a-f]{15}");
                assertThat(guest.run("cat /sys/block/" + second + "/device/wwid"))
                        .isEqualTo(wwid);
                assertThat(serial(guest, data)).isNotEqualTo(identity);
                assertThat(guest.run(read(data))).isEqualTo(expected);
                guest.run("head -c 65536 /dev/urandom >/tmp/p; dd if=/tmp/p of=/dev/" + first
                        + " bs=64k seek=7 conv=fsync 2>/dev/null; dd if=/dev/" + second
                        + " bs=64k skip=7 count=1 2>/dev/null | cmp - /tmp/p");

                // A path breaks and is mended: errors, not silence, and the disk stays.
                SanPort broken = san.ports().get(1);
                broken.fail();
                assertThat(guest.tryRun("set -o pipefail; " + read(data)).exitCode())
                        .isNotZero();
                assertThat(guest.run("cat /tmp/said")).contains("Input/output error");
                assertThat(guest.run(read(device(guest, 0, 0)))).isEqualTo(expected);
                broken.restore();
                assertThat(guest.run(read(data))).isEqualTo(expected);
                assertThat(guest.run("cat /sys/block/" + data + "/device/state"))
                        .isEqualTo("running");

                // The other set of names takes over.
                MachineHba hba = vm.fibreChannel().adapter(0);
                hba.activate(WwnSet.B);
                assertThat(san.initiators()).containsExactly(PORT_B);
                assertThat(guest.run(read(data))).isEqualTo(expected);
                assertThat(guest.run(read(device(guest, 0, 0)))).isEqualTo(expected);
                assertThatThrownBy(() -> vm.fibreChannel().add(hba.spec()))
                        .isInstanceOfSatisfying(
                                HypervisorException.class,
                                e -> assertThat(e.code()).isEqualTo("fc-name-in-use"));
                guest.run("echo kept >/tmp/kept");
                vm.save(state);
            }
            assertThat(san.initiators()).isEmpty();
            try (VirtualMachine vm = VirtualMachine.restore(state)) {
                MachineHba hba = vm.fibreChannel().adapter(0);
                assertThat(hba.active()).isEqualTo(WwnSet.B);
                assertThat(hba.names().portA()).isEqualTo(PORT_A);
                hba.connect(san, "a");
                assertThat(vm.state()).isEqualTo(MachineState.PAUSED);
                vm.resume();
                var guest = new GuestShell(vm);
                assertThat(guest.run("cat /tmp/kept")).isEqualTo("kept");
                assertThat(guest.run(read(device(guest, 1, 0)))).isEqualTo(expected);
                assertThat(guest.run("dd if=/dev/" + device(guest, 0, 3)
                                + " bs=64k skip=7 count=1 2>/dev/null | cmp - /tmp/p && echo same"))
                        .isEqualTo("same");
                assertThat(san.initiators()).containsExactly(PORT_B);
            }
        }
    }

    @Test
    @Tag("long")
    void aUnitComesAndGoesWhileTheGuestRuns() throws Exception {
        byte[] contents = new byte[MIB];
        new Random(9).nextBytes(contents);
        try (SoftwareSan san = SoftwareSan.builder("san").ports("a", 1).build();
                var disk = DiskImage.memory("later", 4 * MIB, 512)) {
            disk.write(0, IoMemory.of(contents), false);
            SanVolume volume = san.add("later", new DiskUnit(disk));
            try (VirtualMachine vm = machine(san)) {
                vm.start().await(Wait.forShell(), PATIENCE);
                var guest = new GuestShell(vm);
                volume.presentTo(PORT_A, 200);
                String came = device(guest, 0, 200);
                assertThat(guest.run(read(came))).isEqualTo(sha256(contents) + "  -");
                volume.hideFrom(PORT_A);
                gone(guest, came);
            }
        }
    }
}
