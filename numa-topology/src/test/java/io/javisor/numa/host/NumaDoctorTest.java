package io.javisor.numa.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.numa.host.NumaWarning.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the doctor says of captured hosts, and how they are drawn. */
class NumaDoctorTest {
    @TempDir
    Path dir;

    private List<NumaWarning> examine(String tree) {
        return NumaDoctor.examine(CapturedTree.read(tree, dir));
    }

    private NumaWarning only(String tree, String code) {
        List<NumaWarning> found =
                examine(tree).stream().filter(w -> w.code().equals(code)).toList();
        assertThat(found).as(code + " in " + tree).hasSize(1);
        return found.getFirst();
    }

    private List<String> codes(String tree) {
        return examine(tree).stream().map(NumaWarning::code).toList();
    }

    @Test
    void evenHostsDrawNoWarningsOfTheirShape() {
        assertThat(codes("one-node")).containsExactly("shared-huge-pages-off");
        assertThat(codes("two-sockets")).containsExactly("shared-huge-pages-off");
        assertThat(codes("sub-numa")).containsExactly("shared-huge-pages-off");
    }

    @Test
    void aNodeWithoutMemoryIsWorstAndComesFirst() {
        NumaWarning first = examine("memoryless").getFirst();
        assertThat(first.code()).isEqualTo("node-without-memory");
        assertThat(first.severity()).isEqualTo(Severity.WORST);
        assertThat(first.message()).contains("node 1", "processors 2-3", "must cross to node 0 (distance 20)");
        assertThat(first.remedy()).contains("memory modules");
    }

    @Test
    void unequalMemoryGivesTheNumbers() {
        NumaWarning w = only("four-sockets", "unequal-memory");
        assertThat(w.severity()).isEqualTo(Severity.SLOW);
        assertThat(w.message()).contains("node 0 4", "node 3 1", "MiB");
    }

    @Test
    void hugePagesOnOneNodeOnly() {
        NumaWarning w = only("offline-isolated", "huge-pages-uneven");
        assertThat(w.message()).contains("2 MiB are on node 1 only, none on node 0");
        assertThat(w.remedy())
                .isEqualTo("echo 16 > /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages");
    }

    @Test
    void isolatedAndOfflineProcessors() {
        assertThat(only("offline-isolated", "isolated-cpus").message()).contains("processors 6-7");
        assertThat(only("offline-isolated", "offline-cpus").remedy())
                .isEqualTo("echo 1 > /sys/devices/system/cpu/cpu3/online");
        assertThat(only("offline-isolated", "unequal-processors").message()).contains("node 0 3, node 1 4");
    }

    @Test
    void aCpusetThatMakesProcessorsCross() {
        NumaWarning w = only("cpuset", "cpuset-crosses-nodes");
        assertThat(w.severity()).isEqualTo(Severity.WORST);
        assertThat(w.message()).contains("processors 4 ", "node 1", "must cross to node 0 (distance 20)");
        assertThat(only("cpuset", "cpus-not-allowed").message()).contains("2-3,5-7");
        assertThat(only("cpuset", "memory-not-allowed").message()).contains("node 1");
    }

    @Test
    void memoryOnlyNodeWithItsSpeed() {
        assertThat(only("memory-only", "memory-only-node").message()).contains("node 2", "20 ns", "from node 1");
    }

    @Test
    void aNodeShortOfMemory() throws IOException {
        Path root = CapturedTree.unpack("two-sockets", dir.resolve("short"));
        Path meminfo = root.resolve("sys/devices/system/node/node1/meminfo");
        String text = Files.readString(meminfo);
        assertThat(codes("two-sockets")).doesNotContain("node-short-of-memory");
        Files.writeString(
                meminfo,
                text.replaceAll("MemFree: +\\d+ kB", "MemFree: 1024 kB")
                        .replaceAll("FilePages: +\\d+ kB", "FilePages: 0 kB"));
        assertThat(NumaDoctor.examine(HostTopology.read(root))).anySatisfy(w -> {
            assertThat(w.code()).isEqualTo("node-short-of-memory");
            assertThat(w.message()).contains("node 1", "MiB");
        });
    }

    @Test
    void everyWarningSaysWhatToChange() {
        for (String tree : List.of("memoryless", "four-sockets", "offline-isolated", "cpuset", "memory-only")) {
            assertThat(examine(tree)).allSatisfy(w -> {
                assertThat(w.remedy()).isNotBlank();
                assertThat(w.toString()).contains(w.code(), w.message(), w.remedy());
            });
            assertThat(examine(tree)).isSortedAccordingTo(java.util.Comparator.comparing(NumaWarning::severity));
        }
    }

    @Test
    void drawsSocketsNodesAndDistances() {
        List<String> lines = NumaDrawing.draw(CapturedTree.read("sub-numa", dir));
        String text = String.join("\n", lines);
        assertThat(lines.getFirst()).startsWith("4 nodes, 2 sockets, 8 processors online");
        assertThat(text).contains("+- socket 0 ", "| node 0", "|   processors  0-1", "distance    0    1    2    3");
        assertThat(lines).contains("       0   10   12   21   21");
        assertThat(lines).allSatisfy(l -> assertThat(l).matches("[ -~]*[!-~]"));
        // Boxes close: within a box all lines are equally wide.
        int width = lines.get(1).length();
        assertThat(lines.stream().filter(l -> l.startsWith("|")).limit(8)).allMatch(l -> l.length() == width);
    }

    @Test
    void drawsWhatIsMissingOrClosed() {
        assertThat(String.join("\n", NumaDrawing.draw(CapturedTree.read("memory-only", dir))))
                .contains("+- no socket", "processors  none", "20 ns");
        assertThat(String.join("\n", NumaDrawing.draw(CapturedTree.read("memoryless", dir))))
                .contains("memory      none");
        assertThat(String.join("\n", NumaDrawing.draw(CapturedTree.read("cpuset", dir))))
                .contains("2-3 closed to us", "(closed to us)");
        assertThat(String.join("\n", NumaDrawing.draw(CapturedTree.read("offline-isolated", dir))))
                .contains("6-7 isolated", "huge pages  16 of 2 MiB, 16 free");
    }
}
