package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.memory.balancer.Claim;
import io.javisor.memory.simulation.DemandTrace;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code javisor memory}, as a person at a shell sees it, and the policy of an example. */
class MemoryCommandTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path folder;

    private String out = "";
    private String err = "";

    private int javisor(String... words) {
        var to = new StringWriter();
        var errors = new StringWriter();
        CommandLine line = JavisorCommand.commandLine();
        line.setOut(new PrintWriter(to, true)).setErr(new PrintWriter(errors, true));
        int code = line.execute(words);
        out = to.toString();
        err = errors.toString();
        return code;
    }

    @Test
    void aCommandIsRecordedAndItsTraceSimulated() throws Exception {
        String file = folder.resolve("t.trace").toString();
        assertThat(javisor(
                        "memory",
                        "record",
                        "--name",
                        "a tail",
                        file,
                        "--",
                        "sh",
                        "-c",
                        "head -c 50000000 /dev/zero | tail -c 40000000 >/dev/null; sleep 2"))
                .as("%s", err)
                .isZero();
        DemandTrace trace = DemandTrace.read(Path.of(file));
        assertThat(trace.workload()).isEqualTo("a tail");
        assertThat(trace.samples()).hasSizeGreaterThanOrEqualTo(2);
        assertThat(javisor("memory", "simulate", "--machines", "6", "--hours", "1", file))
                .as("%s", err)
                .isZero();
        assertThat(out).contains("### recorded", "recorded: a tail", "| weighted | ", "3 days in ");
    }

    @Test
    void theHostIsRecorded() throws Exception {
        Path file = folder.resolve("host.trace");
        assertThat(javisor("memory", "record", "--host", "--seconds", "1", file.toString()))
                .isZero();
        assertThat(DemandTrace.read(file).peak()).isGreaterThan(100 * MIB);
    }

    @Test
    void whatCantBeIsRefused() throws Exception {
        Path file = Files.writeString(folder.resolve("x"), "no trace");
        assertThat(javisor("memory", "record", file.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("what is to be recorded?");
        assertThat(javisor("memory", "record", "--cgroup", folder.toString(), file.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("no control group");
        assertThat(javisor("memory", "record", file.toString(), "--", "/no/such/program"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(javisor("memory", "simulate", file.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(err).contains("is no demand trace: line 1");
        assertThat(javisor("memory", "simulate", "--machines", "0")).isEqualTo(ExitCode.USAGE);
        assertThat(javisor("memory")).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void theExamplesPolicyGivesWholeSizesWhileThereIsEnough() {
        List<Claim> claims = List.of(claim(300), claim(500));
        assertThat(GrowAndShrink.WHOLE_SIZES.divide(4096 * MIB, claims)).containsExactly(384 * MIB, 512 * MIB);
        assertThat(GrowAndShrink.WHOLE_SIZES.divide(820 * MIB, claims)).containsExactly(300 * MIB, 512 * MIB);
        assertThat(GrowAndShrink.WHOLE_SIZES.divide(4096 * MIB, List.of(claim(1000))))
                .containsExactly(1000 * MIB);
    }

    private static Claim claim(long want) {
        return new Claim(256 * MIB, 256 * MIB, want * MIB, Math.max(1000, want) * MIB, 5000, 256 * MIB);
    }
}
