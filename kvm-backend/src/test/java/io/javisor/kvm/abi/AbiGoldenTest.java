package io.javisor.kvm.abi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Holds layouts, ioctl numbers and constants to a table that a C compiler made from the kernel's headers with
 * src/test/c/abi-golden.c, and the table to the headers of this machine where it has them.
 */
class AbiGoldenTest {
    private static final Path GENERATOR = Path.of("src/test/c/abi-golden.c");

    private static Map<String, String> golden() throws IOException {
        try (InputStream in = AbiGoldenTest.class.getResourceAsStream("abi-golden.txt")) {
            assertThat(in).isNotNull();
            return AbiTable.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList());
        }
    }

    @Test
    void layoutsNumbersAndConstantsAreThoseOfTheHeaders() throws IOException {
        Map<String, String> golden = golden();
        assertThat(golden).hasSizeGreaterThan(600);
        assertThat(AbiTable.ofJava()).isEqualTo(golden);
    }

    @Test
    void tableIsThatOfThisMachinesHeaders(@TempDir Path folder) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/gcc")), "needs gcc");
        assumeTrue(Files.exists(Path.of("/usr/include/linux/kvm.h")), "needs linux/kvm.h (Debian: linux-libc-dev)");
        Path program = folder.resolve("abi-golden");
        run(
                folder,
                "gcc",
                "-Wall",
                "-Werror",
                "-o",
                program.toString(),
                GENERATOR.toAbsolutePath().toString());
        Map<String, String> here = AbiTable.parse(run(folder, program.toString()));
        // Headers older than the table lack its newest rows; what they have must agree.
        Map<String, String> golden = golden();
        assertThat(here).hasSizeGreaterThan(golden.size() * 8 / 10);
        assertThat(golden).containsAllEntriesOf(here);
    }

    private static List<String> run(Path folder, String... command) throws Exception {
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        List<String> lines = Files.readAllLines(output);
        assertThat(process.exitValue()).as(String.join("\n", lines)).isZero();
        return lines;
    }

    @Test
    void movingAnyFieldIsSeen() throws Exception {
        Map<String, String> golden = golden();
        int moved = 0;
        for (StructLayout struct : structs()) {
            List<MemoryLayout> fields = new ArrayList<>(struct.memberLayouts());
            for (int i = 0; i + 1 < fields.size(); i++) {
                if (fields.get(i).byteSize() == 0 || fields.get(i + 1).byteSize() == 0) {
                    continue;
                }
                List<MemoryLayout> swapped = new ArrayList<>(fields);
                Collections.swap(swapped, i, i + 1);
                assertThat(seen(golden, struct, swapped))
                        .as("%s with %s and %s exchanged", struct, fields.get(i), fields.get(i + 1))
                        .isTrue();
                moved++;
            }
        }
        assertThat(moved).isGreaterThan(150);
    }

    private static boolean seen(Map<String, String> golden, StructLayout struct, List<MemoryLayout> fields) {
        StructLayout wrong;
        try {
            wrong = MemoryLayout.structLayout(fields.toArray(MemoryLayout[]::new));
        } catch (IllegalArgumentException misaligned) {
            return true;
        }
        Map<String, String> rows =
                new TreeMap<>(AbiTable.ofStruct(wrong.withName(struct.name().orElseThrow())));
        return !golden.entrySet().containsAll(rows.entrySet());
    }

    private static List<StructLayout> structs() throws IllegalAccessException {
        List<StructLayout> all = new ArrayList<>();
        for (Class<?> owner : AbiTable.LAYOUTS) {
            for (var field : owner.getFields()) {
                if (field.get(null) instanceof StructLayout struct) {
                    all.add(struct);
                }
            }
        }
        return all;
    }

    @Test
    void changedSizeChangesTheNumberOfAnIoctl() {
        // _IOW(0xAE, 0x46, 32 bytes), as linux/kvm.h computes it
        assertThat(Ioctl.KVM_SET_USER_MEMORY_REGION.number()).isEqualTo(0x4020_AE46L);
        assertThat(Ioctl.KVM_RUN.number()).isEqualTo(0xAE80L);
        assertThat(Ioctl.KVM_GET_REGS.number()).isEqualTo(0x8090_AE81L);
        assertThat(Ioctl.KVM_GET_SUPPORTED_CPUID.number()).isEqualTo(0xC008_AE05L);
    }
}
