package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.lab.LabFabric;
import io.javisor.lab.junit.LabTest;
import io.javisor.storage.fcoe.FabricPort;
import io.javisor.storage.fibrechannel.Wwn;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A machine at a host's own fabric, by the command line. */
@Tag("long")
@LabTest(guests = "6.12-cloud")
class FibreChannelInLabTest {
    private static final Wwn PORT = Wwn.of("c003ff0000010000");

    @Test
    void aMachineIsAtTheHostsFabricByItsOwnName() {
        try (LabFabric fabric = LabFabric.start(1, List.of(16L << 20, 32L << 20), List.of(), made -> {
            made.present(made.adapterName(0), 0, 0);
            made.present(PORT, 3, 1);
        })) {
            fabric.awaitUnits(0, 1);
            String host = fabric.adapter(0);
            String printed = Printed.by(() -> assertThat(Ran.javisor(
                                    "run",
                                    "--no-lab",
                                    "--fc",
                                    "npiv=" + host + ",wwpn-a=" + PORT,
                                    "--exec",
                                    "cat /sys/class/fc_host/host*/port_name; for i in $(seq 300); do"
                                            + " ls /sys/block/sd*/size >/dev/null 2>&1 && break; sleep 0.1; done;"
                                            + " for d in /sys/block/sd*; do cat $d/size; cd -P $d/device; echo ${PWD##*:}; done; exit 3")
                            .exitCode())
                    .isEqualTo(3));
            assertThat(printed).isEqualTo("0x" + PORT.hex() + "\n" + (32 << 20) / 512 + "\n3\n");
            assertThat(fabric.fabric().ports()).filteredOn(FabricPort::virtual).isEmpty();

            assertThat(Ran.javisor("san", "list").out())
                    .contains(host + " ", "port " + fabric.adapterName(0), "Online", "0 of 65535 virtual ports");
            assertThat(Ran.javisor("san", "ports", host).out()).contains("port " + fabric.targetName(), "FCP Target");
            assertThat(Ran.javisor("san", "luns", host).out())
                    .contains("LUN 0 ", "of " + fabric.targetName(), "LIO-ORG", (16 << 20) + " bytes");
            Ran none = Ran.javisor("run", "--no-lab", "--fc", "npiv=host99", "--exec", "true");
            assertThat(none.exitCode()).isEqualTo(69);
            assertThat(none.err()).contains("host99", "javisor san list");
        }
    }
}
