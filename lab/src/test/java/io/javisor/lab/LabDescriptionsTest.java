package io.javisor.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.boot.debian.DebianPackages;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of a lab and its commands, before there is one. */
class LabDescriptionsTest {
    private static final HostImage IMAGE = new HostImage(Path.of("/k"), Path.of("/i"), "6.1.0-1-amd64", Path.of("/m"));

    @ParameterizedTest
    @CsvSource({"512M, 536870912", "3G, 3221225472"})
    void readsSizes(String text, long bytes) {
        assertThat(LabSpec.size(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "G", "3", "-1G", "3K", "3GB", "99999999999G", "3g"})
    void refusesOtherSizes(String text) {
        assertThatThrownBy(() -> LabSpec.size(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesLabsThatCannotBe() {
        assertThatThrownBy(() -> LabSpec.of(l -> l.nodes(0))).hasMessageContaining("nodes: 0");
        assertThatThrownBy(() -> LabSpec.of(l -> l.nodes(9))).hasMessageContaining("1..8");
        assertThatThrownBy(() -> LabSpec.of(l -> l.vcpus(65))).hasMessageContaining("vcpus: 65");
        assertThatThrownBy(() -> LabSpec.of(l -> l.memoryPerNode(64L << 20))).hasMessageContaining("memoryPerNode");
        assertThatThrownBy(() -> LabSpec.of(l -> l.memoryPerNode((512L << 20) + 1)))
                .hasMessageContaining("whole MiB");
    }

    @Test
    void dealsProcessorsToNodesInBlocks() {
        assertThat(numa(2, 4)).containsExactly("cpus=0,cpus=1,cpus=2", "cpus=3,cpus=4");
        assertThat(numa(4, 2)).containsExactly("cpus=0,cpus=1", "", "cpus=2", "");
        assertThat(numa(3, 4)).containsExactly("cpus=0,cpus=1,cpus=2", "cpus=3", "cpus=4");
        assertThat(command(2, 4)).contains("5,sockets=5,cores=1,threads=1");
    }

    private static List<String> numa(int nodes, int vcpus) {
        return command(nodes, vcpus).stream()
                .filter(word -> word.startsWith("node,"))
                .map(word -> word.replaceFirst("node,nodeid=.,memdev=node.,?", ""))
                .toList();
    }

    private static List<String> command(int nodes, int vcpus) {
        LabSpec spec = LabSpec.of(l -> l.nodes(nodes).vcpus(vcpus).memoryPerNode(1L << 30));
        return QemuCommand.of(new QemuProgram(List.of("/q")), spec, IMAGE, Path.of("/s"), 1, Path.of("/c"));
    }

    @Test
    void writesCommasInPathsAsQemuReadsThem() {
        LabSpec spec = LabSpec.of(l -> l.writable(Path.of("/a,b")));
        assertThat(QemuCommand.of(new QemuProgram(List.of("/q")), spec, IMAGE, Path.of("/s"), 1, Path.of("/c,d")))
                .contains("file,id=console,path=/c,,d")
                .anyMatch(word -> word.startsWith("local,id=lab-writable-0,path=/a,,b,"));
    }

    @Test
    void aCableHasTwoEndsAtOneWire() {
        LabCable one = LabCable.ends().getFirst();
        List<LabCable> ends = LabCable.ends();
        assertThat(ends).extracting(LabCable::mac).doesNotHaveDuplicates().doesNotContain(one.mac());
        assertThat(ends.getFirst().wire()).isEqualTo(ends.getLast().wire()).isNotEqualTo(one.wire());
        assertThat(qemu(ends.getFirst()))
                .contains("server=on", "addr.path=" + ends.getFirst().wire());
        assertThat(qemu(ends.getLast()))
                .contains("server=off", "mac=" + ends.getLast().mac());
        assertThatThrownBy(() -> new LabCable("02:fc:00:01:00:01,x=y", "wire", true))
                .hasMessageContaining("mac");
        assertThatThrownBy(() -> new LabCable("02:fc:00:01:00:01", "a,b", true)).hasMessageContaining("wire");
    }

    private static String qemu(LabCable end) {
        LabSpec spec = LabSpec.of(l -> l.cable(end));
        return String.join(
                " ", QemuCommand.of(new QemuProgram(List.of("/q")), spec, IMAGE, Path.of("/s"), 1, Path.of("/c")));
    }

    /** Whatever a word holds, the shell gives the program the same bytes, from a single line. */
    @ParameterizedTest
    @ValueSource(
            strings = {"", "a b", "it's", "$HOME `id` \\n", "two\nlines\t", "ünï©ødé 💥", "-n", "*", "\u0001\u007f1"})
    void quotesWords(String word) throws Exception {
        LabCommand command = LabCommand.of("printf", "%s", word).with("X", word);
        assertThat(command.toShell()).matches("[ -~]*");
        assertThat(output(command)).isEqualTo(word);
        assertThat(output(LabCommand.of("sh", "-c", "printf %s \"$X\"").with("X", word)))
                .isEqualTo(word);
    }

    private static String output(LabCommand command) throws Exception {
        String busybox = DebianPackages.open().busybox().toString();
        Process shell = new ProcessBuilder(busybox, "sh", "-c", command.toShell()).start();
        return new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void refusesWordsThatNoProgramCouldGet() {
        assertThatThrownBy(() -> LabCommand.of("echo", "a\0b").toShell()).hasMessageContaining("NUL");
        assertThatThrownBy(() -> new LabCommand(List.of(), null, Map.of())).hasMessageContaining("program");
    }

    @Test
    void readsTheOptionsOfRun() {
        Deque<String> words = new ArrayDeque<>(Arrays.asList(
                "--memory",
                "6G",
                "--nodes",
                "4",
                "--vcpus",
                "8",
                "--kernel",
                "6.12",
                "--append",
                "nosmp",
                "--",
                "-x",
                "y"));
        LabSpec spec = Objects.requireNonNull(Run.options(words));
        assertThat(spec.memoryPerNode()).isEqualTo(6L << 30);
        assertThat(spec.nodes()).isEqualTo(4);
        assertThat(spec.vcpus()).isEqualTo(8);
        assertThat(spec.kernel()).isEqualTo(HostKernel.V6_12);
        assertThat(spec.kernelArguments()).containsExactly("nosmp");
        assertThat(words).containsExactly("-x", "y");
        assertThat(Run.options(new ArrayDeque<>(List.of("--help")))).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "--nodes",
                "--nodes 2",
                "--nodes x true",
                "--kernel 5.10 true",
                "--what 1 true",
                "--memory 1 true"
            })
    void refusesBadOptionsOfRun(String line) {
        Deque<String> words = new ArrayDeque<>(line.isEmpty() ? List.of() : List.of(line.split(" ")));
        assertThatThrownBy(() -> Run.options(words)).isInstanceOf(IllegalArgumentException.class);
    }
}
