package io.javisor.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.state.SpecLeaf;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnRange;
import io.javisor.storage.fibrechannel.WwnSet;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Descriptions of Fibre Channel adapters. */
class FibreChannelSpecTest {
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final Wwn A = Wwn.of("c003ff0000010000");
    private static final Wwn B = Wwn.of("c003ff0000010001");
    private static final PortNames RANGE =
            new PortNames(WwnRange.NODE, Wwn.of("c003ff1234560000"), WwnRange.NODE, Wwn.of("c003ff1234560001"));

    private static MachineBuilder machine() {
        return VirtualMachine.builder("m").linux(l -> l.debian("6.12-cloud"));
    }

    @Test
    void whatIsNotGivenOfNamesComesFromTheRange() {
        var none = new FibreChannelSpec.Builder().files("s").build();
        assertThat(none.names(() -> RANGE)).isEqualTo(RANGE);
        var some = new FibreChannelSpec.Builder().files("s").node(NODE).portB(B).build();
        assertThat(some.names(() -> RANGE)).isEqualTo(new PortNames(NODE, RANGE.portA(), NODE, B));
        var all = new FibreChannelSpec.Builder()
                .files("s")
                .setA(NODE, A)
                .setB(Wwn.of("c003ff0000ffff01"), B)
                .active(WwnSet.B)
                .build();
        PortNames names = all.names(() -> {
            throw new AssertionError("nothing is missing");
        });
        assertThat(names.node(WwnSet.B)).isEqualTo(Wwn.of("c003ff0000ffff01"));
        assertThat(names.port(WwnSet.B)).isEqualTo(B);
    }

    @Test
    void aMachineWithAnAdapterNeedsABusAndTheDriverOfDisks() {
        try (SoftwareSan san = SoftwareSan.of("s")) {
            MachineSpec spec = machine().fibreChannel(f -> f.connect(san)).spec();
            assertThat(spec.needsHyperV()).isTrue();
            assertThat(((LinuxSpec.Initrd.Busybox) spec.linux().initrd()).modules())
                    .contains("sd_mod");
            assertThat(spec.images()).isEmpty();
        }
    }

    @Test
    void allThatIsWrongIsSaid() {
        try (SoftwareSan san = SoftwareSan.of("s")) {
            assertThatThrownBy(() -> machine()
                            .fibreChannel(f ->
                                    f.connect(san).files("own").setA(NODE, A).setB(NODE, A))
                            .fibreChannel(f -> f.lun(0, Path.of("a")))
                            .fibreChannel(f -> f.files("t").lun(0, Path.of("a")).portA(A))
                            .fibreChannel(f -> f.files("t").lun(7, Path.of("a"), d -> d.readOnly()))
                            .fibreChannel(f -> f.files("t").paths(17).lun(255, Path.of("b"), d -> d.iops(5)))
                            .spec())
                    .isInstanceOfSatisfying(
                            SpecException.class,
                            e -> assertThat(e.problems().stream().map(SpecException.Problem::path))
                                    .contains(
                                            "fibreChannels[0]",
                                            "fibreChannels[0].setB",
                                            "fibreChannels[1]",
                                            "fibreChannels[2]",
                                            "fibreChannels[3].lun(7)",
                                            "fibreChannels[4].paths",
                                            "fibreChannels[4].lun(255)",
                                            "fibreChannels"));
        }
    }

    @Test
    void descriptionsGoRound() {
        MachineSpec spec = machine()
                .fibreChannel(f -> f.files("s")
                        .fabric("b")
                        .paths(2)
                        .lun(3, Path.of("/images/a.vhdx"))
                        .lun(4, Path.of("/images/b.raw"), d -> d.readOnly())
                        .lun(5, Path.of("/images/c.raw"), d -> d.shared())
                        .setA(NODE, A)
                        .setB(NODE, B)
                        .active(WwnSet.B))
                .fibreChannel(f -> f.setA(NODE, Wwn.of("c003ff0000010002")).setB(NODE, Wwn.of("c003ff0000010003")))
                .spec();
        MachineSpec again = SpecLeaf.read(SpecLeaf.of(spec).reader());
        assertThat(again.fibreChannels().toString())
                .isEqualTo(spec.fibreChannels().toString());
        assertThat(again.images())
                .extracting(DriveSpec::path)
                .containsExactly(Path.of("/images/a.vhdx"), Path.of("/images/b.raw"), Path.of("/images/c.raw"));
        assertThat(again.images()).extracting(drive -> drive.options().shared()).containsExactly(false, false, true);
    }

    @Test
    void whatProcessesShareIsRawAndOnASan() {
        assertThatThrownBy(() -> machine()
                        .disk(Path.of("a"), d -> d.shared())
                        .fibreChannel(f -> f.files("s")
                                .lun(0, Path.of("a.vhdx"), d -> d.shared())
                                .lun(1, Path.of("b"), d -> d.shared().readOnly())
                                .lun(2, Path.of("c"), d -> d.shared().overlay())
                                .lun(3, Path.of("d"), d -> d.shared().direct()))
                        .spec())
                .isInstanceOfSatisfying(
                        SpecException.class,
                        e -> assertThat(e.problems().stream().map(SpecException.Problem::path))
                                .containsExactlyInAnyOrder(
                                        "drives[0].shared",
                                        "fibreChannels[0].lun(0).shared",
                                        "fibreChannels[0].lun(1).shared",
                                        "fibreChannels[0].lun(2).shared"));
    }

    @Test
    void anAdapterOfTheHostsIsKeptByName() {
        MachineSpec spec = machine()
                .fibreChannel(f -> f.npiv("host3").setA(NODE, A).setB(NODE, B))
                .spec();
        FibreChannelSpec again =
                SpecLeaf.read(SpecLeaf.of(spec).reader()).fibreChannels().getFirst();
        assertThat(again.attachment()).isEqualTo(new FibreChannelSpec.Attachment.Npiv("host3"));
        assertThat(again.portB()).isEqualTo(B);
    }

    @Test
    void aSanOfTheApplicationsIsNamedOnly() {
        try (SoftwareSan san = SoftwareSan.of("storage")) {
            MachineSpec spec = machine()
                    .fibreChannel(f -> f.connect(san).fabric("a").setA(NODE, A).setB(NODE, B))
                    .spec();
            FibreChannelSpec again =
                    SpecLeaf.read(SpecLeaf.of(spec).reader()).fibreChannels().getFirst();
            assertThat(again.attachment()).isEqualTo(new FibreChannelSpec.Attachment.None("storage"));
            assertThat(again.portA()).isEqualTo(A);
            assertThat(again.fabric()).isEqualTo("a");
        }
    }
}
