package io.javisor.api.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.devices.Serial16550;
import io.javisor.devices.Serial16550.Model;
import io.javisor.partition.HypervisorException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ConsoleTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private static void print(Console console, String text) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            console.sink().write(b);
        }
    }

    @Test
    void every_reader_sees_everything_at_its_own_pace() throws Exception {
        var console = new Console("vm", 100_000);
        byte[] sent = new byte[100_000];
        new Random(1).nextBytes(sent);
        var readers = new CompletableFuture<?>[3];
        for (int i = 0; i < readers.length; i++) {
            ConsoleReader reader = console.reader();
            int chunk = 1 + 1000 * i;
            readers[i] = CompletableFuture.runAsync(
                    () -> {
                        try (reader) {
                            var got = new ByteArrayOutputStream();
                            byte[] buffer = new byte[chunk];
                            for (int n; (n = reader.read(buffer)) >= 0; ) {
                                got.write(buffer, 0, n);
                            }
                            assertThat(got.toByteArray()).isEqualTo(sent);
                            assertThat(reader.lost()).isZero();
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                    },
                    r -> Thread.ofVirtual().start(r));
        }
        for (byte b : sent) {
            console.sink().write(b);
        }
        console.close();
        CompletableFuture.allOf(readers).get(30, TimeUnit.SECONDS);
        assertThat(console.readerFromStart().readAllBytes()).isEqualTo(sent);
    }

    @Test
    void a_slow_reader_loses_the_oldest_and_is_told_how_much() throws Exception {
        var console = new Console("vm", 1000);
        ConsoleReader reader = console.reader();
        print(console, "x".repeat(5000) + "y".repeat(1000));
        assertThat(reader.available()).isEqualTo(1000);
        byte[] got = reader.readNBytes(1000);
        assertThat(new String(got, StandardCharsets.US_ASCII)).isEqualTo("y".repeat(1000));
        assertThat(reader.lost()).isEqualTo(5000);
        assertThat(console.written()).isEqualTo(6000);
        print(console, "z");
        assertThat(reader.read()).isEqualTo('z');
        assertThat(reader.lost()).isEqualTo(5000);
    }

    @Test
    void a_reader_that_never_reads_costs_the_guest_nothing() {
        var console = new Console("vm");
        try (ConsoleReader never = console.reader()) {
            print(console, "line\n".repeat(200_000));
            assertThat(console.written()).isEqualTo(1_000_000);
            assertThat(never.available()).isEqualTo(Console.DEFAULT_HISTORY);
        }
    }

    @Test
    void reading_waits_no_longer_than_asked_and_closing_ends_it() throws Exception {
        var console = new Console("vm");
        ConsoleReader reader = console.reader();
        assertThat(reader.read(new byte[10], 0, 10, Duration.ofMillis(30))).isZero();
        var blocked = CompletableFuture.supplyAsync(() -> {
            try {
                return reader.read();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        Thread.sleep(50);
        reader.close();
        assertThat(blocked.get(5, TimeUnit.SECONDS)).isEqualTo(-1);
        assertThatThrownBy(reader::read).isInstanceOf(IOException.class).hasMessageContaining("closed");
        var toTheEnd = CompletableFuture.supplyAsync(() -> {
            try (InputStream in = console.reader()) {
                return in.readAllBytes().length;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        Thread.sleep(50);
        console.close();
        assertThat(toTheEnd.get(5, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void waits_find_what_is_there_and_what_comes_byte_by_byte() throws Exception {
        var console = new Console("vm");
        print(console, "Linux version 6.1\r\n");
        assertThat(console.awaitText("version 6.1", Duration.ZERO)).isTrue();
        assertThat(console.awaitText("version 6?1", Duration.ofMillis(20)))
                .as("no pattern")
                .isFalse();
        var found = CompletableFuture.supplyAsync(
                () -> console.expect(Pattern.compile("(\\w+) login: $"), LONG).group(1));
        for (char c : "\r\n guest login: ".toCharArray()) {
            Thread.sleep(2);
            print(console, String.valueOf(c));
        }
        assertThat(found.get(20, TimeUnit.SECONDS)).isEqualTo("guest");
    }

    @Test
    void a_wait_that_fails_shows_the_last_lines() {
        var console = new Console("vm");
        for (int i = 0; i < 50; i++) {
            print(console, "line " + i + "\r\n");
        }
        assertThatThrownBy(() -> console.expect(Pattern.compile("never"), Duration.ofMillis(30)))
                .isInstanceOf(HypervisorException.class)
                .hasMessageContaining("30 ms")
                .hasMessageContaining("never")
                .hasMessageContaining("line 49")
                .hasMessageContaining("line 25\n")
                .hasMessageNotContaining("line 24\n")
                .extracting(e -> ((HypervisorException) e).code())
                .isEqualTo("timeout");
        assertThat(console.tail(2)).isEqualTo("line 48\nline 49\n");
        assertThat(console.tail(1000)).startsWith("line 0\n");
    }

    @Test
    void a_mark_hides_the_run_before_from_waits_but_not_from_readers() throws Exception {
        var console = new Console("vm");
        ConsoleReader reader = console.reader();
        print(console, "old login:");
        console.mark();
        assertThat(console.awaitText("login:", Duration.ofMillis(10))).isFalse();
        assertThat(console.tail(5)).isEmpty();
        print(console, "new");
        assertThat(console.text()).isEqualTo("new");
        assertThat(new String(reader.readNBytes(13), StandardCharsets.US_ASCII)).isEqualTo("old login:new");
    }

    @Test
    void waiting_ends_with_the_console_and_with_an_interrupt() throws Exception {
        var console = new Console("vm");
        var interrupted = new CountDownLatch(1);
        Thread waiter = Thread.ofVirtual().start(() -> {
            assertThatThrownBy(() -> console.awaitText("never", LONG))
                    .isInstanceOf(HypervisorException.class)
                    .hasMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
            interrupted.countDown();
        });
        Thread.sleep(30);
        waiter.interrupt();
        assertThat(interrupted.await(5, TimeUnit.SECONDS)).isTrue();
        var other = CompletableFuture.supplyAsync(() -> console.awaitText("never", LONG));
        Thread.sleep(30);
        console.close();
        assertThat(other.get(5, TimeUnit.SECONDS)).isFalse();
    }

    @Test
    void input_reaches_the_guest_and_fails_when_there_is_none() throws Exception {
        var console = new Console("vm");
        assertThatThrownBy(() -> console.type("ls\n"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not running");
        var port = new Serial16550("serial0", Model.NS16550A, level -> {}, console.sink());
        console.connect(port);
        console.type("ls\n");
        port.write(2, 1, 0x01);
        var typed = new StringBuilder();
        while ((port.read(5, 1) & 1) != 0) {
            typed.append((char) port.read(0, 1));
        }
        assertThat(typed.toString()).isEqualTo("s\n"); // enabling the FIFO drops what the holding register had
        port.write(0, 1, 'k');
        assertThat(console.text()).isEqualTo("k");
        port.close();
        assertThatThrownBy(() -> console.input().write('x')).isInstanceOf(IOException.class);
    }

    @Test
    void a_copy_passes_on_everything_and_says_what_it_lost() throws Exception {
        var console = new Console("vm", 1000);
        var gate = new CountDownLatch(1);
        var out = new ByteArrayOutputStream();
        var slow = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                write(new byte[] {(byte) value}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                try {
                    assertThat(gate.await(20, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                out.write(bytes, offset, length);
            }
        };
        try (ConsoleCopy copy = console.copyTo(slow)) {
            print(console, "a");
            Thread.sleep(100); // the copy is stuck with it now
            print(console, "b".repeat(3000));
            gate.countDown();
            assertThat(copy.await(Duration.ofMillis(100))).isFalse();
            print(console, "the end");
        }
        String text = out.toString(StandardCharsets.US_ASCII);
        assertThat(text)
                .startsWith("a")
                .endsWith("b".repeat(900) + "the end")
                .contains("bytes of console output lost]");
    }
}
