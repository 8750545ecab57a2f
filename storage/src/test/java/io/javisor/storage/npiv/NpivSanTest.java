package io.javisor.storage.npiv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.scsi.CopyDomain;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is looked at before a virtual port is made, and what is left of others, in folders laid out as the kernel's. */
class NpivSanTest {
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final Wwn PORT = Wwn.of("c003ff0000010000");
    private static final String BOOT = "5c8b9e36-0000-4000-8000-000000000001";

    @TempDir
    private Path root;

    private void file(String path, String text) throws Exception {
        Path at = root.resolve(path);
        Files.createDirectories(at.getParent());
        Files.writeString(at, text + "\n");
    }

    private String text(String path) throws Exception {
        return Files.readString(root.resolve(path)).strip();
    }

    private NpivSan.Places places() {
        return new NpivSan.Places(
                root.resolve("sys"), root.resolve("dev"), root.resolve("proc"), root.resolve("records"));
    }

    private NpivSan open() {
        return NpivSan.open(places(), "host3");
    }

    @BeforeEach
    void anAdapterThatIsFine() throws Exception {
        String at = "sys/class/fc_host/host3/";
        file(at + "port_name", "0x2000aabbccdd0003");
        file(at + "port_state", "Online");
        file(at + "port_type", "NPort (fabric via point-to-point)");
        file(at + "max_npiv_vports", "255");
        file(at + "vport_create", "");
        file(at + "vport_delete", "");
        file("proc/sys/kernel/random/boot_id", BOOT);
        long self = ProcessHandle.current().pid();
        file("proc/" + self + "/stat", stat(self, "java (of ours)", 777));
    }

    private static String stat(long process, String name, long started) {
        return process + " (" + name + ") S" + " 1".repeat(18) + " " + started + " 2 3";
    }

    private static void assertRefused(ThrowingCallable call, String code, String... words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContainingAll(words);
    }

    @Test
    void whatIsMissingIsSaidWithItsRemedy() throws Exception {
        assertRefused(() -> NpivSan.open(places(), "host9"), "fc-no-adapter", "host9", "host3", "driver");
        assertRefused(() -> NpivSan.open(places(), "../host3"), "fc-no-adapter", "../host3");
        file("sys/class/fc_host/host3/port_state", "Linkdown");
        assertRefused(this::open, "fc-no-fabric", "Linkdown", "switch");
        file("sys/class/fc_host/host3/max_npiv_vports", "0");
        assertRefused(this::open, "fc-no-npiv", "host3");
        file("sys/class/fc_host/host3/max_npiv_vports", "255");
        file("sys/class/fc_host/host3/port_state", "Online");
        try (NpivSan san = open()) {
            assertThat(san.name()).isEqualTo("npiv-host3");
            assertThat(san).hasToString("the fabric of host3 (0x2000aabbccdd0003)");
            assertRefused(() -> san.login("b", NODE, PORT, new CopyDomain(), () -> {}), "fc-no-fabric", "\"b\"");
        }
    }

    @Test
    void aNameThatIsThereIsRefused() throws Exception {
        file("sys/class/fc_host/host7/port_name", "0x" + PORT.hex());
        try (NpivSan san = open()) {
            assertRefused(
                    () -> san.login("", NODE, PORT, new CopyDomain(), () -> {}),
                    "fc-name-in-use",
                    "host7",
                    "vport_delete");
            long self = ProcessHandle.current().pid();
            record("records/" + PORT.hex() + ".port", PORT, self, 777, BOOT);
            assertRefused(
                    () -> san.login("", NODE, PORT, new CopyDomain(), () -> {}), "fc-name-in-use", "process " + self);
        }
        assertThat(text("sys/class/fc_host/host3/vport_create")).isEmpty();
    }

    private void record(String path, Wwn port, long process, long started, String boot) throws Exception {
        file(path, "host3 " + port.hex() + " " + NODE.hex() + " " + process + " " + started + " " + boot);
    }

    @Test
    void portsOfProcessesThatAreGoneAreDeleted() throws Exception {
        long self = ProcessHandle.current().pid();
        Wwn others = Wwn.of("c003ff0000020000");
        Wwn gone = Wwn.of("c003ff0000030000");
        record("records/" + PORT.hex() + ".port", PORT, self, 776, BOOT); // its process ID is another's now
        record("records/" + others.hex() + ".port", others, self, 777, BOOT);
        record("records/" + gone.hex() + ".port", gone, 1, 1, "another-boot"); // and the port went with it
        file("records/nonsense.port", "host3; rm -rf");
        file("sys/class/fc_host/host7/port_name", "0x" + PORT.hex());
        file("sys/class/fc_host/host8/port_name", "0x" + others.hex());
        open().close();
        assertThat(text("sys/class/fc_host/host3/vport_delete")).isEqualTo(PORT.hex() + ":" + NODE.hex());
        assertThat(root.resolve("records/" + PORT.hex() + ".port")).doesNotExist();
        assertThat(root.resolve("records/" + gone.hex() + ".port")).doesNotExist();
        assertThat(root.resolve("records/" + others.hex() + ".port")).exists();
    }

    @Test
    void whatLinuxKnowsOfTargetsAndUnits() throws Exception {
        file("sys/class/fc_remote_ports/rport-9:0-1/port_name", "0x5006016000000001");
        file("sys/class/fc_remote_ports/rport-9:0-1/roles", "FCP Target, FCP Initiator");
        file("sys/class/fc_remote_ports/rport-9:0-1/port_state", "Online");
        file("sys/class/fc_remote_ports/rport-9:0-1/scsi_target_id", "4");
        file("sys/class/fc_remote_ports/rport-9:0-2/port_name", "0x5006016000000002");
        file("sys/class/fc_remote_ports/rport-9:0-2/roles", "FCP Initiator");
        file("sys/class/fc_remote_ports/rport-10:0-0/port_name", "0x5006016000000003");
        file("sys/class/fc_remote_ports/rport-10:0-0/roles", "FCP Target");
        String unit = "sys/class/scsi_device/9:0:4:7/device/";
        file(unit + "wwid", "naa.6001");
        file(unit + "block/sdq/ro", "0");
        file(unit + "block/sdq/queue/logical_block_size", "4096");
        file(unit + "block/sdq/queue/max_hw_sectors_kb", "32767");
        file(unit + "block/sdq/queue/max_segments", "128");
        file(unit + "type", "0");
        file("sys/class/scsi_device/9:0:4:8/device/scsi_generic/sg5/dev", "21:5");
        file("sys/class/scsi_device/9:0:5:0/device/block/sdz/ro", "0");
        file("sys/class/scsi_device/10:0:4:1/device/block/sdy/ro", "0");
        var scan = new UnitScan(root.resolve("sys"), 9);
        var port = new UnitScan.Port("rport-9:0-1", Wwn.of("5006016000000001"), true, 0, 4);
        assertThat(scan.ports()).containsExactly(java.util.Map.entry(port.name(), port));
        assertThat(scan.units(port))
                .containsExactly(
                        new UnitScan.Found(9, 0, 4, 7, "sdq", "naa.6001", 4096, 127 * 4096, true),
                        new UnitScan.Found(9, 0, 4, 8, "sg5", "LUN 8 of 50:06:01:60:00:00:00:01", 0, 1 << 20, true));
        var seen = new UnitScan.Found(9, 0, 4, 7, "sdq", "naa.6001", 4096, 127 * 4096, true);
        assertThat(scan.isStill(port, seen)).isTrue();
        file(unit + "wwid", "naa.6002");
        assertThat(scan.isStill(port, seen)).as("sdq is another unit's").isFalse();
    }

    @Test
    void aDiskIsAUnitOnceItsBlockDeviceIsReady() throws Exception {
        String unit = "sys/class/scsi_device/9:0:4:7/device/";
        var scan = new UnitScan(root.resolve("sys"), 9);
        var port = new UnitScan.Port("rport-9:0-1", Wwn.of("5006016000000001"), true, 0, 4);
        file(unit + "wwid", "naa.6001");
        file(unit + "type", "0");
        file(unit + "scsi_generic/sg4/dev", "21:4");
        assertThat(scan.units(port)).as("by sg4 no write could be counted").isEmpty();
        file(unit + "block/sdq/ro", "0");
        file(unit + "block/sdq/queue/logical_block_size", "512");
        assertThat(scan.units(port)).as("its queue is being made").isEmpty();
        file(unit + "block/sdq/queue/max_hw_sectors_kb", "64");
        file(unit + "block/sdq/queue/max_segments", "128");
        assertThat(scan.units(port))
                .containsExactly(new UnitScan.Found(9, 0, 4, 7, "sdq", "naa.6001", 512, 64 << 10, true));
    }
}
