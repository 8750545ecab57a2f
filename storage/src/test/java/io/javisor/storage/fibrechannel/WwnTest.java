package io.javisor.storage.fibrechannel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.HypervisorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** World-wide names, and the range that they are given out from. */
class WwnTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"c003ff0000ffff00", "0xC003FF0000FFFF00", "C0:03:FF:00:00:FF:FF:00"})
    void isReadAsPeopleWriteIt(String text) {
        Wwn name = Wwn.of(text);
        assertThat(name.value()).isEqualTo(0xC003FF0000FFFF00L);
        assertThat(name.hex()).isEqualTo("c003ff0000ffff00");
        assertThat(name).hasToString("c0:03:ff:00:00:ff:ff:00");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "c003ff0000ffff0",
                "c003ff0000ffff000",
                "c0:03:ff:00:00:ff:ff",
                "c0-03-ff-00-00-ff-ff-00",
                "0000000000000000",
                "ffffffffffffffff",
                "0123456789abcdef",
                "6001405000000000",
                "c003ff0000ffffxx"
            })
    void whatIsNoneIsRefused(String text) {
        assertThatThrownBy(() -> Wwn.of(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("world-wide name");
    }

    @Test
    void setsMustBeTold() {
        Wwn node = Wwn.of("c003ff0000ffff00");
        Wwn port = Wwn.of("c003ff0000010000");
        assertThatThrownBy(() -> new PortNames(node, port, node, port)).hasMessageContaining("both sets");
        assertThatThrownBy(() -> new PortNames(node, port, port, node)).hasMessageContaining("same name");
    }

    @Test
    void namesOfTheRangeAreKeptAndNeverGivenTwice() throws Exception {
        var seen = new HashSet<Wwn>();
        try (var threads = Executors.newFixedThreadPool(4)) {
            List<Future<PortNames>> all = IntStream.range(0, 200)
                    .mapToObj(i -> threads.submit(() -> new WwnRange(folder).names("vm " + i % 100 + "/fc0")))
                    .toList();
            for (int i = 0; i < 200; i++) {
                PortNames names = all.get(i).get();
                assertThat(names.nodeA()).isEqualTo(names.nodeB()).isEqualTo(WwnRange.NODE);
                assertThat(names.portA().hex()).startsWith("c003ff");
                assertThat(seen.add(names.portA())).as("%s", names).isEqualTo(i < 100);
                assertThat(seen.add(names.portB())).as("%s", names).isEqualTo(i < 100);
                assertThat(new WwnRange(folder).names("vm " + i % 100 + "/fc0")).isEqualTo(names);
            }
        }
        assertThat(seen).hasSize(200).doesNotContain(WwnRange.NODE);
        assertThat(seen.stream().map(name -> name.hex().substring(0, 12)).distinct())
                .as("one host")
                .hasSize(1);
    }

    @Test
    void aLineThatWasTakenOutIsFreeAgain() throws Exception {
        var range = new WwnRange(folder);
        PortNames first = range.names("a");
        range.names("b");
        Path file = folder.resolve("wwn");
        List<String> lines = Files.readAllLines(file);
        Files.write(file, List.of(lines.get(0), lines.get(2)));
        assertThat(range.names("c")).isEqualTo(first);
    }

    @ParameterizedTest
    @ValueSource(strings = {"garbage\n", "1234567\n", "123456\nx a\n", "123456\n32767 a\n", "123456\n-1 a\n"})
    void aDamagedFileIsAnError(String text) throws Exception {
        Files.writeString(folder.resolve("wwn"), text);
        assertThatThrownBy(() -> new WwnRange(folder).names("b"))
                .isInstanceOfSatisfying(
                        HypervisorException.class, e -> assertThat(e.code()).isEqualTo("fc-names"));
    }

    @Test
    void aFolderThatCannotBeMadeIsAnError() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> new WwnRange(file).names("a"))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("give the adapter names of your own");
    }

    @Test
    void theHostsRangeIsInTheStateFolder() {
        assertThat(WwnRange.folder(Map.of("XDG_STATE_HOME", "/s"), "/h")).isEqualTo(Path.of("/s/javisor"));
        assertThat(WwnRange.folder(Map.of(), "/h")).isEqualTo(Path.of("/h/.local/state/javisor"));
        assertThat(WwnRange.folder(Map.of("XDG_STATE_HOME", "relative"), "/h"))
                .isEqualTo(Path.of("/h/.local/state/javisor"));
    }
}
