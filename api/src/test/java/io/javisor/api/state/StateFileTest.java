package io.javisor.api.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.api.DriveSpec;
import io.javisor.api.MachineSpec;
import io.javisor.api.MemorySize;
import io.javisor.api.ResetAction;
import io.javisor.api.VirtualMachine;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFileTest {
    @TempDir
    Path folder;

    private static byte[] file() {
        return StateFile.encode(List.of(
                new Leaf("one", 1, new StateWriter().put("n", 7).toByteArray()),
                new Leaf("two", 3, new StateWriter().put("text", "größer").toByteArray())));
    }

    @Test
    void goesRound() throws Exception {
        Files.write(folder.resolve(StateFile.NAME), file());
        Map<String, Leaf> leaves = StateFile.read(folder);
        assertThat(leaves.keySet()).containsExactly("one", "two");
        assertThat(Objects.requireNonNull(leaves.get("one")).reader().getLong("n"))
                .isEqualTo(7);
        Leaf two = Objects.requireNonNull(leaves.get("two"));
        assertThat(two.version()).isEqualTo(3);
        assertThat(two.reader().getString("text")).isEqualTo("größer");
    }

    @Test
    void everyChangedBitIsFound() {
        byte[] good = file();
        for (int bit = 0; bit < 8 * good.length; bit++) {
            byte[] bad = good.clone();
            bad[bit / 8] ^= (byte) (1 << (bit % 8));
            int at = bit;
            assertThatThrownBy(() -> StateFile.decode("file", bad))
                    .as(() -> "bit " + at)
                    .isInstanceOf(StateException.class);
        }
    }

    @Test
    void everyCutIsFound() {
        byte[] good = file();
        for (int length = 0; length < good.length; length++) {
            byte[] bad = Arrays.copyOf(good, length);
            assertThatThrownBy(() -> StateFile.decode("file", bad)).isInstanceOf(StateException.class);
        }
        assertThatThrownBy(() -> StateFile.decode("file", Arrays.copyOf(good, good.length + 1)))
                .isInstanceOf(StateException.class);
    }

    @Test
    void anotherFormatSaysSo() {
        byte[] next = file();
        next[11] = 2;
        assertThatThrownBy(() -> StateFile.decode("file", next))
                .hasMessageContaining("format 2")
                .hasMessageContaining("version of Javisor");
        assertThatThrownBy(
                        () -> StateFile.decode("file", "#!/bin/sh\n".repeat(10).getBytes(StandardCharsets.US_ASCII)))
                .hasMessageContaining("not the state of a machine");
        assertThatThrownBy(() -> StateFile.read(folder)).hasMessageContaining("no saved machine");
    }

    @Test
    void descriptionsGoRound() {
        MachineSpec spec = VirtualMachine.builder("größer")
                .numa(n -> n.node(x -> x.vcpus(2).memory(MemorySize.gib(1)))
                        .node(x -> x.vcpus(1).memory(MemorySize.gib(2)))
                        .distance(0, 1, 33))
                .linux(l -> l.debian("6.12-cloud").modules("loop").append("quiet"))
                .onReset(ResetAction.STOP)
                .spec();
        assertThat(SpecLeaf.read(SpecLeaf.of(spec).reader())).isEqualTo(spec);
        MachineSpec files = VirtualMachine.builder("files")
                .linux(l -> l.kernel(Path.of("/boot/vmlinuz")).initrd(Path.of("/boot/initrd")))
                .spec();
        assertThat(SpecLeaf.read(SpecLeaf.of(files).reader())).isEqualTo(files);
    }

    @Test
    void drivesGoRound() {
        DriveSpec disk = DriveSpec.builder(Path.of("/images/root.vhdx"))
                .readOnly()
                .iops(500)
                .at(1, 5)
                .build();
        StateWriter out = DriveLeaf.save(disk);
        DriveSpec again = DriveLeaf.read(new Leaf("drive", 1, out.toByteArray()).reader());
        assertThat(again.path()).isEqualTo(disk.path());
        assertThat(again.kind()).isEqualTo(disk.kind());
        assertThat(again.limits()).isEqualTo(disk.limits());
        assertThat(again.address()).isEqualTo(disk.address());
        assertThat(again.options().readOnly()).isTrue();
    }

    @Test
    void regionsAreChecked() {
        var low = new MachineLeaf.Region(0, 0x1000_0000, 0, 0);
        var high = new MachineLeaf.Region(0x1_0000_0000L, 0x1000_0000, 0, 0x1000_0000);
        MachineLeaf good = new MachineLeaf(Instant.EPOCH, new UUID(1, 2), List.of(low, high));
        assertThat(MachineLeaf.read(good.leaf().reader())).isEqualTo(good);
        good.requireWithin(List.of(0x2000_0000L));
        assertThatThrownBy(() -> good.requireWithin(List.of(0x1FFF_F000L))).hasMessageContaining("impossible");
        assertThatThrownBy(() -> good.requireWithin(List.of())).hasMessageContaining("impossible");
        var twice = new MachineLeaf(Instant.EPOCH, new UUID(1, 2), List.of(low, low));
        assertThatThrownBy(() -> twice.requireWithin(List.of(0x2000_0000L))).hasMessageContaining("impossible");
    }
}
