package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code --machines} understands. */
class MachinesFileTest {
    @TempDir
    private Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("machines"), text);
    }

    @Test
    void machinesAndSwitchesAreRead() throws IOException {
        MachinesFile read = MachinesFile.read(file("""
                # two machines

                switch lan: capacity=1G capture=lan.pcapng
                web: --vcpus 2 --net switch=lan,vlan=10 \\
                     --exec 'echo "it is"  \\
                 here'
                db:  --net switch=lan --memory 256M
                """));
        assertThat(read.switches()).containsOnlyKeys("lan");
        assertThat(read.switches().get("lan")).isEqualTo(new MachinesFile.SwitchEntry(1L << 30, Path.of("lan.pcapng")));
        assertThat(read.machines()).extracting(m -> m.name).containsExactly("web", "db");
        assertThat(read.machines().get(0).exec).isEqualTo("echo \"it is\"    here");
        assertThat(read.machines().get(0).options.vcpus()).isEqualTo(2);
        assertThat(read.machines().get(0).options.name()).isEqualTo("web");
        assertThat(read.machines().get(1).options.memory()).isEqualTo(256L << 20);
        assertThat(read.machines().get(1).exec).isNull();
    }

    @Test
    void wordsAreAShells() {
        assertThat(MachinesFile.words(" a 'b c'  \"d \\\" e\" f\\ g '' h'i'j "))
                .containsExactly("a", "b c", "d \" e", "f g", "", "hij");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "# nothing",
                "web",
                "web --vcpus 2",
                "a b: --vcpus 2",
                "web: --vcpus two",
                "web: --save state",
                "web: --restore state --net user",
                "web: --unknown",
                "web: --name other",
                "web: --net bridge",
                "web: --exec 'open",
                "web: --vcpus 1\nweb: --vcpus 2",
                "web: --vcpus 1\nswitch lan: speed=1",
                "web: --vcpus 1\nswitch lan: capacity=1G\nswitch lan: capacity=2G"
            })
    void nonsenseIsRefusedWithItsLine(String text) throws IOException {
        Path file = file(text);
        assertThatThrownBy(() -> MachinesFile.read(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(file.toString() + ":");
        Ran ran = Ran.javisor("run", "--machines", file.toString());
        assertThat(ran.exitCode()).isEqualTo(64);
        assertThat(ran.err()).startsWith("javisor: " + file);
    }

    @Test
    void otherOptionsBelongIntoTheFile() throws IOException {
        Ran ran = Ran.javisor(
                "run", "--vcpus", "2", "--machines", file("web: --vcpus 1").toString());
        assertThat(ran.exitCode()).isEqualTo(64);
        assertThat(ran.err()).contains("--vcpus can't be given with --machines");
        assertThat(Ran.javisor("run", "--machines", folder.resolve("none").toString())
                        .err())
                .contains("no such file");
    }

    @Test
    void linesAreLabelled() throws IOException {
        var to = new ByteArrayOutputStream();
        var out = new LabelledLines("web", to);
        out.write("one\r\ntw".getBytes(StandardCharsets.UTF_8));
        out.write("o\n\nlast".getBytes(StandardCharsets.UTF_8));
        out.finish();
        assertThat(to.toString(StandardCharsets.UTF_8)).isEqualTo("web| one\nweb| two\nweb| \nweb| last\n");
    }
}
