package io.javisor.boot.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ACPI's reference compiler makes of the tables. */
class IaslTest {
    private static final Path IASL = Path.of("/usr/bin/iasl");

    @TempDir
    private Path folder;

    @BeforeAll
    static void needsIasl() {
        assumeTrue(Files.isExecutable(IASL), "no " + IASL + ": apt-get install acpica-tools");
    }

    @Test
    void tablesOfAPlainMachineAreClean() throws Exception {
        check(Machines.simple());
    }

    @Test
    void tablesOfARichMachineAreClean() throws Exception {
        check(Machines.rich());
    }

    @Test
    void theCheckFindsWhatIsWrong() throws Exception {
        byte[] slit = Machines.table(Machines.rich(), "SLIT").bytes();
        slit[44] ^= 1;
        Files.write(folder.resolve("BAD.dat"), slit);
        assertThat(run("-d", "BAD.dat")).containsPattern("(?i)checksum");
    }

    @Test
    void theDsdtSaysWhatTheDevicesSay() throws Exception {
        disassemble(Machines.table(Machines.rich(), "DSDT"));
        String source = Files.readString(folder.resolve("DSDT.dsl"));
        assertThat(source)
                .containsPattern("Name \\(\\\\?_S5, Package \\(0x04\\)[^}]*0x05")
                .contains("EisaId (\"PNP0501\")")
                .contains("\"ACPI0013\"")
                .contains("Return (\"VMBUS\")")
                .containsPattern("Notify \\(\\\\_SB.PWRB, 0x80\\)")
                .containsPattern("Notify \\(\\\\_SB.VGEN, 0x80\\)")
                .containsPattern("(?s)DWordMemory \\(ResourceProducer.*0xF8000000.*0xFBFFFFFF")
                .containsPattern("(?s)QWordMemory \\(ResourceProducer.*0x0000001000000000")
                .containsPattern("Interrupt \\(ResourceConsumer, Edge, ActiveHigh, Shared")
                .contains("Name (_PXM, One)");
    }

    private void check(AcpiTables tables) throws Exception {
        for (AcpiTable table : tables.tables()) {
            disassemble(table);
            String source = Files.readString(folder.resolve(table.signature() + ".dsl"));
            assertThat(source)
                    .as(table.signature())
                    .doesNotContainIgnoringCase("invalid")
                    .doesNotContain("**** ");
        }
        // A data table's listing does not compile to AML, the DSDT's does.
        String out = run("-ve", "DSDT.dsl");
        assertThat(out).contains("0 Errors").contains("0 Warnings");
    }

    private void disassemble(AcpiTable table) throws Exception {
        Files.write(folder.resolve(table.signature() + ".dat"), table.bytes());
        String out = run("-d", table.signature() + ".dat");
        assertThat(out)
                .as(table.signature())
                .doesNotContainIgnoringCase("warning")
                .doesNotContainIgnoringCase("error")
                .doesNotContainIgnoringCase("invalid");
    }

    private String run(String option, String file) throws IOException, InterruptedException {
        Process p = new ProcessBuilder(List.of(IASL.toString(), option, file))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(p.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out;
    }
}
