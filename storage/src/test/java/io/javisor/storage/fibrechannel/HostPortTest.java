package io.javisor.storage.fibrechannel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Linux says of a host's adapters, in folders laid out as in sysfs. */
class HostPortTest {
    @TempDir
    private Path sysfs;

    private void file(String path, String text) throws Exception {
        Path at = sysfs.resolve(path);
        Files.createDirectories(at.getParent());
        Files.writeString(at, text + "\n");
    }

    @Test
    void aHostWithoutAdaptersHasNone() {
        assertThat(HostPort.list(sysfs)).isEmpty();
        assertThat(HostPort.list(sysfs.resolve("absent"))).isEmpty();
    }

    @Test
    void portsRemotePortsAndUnits() throws Exception {
        for (int host : new int[] {10, 2}) {
            String at = "class/fc_host/host" + host + "/";
            file(at + "port_name", "0x2000aabbccdd00" + (host == 2 ? "02" : "0a"));
            file(at + "node_name", "0x1000aabbccdd0001");
            file(at + "port_type", "NPort (fabric via point-to-point)");
            file(at + "port_state", "Online");
            file(at + "speed", "16 Gbit");
        }
        file("class/fc_host/host2/max_npiv_vports", "255");
        file("class/fc_host/host2/npiv_vports_inuse", "3");
        file("class/fc_remote_ports/rport-2:0-1/port_name", "0x5006016000000001");
        file("class/fc_remote_ports/rport-2:0-1/node_name", "0x5006016000000000");
        file("class/fc_remote_ports/rport-2:0-1/roles", "FCP Target");
        file("class/fc_remote_ports/rport-2:0-1/port_state", "Online");
        file("class/fc_remote_ports/rport-22:0-1/port_name", "0x5006016000000009");
        file("class/fc_transport/target2:0:4/port_name", "0x5006016000000001");
        file("class/scsi_device/2:0:4:7/device/vendor", "VENDOR  ");
        file("class/scsi_device/2:0:4:7/device/model", "ARRAY");
        file("class/scsi_device/2:0:4:7/device/wwid", "naa.6006016000000001");
        file("class/scsi_device/2:0:4:7/device/block/sdc/size", "2048");
        file("class/scsi_device/10:0:0:0/device/vendor", "");

        var ports = HostPort.list(sysfs);
        assertThat(ports).extracting(HostPort::host).containsExactly("host2", "host10");
        HostPort two = ports.getFirst();
        assertThat(two.portName()).isEqualTo("20:00:aa:bb:cc:dd:00:02");
        assertThat(two.virtualPorts()).isEqualTo("3 of 255 virtual ports");
        assertThat(two.remotePorts())
                .containsExactly(new HostPort.RemoteName(
                        "50:06:01:60:00:00:00:01", "50:06:01:60:00:00:00:00", "FCP Target", "Online"));
        assertThat(two.units())
                .containsExactly(new HostPort.HostUnit(
                        "50:06:01:60:00:00:00:01", 7, "VENDOR ARRAY naa.6006016000000001 /dev/sdc 1048576 bytes"));
        HostPort ten = ports.getLast();
        assertThat(ten.virtualPorts()).isEqualTo("no NPIV");
        assertThat(ten.remotePorts()).isEmpty();
        assertThat(ten.units()).hasSize(1);
    }
}
