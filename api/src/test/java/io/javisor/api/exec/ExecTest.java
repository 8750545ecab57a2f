package io.javisor.api.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.api.exec.GuestShell.Kind;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** The engine against real shells: what holds for each of them, on pipes and on a terminal in all its glory. */
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
class ExecTest {
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    private @Nullable GuestShell guest;
    private Exec exec = new Exec("test", () -> "closed", TimeUnit.SECONDS.toNanos(20));

    private void start(Kind kind) throws IOException {
        var shell = new GuestShell(kind, folder);
        guest = shell;
        shell.pump(exec.sink());
        exec.connect(shell);
    }

    @AfterEach
    void stop() {
        exec.close();
        if (guest != null) {
            guest.close();
        }
    }

    private ExecResult run(String... command) {
        return exec.run(ExecRequest.of(command));
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void code_and_both_outputs_arrive(Kind kind) throws Exception {
        start(kind);
        assertThat(exec.ready(Duration.ofSeconds(20))).isTrue();
        ExecResult result = run("sh", "-c", "echo out; echo err >&2; printf 'no newline'; exit 42");
        assertThat(result.exitCode()).isEqualTo(42);
        assertThat(result.stdoutText()).isEqualTo("out\nno newline");
        assertThat(result.stderrText()).isEqualTo("err\n");
        assertThat(result.timedOut()).isFalse();
        assertThat(result.time()).isPositive();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void arguments_environment_and_folder_pass_untouched(Kind kind) throws Exception {
        start(kind);
        var all = new StringBuilder();
        for (char c = 1; c < 0x250; c++) {
            all.append(c);
        }
        String[] words = {
            "",
            " ",
            "'",
            "''",
            "\"$HOME\" `id` $(id) \\ \\n",
            "-n",
            "--",
            "a\nb\n",
            "*",
            "~",
            "!x",
            "\uD83D\uDE00",
            all.toString()
        };
        String[] command = new String[words.length + 2];
        command[0] = "printf";
        command[1] = "[%s]";
        System.arraycopy(words, 0, command, 2, words.length);
        Path odd = Files.createDirectory(folder.resolve("it's $odd\n"));
        assertThat(run(command).stdoutText()).isEqualTo("[" + String.join("][", words) + "]");
        ExecResult result = exec.run(ExecRequest.command("sh", "-c", "printf %s \"$WORD\"; pwd >&2")
                .env("WORD", all.toString())
                .directory(odd.toString())
                .build());
        assertThat(result.stdoutText()).isEqualTo(all.toString());
        assertThat(result.stderrText()).isEqualTo(odd.toRealPath() + "\n");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void binary_is_intact_both_ways(Kind kind) throws Exception {
        start(kind);
        byte[] data = random(256 * 1024);
        ExecResult sum = exec.run(ExecRequest.command("sha256sum").stdin(data).build());
        assertThat(sum.stdoutText()).startsWith(sha256(data));
        ExecResult both = exec.run(
                ExecRequest.command("sh", "-c", "tee /dev/stderr").stdin(data).build());
        assertThat(sha256(both.stdout())).isEqualTo(sha256(data));
        assertThat(sha256(both.stderr())).isEqualTo(sha256(data));
        byte[] small = random(3000);
        assertThat(exec.run(ExecRequest.command("cat").stdin(small).build()).stdout())
                .isEqualTo(small);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void two_hundred_commands_in_a_row(Kind kind) throws Exception {
        start(kind);
        for (int i = 0; i < 200; i++) {
            ExecResult result = run("echo", "n" + i);
            assertThat(result.stdoutText()).isEqualTo("n" + i + "\n");
            assertThat(result.exitCode()).isZero();
        }
    }

    @Test
    void every_exit_code() throws Exception {
        start(Kind.BUSYBOX_ON_PIPES);
        for (int code = 0; code < 256; code++) {
            assertThat(run("sh", "-c", "exit " + code).exitCode()).isEqualTo(code);
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void a_signal_is_128_and_its_number_and_interrupts_are_not_ignored(Kind kind) throws Exception {
        start(kind);
        for (int signal : new int[] {1, 2, 6, 9, 11, 13, 15}) {
            assertThat(run("sh", "-c", "kill -" + signal + " $$; exit 1").exitCode())
                    .as("signal %d", signal)
                    .isEqualTo(128 + signal);
        }
        assertThat(run("true").exitCode()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void what_cannot_be_run_says_why(Kind kind) throws Exception {
        start(kind);
        ExecResult missing = run("no-such-program");
        assertThat(missing.exitCode()).isEqualTo(127);
        assertThat(missing.stderrText()).contains("no-such-program").contains("not found");
        assertThat(run("/").exitCode()).isEqualTo(126);
        ExecResult nowhere = exec.run(
                ExecRequest.command("true").directory("/no/such/folder").build());
        assertThat(nowhere.exitCode()).isEqualTo(125);
        assertThat(nowhere.stderrText()).contains("/no/such/folder");
        ExecException failed = catchThrowableOfType(ExecException.class, missing::orThrow);
        assertThat(failed.code()).isEqualTo("exec-failed");
        assertThat(failed).hasMessageContaining("127").hasMessageContaining("not found");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void a_time_out_kills_the_whole_session_and_gives_what_was_printed(Kind kind) throws Exception {
        start(kind);
        assertThat(exec.ready(Duration.ofSeconds(20))).isTrue();
        String mark = "7" + (100_000 + new Random().nextInt(800_000));
        long begun = System.nanoTime();
        ExecException e = catchThrowableOfType(
                ExecException.class,
                () -> exec.run(ExecRequest.command(
                                "sh",
                                "-c",
                                "echo before; trap '' TERM INT; sleep " + mark + " & sleep " + mark + "; echo after")
                        .timeout(Duration.ofMillis(700))
                        .build()));
        assertThat(e.code()).isEqualTo("exec-timeout");
        assertThat(e.captured().orElseThrow().stdoutText()).isEqualTo("before\n");
        assertThat(e.captured().orElseThrow().timedOut()).isTrue();
        assertThat(e.captured().orElseThrow().exitCode()).isEqualTo(137);
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(15));
        assertThat(GuestShell.runs(mark)).isFalse();
        assertThat(run("echo", "next").stdoutText()).isEqualTo("next\n");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void input_is_empty_unless_given_and_stdout_may_be_closed(Kind kind) throws Exception {
        start(kind);
        assertThat(run("cat").stdout()).isEmpty();
        assertThat(run("sh", "-c", "exec >&- 2>&-; exit 3").exitCode()).isEqualTo(3);
        assertThat(exec.run(ExecRequest.command("true").stdin(random(10_000)).build())
                        .exitCode())
                .isZero();
        assertThat(run("sh", "-c", "cat <&3; echo $?").stdoutText())
                .as("the port is not handed down")
                .isNotEqualTo("0\n");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void children_in_the_background_are_neither_waited_for_nor_mixed_up(Kind kind) throws Exception {
        start(kind);
        long begun = System.nanoTime();
        assertThat(run("sh", "-c", "(sleep 1; echo late; sleep 8) & echo now").stdoutText())
                .isEqualTo("now\n");
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(8));
        assertThat(run("sh", "-c", "echo mine; sleep 2").stdoutText()).isEqualTo("mine\n");
    }

    @ParameterizedTest
    @EnumSource(names = {"BUSYBOX_ON_A_TERMINAL", "DASH_ON_A_TERMINAL"})
    void a_killed_shell_is_noticed_its_program_ended_and_the_next_shell_used(Kind kind) throws Exception {
        start(kind);
        String mark = "8" + (100_000 + new Random().nextInt(800_000));
        ExecException e =
                catchThrowableOfType(ExecException.class, () -> run("sh", "-c", "kill -9 $PPID; sleep " + mark));
        assertThat(e.code()).isEqualTo("exec-shell-lost");
        assertThat(run("echo", "again").stdoutText()).isEqualTo("again\n");
        assertThat(GuestShell.runs(mark)).isFalse();
        assertThat(folder.resolve("tmp").toFile().list())
                .as("the dead shell's folder is gone")
                .hasSize(1);
    }

    @Test
    void a_shell_that_died_between_commands_costs_nothing_but_time() throws Exception {
        start(Kind.BUSYBOX_ON_A_TERMINAL);
        run(
                "sh",
                "-c",
                "(sleep 1; kill -9 "
                        + run("sh", "-c", "echo $PPID").stdoutText().strip() + ") &");
        Thread.sleep(2000);
        assertThat(run("echo", "again").stdoutText()).isEqualTo("again\n");
    }

    @ParameterizedTest
    @EnumSource(names = "BUSYBOX.*", mode = Mode.MATCH_ANY)
    void ten_megabytes_stream_through_or_are_cut_at_the_limit(Kind kind) throws Exception {
        start(kind);
        String make = "head -c 10485760 /dev/zero | tr '\\0' 'x'; echo small >&2";
        var digest = MessageDigest.getInstance("SHA-256");
        var bytes = new LongAdder();
        var seen = new DigestOutputStream(OutputStream.nullOutputStream(), digest) {
            @Override
            public void write(byte[] b, int offset, int length) throws IOException {
                super.write(b, offset, length);
                bytes.add(length);
            }
        };
        ExecResult result =
                exec.run(ExecRequest.command("sh", "-c", make).stdoutTo(seen).build());
        assertThat(bytes.sum()).isEqualTo(10 << 20);
        byte[] expected = new byte[10 << 20];
        Arrays.fill(expected, (byte) 'x');
        assertThat(HexFormat.of().formatHex(digest.digest())).isEqualTo(sha256(expected));
        assertThat(result.stdout()).isEmpty();
        assertThat(result.stderrText()).isEqualTo("small\n");
        ExecException e = catchThrowableOfType(
                ExecException.class,
                () -> exec.run(ExecRequest.command("sh", "-c", make)
                        .outputLimit(100_000)
                        .build()));
        assertThat(e.code()).isEqualTo("exec-output-limit");
        assertThat(e.captured().orElseThrow().stdout()).hasSize(100_000).containsOnly('x');
        assertThat(run("echo", "on").stdoutText()).isEqualTo("on\n");
    }

    @Test
    void callers_take_turns() throws Exception {
        start(Kind.BUSYBOX_ON_A_TERMINAL);
        var wrong = new ConcurrentLinkedQueue<String>();
        Thread[] callers = new Thread[8];
        for (int i = 0; i < callers.length; i++) {
            int n = i;
            callers[i] = Thread.ofVirtual().start(() -> {
                for (int k = 0; k < 5; k++) {
                    String got = run("echo", n + "." + k).stdoutText();
                    if (!got.equals(n + "." + k + "\n")) {
                        wrong.add(got);
                    }
                }
            });
        }
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void noise_on_the_line_is_skipped_and_a_torn_block_is_read_again() throws Exception {
        start(Kind.BUSYBOX_ON_PIPES);
        byte[] data = random(400_000);
        Files.write(folder.resolve("data"), data);
        assertThat(run("true").exitCode()).isZero();
        byte[] noise = "\nJV0 1 d 0 5 0 5 0\n[   12.3] a kernel message\n".getBytes(StandardCharsets.US_ASCII);
        var noisy = Thread.ofVirtual().start(() -> {
            try {
                for (int i = 0; i < 3; i++) {
                    Thread.sleep(150);
                    for (byte b : noise) {
                        exec.sink().write(b);
                    }
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(sha256(run("cat", folder.resolve("data").toString()).stdout()))
                .isEqualTo(sha256(data));
        noisy.join();
        assertThat(run("echo", "still").stdoutText()).isEqualTo("still\n");
    }

    @Test
    void a_full_guest_says_so_and_input_is_never_taken_for_commands() throws Exception {
        Path small = Files.createDirectory(folder.resolve("small"));
        Process mount = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", small.toString())
                .redirectErrorStream(true)
                .start();
        assumeTrue(mount.waitFor(10, TimeUnit.SECONDS) && mount.exitValue() == 0, "needs root, to mount a tmpfs");
        try {
            var shell = new GuestShell(Kind.BUSYBOX_ON_A_TERMINAL, folder, small);
            guest = shell;
            shell.pump(exec.sink());
            exec.connect(shell);
            Path evil = folder.resolve("evil");
            byte[] input = ("\njv_k;touch " + evil + "\n").repeat(3000).getBytes(StandardCharsets.UTF_8);
            ExecException e = catchThrowableOfType(
                    ExecException.class,
                    () -> exec.run(ExecRequest.command("wc").stdin(input).build()));
            assertThat(e.code()).isEqualTo("exec-no-room");
            assertThat(evil).doesNotExist();
            assertThat(run("echo", "on").stdoutText()).isEqualTo("on\n");
        } finally {
            new ProcessBuilder("umount", "-l", small.toString()).start().waitFor();
        }
    }

    @Test
    void no_shell_is_said_with_what_the_port_said() throws Exception {
        exec = new Exec("test", () -> "closed", TimeUnit.SECONDS.toNanos(2));
        exec.connect(new GuestLine() {
            @Override
            public int send(byte[] bytes, int offset, int length, long timeoutNanos) {
                for (byte b : "login: ".getBytes(StandardCharsets.US_ASCII)) {
                    exec.sink().write(b);
                }
                return length;
            }

            @Override
            public int unread() {
                return 0;
            }
        });
        assertThat(exec.ready(Duration.ofMillis(300))).isFalse();
        ExecException e = catchThrowableOfType(ExecException.class, () -> run("true"));
        assertThat(e.code()).isEqualTo("exec-no-shell");
        assertThat(e).hasMessageContaining("login:").hasMessageContaining("ttyS1");
    }

    @Test
    void closing_ends_a_call() throws Exception {
        start(Kind.BUSYBOX_ON_PIPES);
        assertThat(exec.ready(Duration.ofSeconds(20))).isTrue();
        Thread.ofVirtual().start(() -> {
            try {
                Thread.sleep(500);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            exec.close();
        });
        ExecException e = catchThrowableOfType(ExecException.class, () -> run("sleep", "30"));
        assertThat(e.code()).isEqualTo("exec-closed");
    }

    @ParameterizedTest
    @EnumSource(names = "BUSYBOX.*", mode = Mode.MATCH_ANY)
    void an_interrupted_caller_leaves_no_program_behind(Kind kind) throws Exception {
        start(kind);
        assertThat(exec.ready(Duration.ofSeconds(20))).isTrue();
        String mark = "9" + (100_000 + new Random().nextInt(800_000));
        var caller = Thread.ofVirtual().start(() -> {
            ExecException e = catchThrowableOfType(ExecException.class, () -> run("sleep", mark));
            assertThat(e.code()).isEqualTo("exec-interrupted");
            assertThat(Thread.interrupted()).isTrue();
        });
        while (!GuestShell.runs(mark)) {
            Thread.sleep(20);
        }
        caller.interrupt();
        assertThat(caller.join(Duration.ofSeconds(5))).isTrue();
        assertThat(run("echo", "next").stdoutText()).isEqualTo("next\n");
        assertThat(GuestShell.runs(mark)).isFalse();
    }
}
