package io.javisor.numa.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.numa.host.CapturedTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** numa_maps as captured from a two-node QEMU machine, and in the forms of huge pages. */
class NumaMapsTest {
    @TempDir
    Path dir;

    private NumaMaps captured(String name) throws IOException {
        return NumaMaps.parse(Files.readString(
                CapturedTree.unpack("two-sockets", dir.resolve("t")).resolve(name)));
    }

    private static long pagesOf(NumaMaps maps, String policy, int node) {
        return maps.mappings().stream()
                .filter(m -> m.policy().equals(policy) && m.file().contains("busybox"))
                .mapToLong(m -> m.pages().getOrDefault(node, 0L))
                .sum();
    }

    @Test
    void boundFilesLieOnTheirNode() throws IOException {
        NumaMaps maps = captured("numa_maps-bind");
        assertThat(pagesOf(maps, "bind:1", 1)).isEqualTo(1 + 260 + 86 + 7 + 3);
        assertThat(pagesOf(maps, "bind:1", 0)).isZero();
    }

    @Test
    void interleavedFilesLieOnBoth() throws IOException {
        NumaMaps maps = captured("numa_maps-interleave");
        assertThat(pagesOf(maps, "interleave:0-1", 0)).isEqualTo(1 + 130 + 43 + 4 + 1);
        assertThat(pagesOf(maps, "interleave:0-1", 1)).isEqualTo(130 + 43 + 3 + 2);
    }

    @Test
    void everyLineOfACapturedFileIsRead() throws IOException {
        Path file = CapturedTree.unpack("two-sockets", dir.resolve("t")).resolve("numa_maps-prefer");
        String text = Files.readString(file);
        NumaMaps maps = NumaMaps.parse(text);
        assertThat(maps.mappings()).hasSameSizeAs(text.lines().toList());
        assertThat(maps.mappings()).anyMatch(m -> m.file().isEmpty());
        assertThat(maps.mappings()).allMatch(m -> m.pageSize() == 4096);
    }

    @Test
    void hugePagesCountBytesOfTheirSize() {
        NumaMaps maps = NumaMaps.parse("""
                7f0000000000 bind:1 file=/memfd:node1\\040(deleted) huge dirty=3 N0=1 N1=2 kernelpagesize_kB=2048
                7f0000800000 prefer:0 file=/memfd:node1\\040(deleted) dirty=512 active=0 N0=512 kernelpagesize_kB=4
                7f0001000000 default anon=1 dirty=1 N1=1 kernelpagesize_kB=4
                """);
        assertThat(maps.mappings()).hasSize(3);
        assertThat(maps.bytesIn(0x7f0000000000L, 0x1000000)).isEqualTo(Map.of(0, 4L << 20, 1, 4L << 20));
        assertThat(maps.bytesIn(0x7f0000800000L, 0x1000)).isEqualTo(Map.of(0, 2L << 20));
        assertThat(maps.bytesIn(0x7f0000000001L, 0x1000)).isEmpty();
    }

    @Test
    void otherTextIsLeftOut() {
        assertThat(NumaMaps.parse("").mappings()).isEmpty();
        assertThat(NumaMaps.parse("rubbish\n\n7f zz\nffffffffff600000 default\nxyz default N0=1\n")
                        .mappings())
                .extracting(m -> Long.toHexString(m.address()))
                .containsExactly("7f", "ffffffffff600000");
        assertThat(NumaMaps.parse("1000 default N0=99999999999999999999 N0=1 N0=2 file=N1=3")
                        .mappings()
                        .getFirst()
                        .pages())
                .isEqualTo(Map.of(0, 3L));
    }

    @Test
    void theProcessorOfAThread() {
        String stat = "17 (a (b) c) S 1 17 17 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 100 1000 10 18446744073709551615"
                + " 1 1 0 0 0 0 0 4096 0 0 0 0 17 5 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
        assertThat(ProcFiles.processor(stat)).isEqualTo(5);
        assertThat(ProcFiles.processor("")).isEqualTo(-1);
        assertThat(ProcFiles.processor("17 (x) S 1 2")).isEqualTo(-1);
    }
}
