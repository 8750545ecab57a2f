package io.javisor.api.exec;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.javisor.api.exec.GuestShell.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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

/**
 * Real shells that call back, over TCP of this machine in place of AF_VSOCK. The socket ends in the same program whatever shell
 * reads the port, so two of the shells that {@link ExecTest} has stand for all.
 */
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
class ExecOverSocketTest {
    private static final String AGENT = """
            #!/usr/bin/perl
            # javisor-agent connect PORT PROGRAM
            socket(S, 2, 1, 0) && connect(S, pack('Sna4x8', 2, $ARGV[1], pack('C4', 127, 0, 0, 1))) || exit 1;
            open(STDIN, '<&S') && open(STDOUT, '>&S') || exit 1;
            $SIG{INT} = $SIG{QUIT} = 'DEFAULT';
            exec $ARGV[2];
            """;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    private final Exec exec = new Exec("test", () -> "closed", TimeUnit.SECONDS.toNanos(20), Duration.ofSeconds(3));
    private final Tcp tcp = new Tcp();
    private @Nullable GuestShell guest;

    /** One listener at a time, on loopback. */
    private static final class Tcp implements CallBack {
        volatile boolean possible = true;
        volatile @Nullable SocketChannel last;
        final AtomicInteger accepted = new AtomicInteger();

        @Override
        public boolean isPossible() {
            return possible;
        }

        @Override
        public Waiting listen() {
            try {
                var server = ServerSocketChannel.open();
                server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
                return new Waiting() {
                    @Override
                    public int port() {
                        return port;
                    }

                    @Override
                    public @Nullable Connection accept(Duration limit) throws IOException {
                        server.socket().setSoTimeout(Math.toIntExact(limit.toMillis()));
                        try {
                            SocketChannel channel = server.socket().accept().getChannel();
                            accepted.incrementAndGet();
                            last = channel;
                            return new Stream(channel);
                        } catch (java.net.SocketTimeoutException e) {
                            return null;
                        }
                    }

                    @Override
                    public void close() {
                        try {
                            server.close();
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                    }
                };
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    private record Stream(SocketChannel channel) implements CallBack.Connection {
        @Override
        public int read(ByteBuffer into) throws IOException {
            return channel.read(into);
        }

        @Override
        public int write(ByteBuffer from, Duration limit) throws IOException {
            return channel.write(from);
        }

        @Override
        public boolean isDrained() {
            return true;
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    private void start(Kind kind, String agent) throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/perl")), "needs /usr/bin/perl (Debian: perl-base)");
        var shell = new GuestShell(kind, folder);
        guest = shell;
        Path program = folder.resolve("bin/javisor-agent");
        Files.writeString(program, agent);
        assertThat(program.toFile().setExecutable(true)).isTrue();
        shell.pump(exec.sink());
        exec.connect(shell);
        exec.connect(tcp);
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

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private static String mark() {
        return "7" + (100_000 + new Random().nextInt(800_000));
    }

    @ParameterizedTest
    @EnumSource(names = {"BUSYBOX_ON_A_TERMINAL", "BASH_ON_PIPES"})
    void programs_go_over_the_socket_with_all_that_belongs_to_them(Kind kind) throws Exception {
        start(kind, AGENT);
        assertThat(exec.transport()).isEmpty();
        ExecResult result = run("sh", "-c", "echo out; echo err >&2; exit 42");
        assertThat(exec.transport()).contains(ExecTransport.SOCKET);
        assertThat(result.exitCode()).isEqualTo(42);
        assertThat(result.stdoutText()).isEqualTo("out\n");
        assertThat(result.stderrText()).isEqualTo("err\n");
        byte[] data = random(5_000_000);
        ExecResult both = exec.run(
                ExecRequest.command("sh", "-c", "tee /dev/stderr").stdin(data).build());
        assertThat(both.stdout()).isEqualTo(data);
        assertThat(both.stderr()).isEqualTo(data);
        for (int signal : new int[] {2, 15}) {
            assertThat(run("sh", "-c", "kill -" + signal + " $$; exit 1").exitCode())
                    .isEqualTo(128 + signal);
        }
        assertThat(tcp.accepted.get()).as("one connection for all").isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"BUSYBOX_ON_A_TERMINAL", "BASH_ON_PIPES"})
    void a_time_out_kills_the_whole_session(Kind kind) throws Exception {
        start(kind, AGENT);
        String mark = mark();
        ExecException e = catchThrowableOfType(
                ExecException.class,
                () -> exec.run(ExecRequest.command("sh", "-c", "echo begun; sleep " + mark + " & sleep " + mark)
                        .timeout(Duration.ofSeconds(1))
                        .build()));
        assertThat(e.code()).isEqualTo("exec-timeout");
        assertThat(e.captured().orElseThrow().stdoutText()).isEqualTo("begun\n");
        assertThat(GuestShell.runs(mark)).isFalse();
        assertThat(run("echo", "next").stdoutText()).isEqualTo("next\n");
        assertThat(exec.transport()).contains(ExecTransport.SOCKET);
    }

    @ParameterizedTest
    @EnumSource(names = {"BUSYBOX_ON_A_TERMINAL", "BASH_ON_PIPES"})
    void a_connection_that_breaks_ends_its_program_and_the_next_one_finds_a_way(Kind kind) throws Exception {
        start(kind, AGENT);
        run("true");
        String mark = mark();
        Thread.ofVirtual().start(() -> {
            try {
                while (!GuestShell.runs(mark)) {
                    Thread.sleep(20);
                }
                requireNonNull(tcp.last).close();
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        ExecException e = catchThrowableOfType(ExecException.class, () -> run("sleep", mark));
        assertThat(e.code()).isEqualTo("exec-shell-lost");
        for (int i = 0; i < 500 && GuestShell.runs(mark); i++) {
            Thread.sleep(20);
        }
        assertThat(GuestShell.runs(mark)).as("the program").isFalse();
        assertThat(run("echo", "next").stdoutText()).isEqualTo("next\n");
        assertThat(exec.transport()).contains(ExecTransport.SOCKET);
        assertThat(tcp.accepted.get()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(names = {"BUSYBOX_ON_A_TERMINAL", "BASH_ON_PIPES"})
    void a_connection_that_breaks_between_programs_costs_nothing(Kind kind) throws Exception {
        start(kind, AGENT);
        run("true");
        requireNonNull(tcp.last).close();
        tcp.possible = false;
        assertThat(run("echo", "still").stdoutText()).isEqualTo("still\n");
        assertThat(exec.transport()).contains(ExecTransport.SERIAL);
        tcp.possible = true;
        assertThat(run("echo", "again").stdoutText()).isEqualTo("again\n");
        assertThat(exec.transport()).contains(ExecTransport.SOCKET);
    }

    @ParameterizedTest
    @EnumSource(names = {"BUSYBOX_ON_A_TERMINAL", "BASH_ON_PIPES"})
    void a_killed_shell_is_noticed_and_leaves_nothing(Kind kind) throws Exception {
        start(kind, AGENT);
        String mark = mark();
        ExecException e =
                catchThrowableOfType(ExecException.class, () -> run("sh", "-c", "kill -9 $PPID; sleep " + mark));
        assertThat(e.code()).isEqualTo("exec-shell-lost");
        assertThat(run("echo", "again").stdoutText()).isEqualTo("again\n");
        assertThat(exec.transport()).contains(ExecTransport.SOCKET);
        assertThat(GuestShell.runs(mark)).isFalse();
        assertThat(folder.resolve("tmp").toFile().list())
                .as("a folder for each of the two shells")
                .hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(names = {"BUSYBOX_ON_A_TERMINAL", "DASH_ON_A_TERMINAL"})
    void when_both_shells_are_gone_as_after_kexec_the_next_ones_are_found(Kind kind) throws Exception {
        start(kind, AGENT);
        tcp.possible = false;
        String serial = run("sh", "-c", "echo $PPID").stdoutText().strip();
        tcp.possible = true;
        run("true");
        assertThat(exec.transport()).contains(ExecTransport.SOCKET);
        assertThat(run("kill", "-9", serial).exitCode()).isZero();
        requireNonNull(tcp.last).close();
        assertThat(run("echo", "next").stdoutText()).isEqualTo("next\n");
        assertThat(exec.transport()).contains(ExecTransport.SOCKET);
    }

    @ParameterizedTest
    @EnumSource(names = {"BUSYBOX_ON_PIPES", "DASH_ON_A_TERMINAL"})
    void an_agent_that_does_not_call_leaves_programs_on_the_serial_port(Kind kind) throws Exception {
        start(kind, "#!/bin/sh\nexit 1\n");
        assertThat(run("echo", "one").stdoutText()).isEqualTo("one\n");
        assertThat(exec.transport()).contains(ExecTransport.SERIAL);
        assertThat(run("echo", "two").stdoutText()).isEqualTo("two\n");
    }

    @Test
    void a_guest_that_has_nothing_stays_on_the_serial_port() throws Exception {
        start(Kind.BUSYBOX_ON_PIPES, AGENT);
        Files.delete(folder.resolve("bin/javisor-agent"));
        assertThat(run("echo", "one").stdoutText()).isEqualTo("one\n");
        assertThat(exec.transport()).contains(ExecTransport.SERIAL);
        assertThat(tcp.accepted.get()).isZero();
    }

    @Test
    void who_calls_back_and_is_no_shell_is_left_alone() throws Exception {
        start(Kind.BUSYBOX_ON_PIPES, AGENT.replace("exec $ARGV[2];", "sleep 60;"));
        assertThat(run("echo", "one").stdoutText()).isEqualTo("one\n");
        assertThat(exec.transport()).contains(ExecTransport.SERIAL);
    }

    @Test
    void closing_ends_a_call() throws Exception {
        start(Kind.BUSYBOX_ON_PIPES, AGENT);
        run("true");
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
}
