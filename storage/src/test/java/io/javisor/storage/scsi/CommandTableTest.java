package io.javisor.storage.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskImage;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The documentation's table of commands is what the code supports, and its tests are there. */
class CommandTableTest {
    private static final Pattern ROW = Pattern.compile("\\| ([0-9A-F]{2}(?:/[0-9A-F]{2})?) ([^|]+) \\| ([^|]+) \\|");

    @Test
    void docsListEveryCommandWithItsTest() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("..", "docs", "storage.md"));
        Set<String> methods = Stream.of(
                        DiskUnitTest.class, ReservationsTest.class, TargetTest.class, CopyCommandsTest.class)
                .flatMap(c -> Arrays.stream(c.getDeclaredMethods()))
                .map(Method::getName)
                .collect(Collectors.toSet());
        var listed = lines.stream().map(ROW::matcher).filter(m -> m.matches()).map(m -> {
            for (String test : m.group(3).split(", ", -1)) {
                assertThat(methods).contains(test);
            }
            return m.group(1) + " "
                    + m.group(2).replaceAll("[,(] ?(with|of the target).*", "").trim();
        });
        try (Disk disk = DiskImage.memory("d", 4096, 512)) {
            var unit = new DiskUnit(disk);
            unit.setPortGroups(new PortGroups(List.of(TargetPort.ONLY)));
            var supported = Stream.concat(unit.commands().stream(), Stream.of("A0 REPORT LUNS"));
            assertThat(listed.toList()).containsExactlyInAnyOrderElementsOf(supported.toList());
        }
    }
}
