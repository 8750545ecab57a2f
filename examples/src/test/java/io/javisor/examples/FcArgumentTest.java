package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.FibreChannelSpec;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code --fc} understands. */
class FcArgumentTest {
    private static FibreChannelSpec spec(String text) {
        return FcArgument.parse(text).spec();
    }

    @Test
    void readsAllOptions() {
        FibreChannelSpec spec = spec("san=s,fabric=b,wwnn=c003ff0000ffff00,wwpn-a=C0:03:FF:00:00:01:00:00,"
                + "wwpn-b=0xc003ff0000010001,active=b,paths=2,lun=3:a,b.img,format=raw,readonly,lun=254:c.vhdx");
        assertThat(spec.fabric()).isEqualTo("b");
        assertThat(spec.nodeA()).isEqualTo(spec.nodeB()).isEqualTo(Wwn.of("c003ff0000ffff00"));
        assertThat(spec.portA()).isEqualTo(Wwn.of("c003ff0000010000"));
        assertThat(spec.portB()).isEqualTo(Wwn.of("c003ff0000010001"));
        assertThat(spec.active()).isEqualTo(WwnSet.B);
        var files = (FibreChannelSpec.Attachment.Files) spec.attachment();
        assertThat(files.san()).isEqualTo("s");
        assertThat(files.paths()).isEqualTo(2);
        assertThat(files.luns()).extracting(FibreChannelSpec.Lun::number).containsExactly(3, 254);
        var first = files.luns().getFirst().drive();
        assertThat(first.path()).isEqualTo(Path.of("a,b.img"));
        assertThat(first.options().format()).isEqualTo(ImageFormat.RAW);
        assertThat(first.options().readOnly()).isTrue();
        assertThat(files.luns().getLast().drive().path()).isEqualTo(Path.of("c.vhdx"));
    }

    @Test
    void aDiskMayBeSharedWithOtherProcesses() {
        var files = (FibreChannelSpec.Attachment.Files)
                spec("san=s,lun=3:a.raw,shared,direct,lun=4:b").attachment();
        assertThat(files.luns())
                .extracting(lun -> lun.drive().options().shared())
                .containsExactly(true, false);
    }

    @Test
    void namesMayBeLeftToTheHost() {
        FibreChannelSpec spec = spec("san=s");
        assertThat(spec.portA()).isNull();
        assertThat(spec.nodeA()).isNull();
        assertThat(spec.active()).isEqualTo(WwnSet.A);
    }

    @Test
    void anAdapterOfTheHostsIsNamedAsInLinux() {
        FibreChannelSpec spec = spec("npiv=host3,wwpn-a=c003ff0000010000");
        assertThat(spec.attachment()).isEqualTo(new FibreChannelSpec.Attachment.Npiv("host3"));
        assertThat(spec.portA()).isEqualTo(Wwn.of("c003ff0000010000"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "lun=0:a",
                "san=",
                "san=s,shared",
                "san=s,wwnn=1",
                "san=s,wwpn-a=c003ff0000010000,wwpn-b=c003ff0000010000",
                "san=s,wwnn=c003ff0000010000,wwpn-b=c003ff0000010000",
                "san=s,active=c",
                "npiv=",
                "npiv=eth0",
                "npiv=host3,san=s",
                "npiv=host3,fabric=a",
                "npiv=host3,lun=0:a",
                "san=s,paths=0",
                "san=s,paths=many",
                "san=s,lun=a",
                "san=s,lun=x:a",
                "san=s,lun=0:",
                "san=s,lun=255:a",
                "san=s,lun=0:a,lun=0:b",
                "san=s,lun=0:a,lun=1:a",
                "san=s,lun=0:a,iops=5",
                "san=s,lun=0:a,sector=100",
                "san=s,lun=0:a.vhdx,shared",
                "san=s,lun=0:a,shared,readonly"
            })
    void nonsenseIsRefused(String text) {
        assertThatThrownBy(() -> FcArgument.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("--fc " + text);
    }
}
