package io.javisor.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands in the lab, from this side; one small lab serves all of them. */
@Tag("lab")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LabCommandsTest {
    @TempDir
    private static Path writable;

    private static Lab lab;

    @BeforeAll
    static void start() {
        lab = Lab.start(LabSpec.of(l ->
                l.memoryPerNode(512L << 20).writable(writable).console(Path.of("target/lab/console-commands.log"))));
    }

    @AfterAll
    static void end() {
        if (lab != null) {
            lab.close();
        }
    }

    @Test
    void giveOutputErrorAndExitCode() {
        assertThat(lab.run(LabCommand.shell("echo out; echo err >&2; exit 7")))
                .isEqualTo(new LabResult(7, "out\n", "err\n"));
        assertThat(lab.run("true")).isEqualTo(new LabResult(0, "", ""));
        assertThat(lab.run("no-such-program").exitCode()).isEqualTo(127);
        assertThat(lab.run(LabCommand.of("true").in(Path.of("/no/such/folder"))).exitCode())
                .isNotZero();
        assertThat(lab.run(LabCommand.shell("kill -SEGV $$")).exitCode()).isEqualTo(128 + 11);
    }

    @Test
    void haveAFolderAnEnvironmentAndTheirOwnDevices() {
        LabResult result = lab.run(LabCommand.shell("pwd; echo \"$GREETING\"; echo again > /dev/stdout; ls -l /dev/kvm")
                .in(Path.of("/usr/lib"))
                .with("GREETING", "a 'quoted'\nword"));
        assertThat(result.output()).startsWith("/usr/lib\na 'quoted'\nword\nagain\ncrw");
    }

    @Test
    void takeInputToItsEnd() throws Exception {
        byte[] data = new byte[1 << 20];
        new Random(3).nextBytes(data);
        Process cat = lab.start(LabCommand.shell("sleep 0.3; cat"));
        Thread writer = Thread.ofVirtual().start(() -> {
            try (OutputStream in = cat.getOutputStream()) {
                in.write(data);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        byte[] back = cat.getInputStream().readAllBytes();
        writer.join();
        assertThat(Arrays.equals(back, data)).isTrue();
        assertThat(cat.getErrorStream().readAllBytes()).isEmpty();
        assertThat(cat.waitFor()).isZero();
    }

    @Test
    void mayLeaveInputUnread() throws Exception {
        Process process = lab.start(LabCommand.of("true"));
        process.getErrorStream().close();
        process.getInputStream().close();
        process.getOutputStream().write(new byte[100_000]);
        assertThat(process.waitFor()).isZero();
        // What it has not read must not reach the next one in its place.
        for (int i = 0; i < Lab.SLOTS; i++) {
            assertThat(lab.run(LabCommand.shell("cat; echo end")).output()).isEqualTo("end\n");
        }
    }

    @Test
    void runAtTheSameTimeAndWaitForAPlace() throws Exception {
        List<LabProcess> all = new ArrayList<>();
        for (int i = 0; i < Lab.SLOTS; i++) {
            all.add(lab.start(LabCommand.shell("read line; echo \"$line\"")));
        }
        List<String> late = new ArrayList<>();
        Thread waiting =
                Thread.ofVirtual().start(() -> late.add(lab.run("echo", "late").output()));
        Thread.sleep(300);
        assertThat(late).isEmpty();
        for (int i = 0; i < all.size(); i++) {
            all.get(i).getOutputStream().write(("number " + i + "\n").getBytes(StandardCharsets.US_ASCII));
        }
        for (int i = 0; i < all.size(); i++) {
            assertThat(new String(all.get(i).getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .isEqualTo("number " + i + "\n");
            assertThat(all.get(i).getErrorStream().readAllBytes()).isEmpty();
            assertThat(all.get(i).waitFor()).isZero();
        }
        waiting.join();
        assertThat(late).containsExactly("late\n");
    }

    @Test
    void endWithAllTheyStartedWhenDestroyed() throws Exception {
        LabProcess process = lab.start(LabCommand.shell("sleep 4321 & echo started; wait"));
        process.getInputStream().read(new byte[8]);
        assertThat(process.waitFor(100, TimeUnit.MILLISECONDS)).isFalse();
        process.destroy();
        assertThat(process.waitFor()).isEqualTo(128 + 15);
        process.abandon();
        assertThat(lab.run("pgrep", "-f", "sleep 4321").exitCode()).isEqualTo(1);

        LabProcess stubborn = lab.start(LabCommand.shell("trap '' TERM; echo started; while :; do sleep 1; done"));
        stubborn.getInputStream().read(new byte[8]);
        stubborn.destroy();
        assertThat(stubborn.waitFor(500, TimeUnit.MILLISECONDS)).isFalse();
        stubborn.destroyForcibly();
        assertThat(stubborn.waitFor()).isEqualTo(128 + 9);
        stubborn.abandon();
    }

    @Test
    void endWhenTheirReaderIsInterrupted() throws Exception {
        for (int i = 0; i <= Lab.SLOTS; i++) {
            List<Throwable> thrown = new ArrayList<>();
            Thread reader = Thread.ofPlatform().start(() -> {
                try {
                    lab.run(LabCommand.shell("while :; do echo text; sleep 0.01; done"));
                } catch (LabException e) {
                    thrown.add(e);
                }
            });
            // At any stage of its start.
            Thread.sleep(i * 50L);
            reader.interrupt();
            reader.join();
            assertThat(thrown).hasSize(1);
        }
        // Each place is free again.
        assertThat(lab.run("echo", "free").output()).isEqualTo("free\n");
    }

    @Test
    void writeToThisMachineOnlyWhereAllowed() throws Exception {
        Path mine = Files.writeString(writable.resolve("mine"), "from here");
        Path elsewhere = Files.createTempFile("lab-commands", ".txt");
        try {
            LabResult result =
                    lab.run(LabCommand.shell("cat " + mine + "; echo -n there > " + writable + "/theirs; echo lost > "
                            + elsewhere + "; cat " + elsewhere + "; rm -rf /usr/lib/apt; ls /usr/lib/apt"));
            assertThat(result.output()).isEqualTo("from herelost\n");
            assertThat(writable.resolve("theirs")).hasContent("there");
            assertThat(elsewhere).isEmptyFile();
            assertThat(Path.of("/usr/lib/apt")).isNotEmptyDirectory();
        } finally {
            Files.delete(elsewhere);
        }
    }

    @Test
    void loadDriversOfTheLabsKernel() {
        assertThat(lab.run(LabCommand.shell(
                        "modprobe dummy && modprobe vhost_net && grep -c '^dummy\\|^vhost_net' /proc/modules")))
                .isEqualTo(new LabResult(0, "2\n", ""));
    }

    @Test
    @Order(Integer.MAX_VALUE)
    void tellThatTheLabHasEndedUnderThem() throws Exception {
        LabProcess process = lab.start(LabCommand.shell("echo c > /proc/sysrq-trigger; sleep 60"));
        assertThatThrownBy(process::waitFor)
                .isInstanceOf(LabException.class)
                .hasMessageContaining("the lab ended while a command ran")
                .hasMessageContaining("sysrq triggered crash");
        assertThat(lab.isAlive()).isFalse();
        assertThatThrownBy(() -> lab.run("true"))
                .isInstanceOf(LabException.class)
                .hasMessageContaining("has ended");
        assertThat(Path.of("target/lab/console-commands.log")).content().contains("Kernel panic");
        long before = System.nanoTime();
        lab.close();
        lab.close();
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
    }
}
