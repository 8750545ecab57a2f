package io.javisor.devices;

import static io.javisor.devices.SerialHarness.FCR;
import static io.javisor.devices.SerialHarness.IER;
import static io.javisor.devices.SerialHarness.IIR;
import static io.javisor.devices.SerialHarness.LCR;
import static io.javisor.devices.SerialHarness.LSR;
import static io.javisor.devices.SerialHarness.MCR;
import static io.javisor.devices.SerialHarness.RBR;
import static io.javisor.devices.SerialHarness.THR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.devices.Serial16550.Model;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How bytes flow from the host to the guest, how the port is saved in the middle of it, and what abuse does to it. */
@Timeout(60)
class SerialFlowTest {
    @Test
    void bytes_wait_on_the_wire_until_the_fifo_has_room_and_none_is_lost() {
        var uart = new SerialHarness().open();
        byte[] sent = new byte[1000];
        new Random(1).nextBytes(sent);
        int accepted = uart.port.offer(sent, 0, sent.length);
        assertThat(accepted).isEqualTo(Serial16550.WIRE);
        assertThat(uart.port.offer(sent, accepted, 1))
                .as("16 went into the FIFO")
                .isEqualTo(1);
        byte[] got = new byte[accepted];
        for (int i = 0; i < got.length; i++) {
            assertThat(uart.in(LSR) & 0x03).isEqualTo(1);
            got[i] = (byte) uart.in(RBR);
        }
        assertThat(got).isEqualTo(Arrays.copyOf(sent, accepted));
    }

    @Test
    void rts_holds_the_flow_once_a_driver_has_touched_the_modem_lines() {
        var uart = new SerialHarness();
        uart.out(FCR, 0x01);
        uart.host((byte) 1);
        assertThat(uart.in(RBR))
                .as("a guest that never heard of RTS still receives")
                .isEqualTo(1);
        uart.out(MCR, 0x0B);
        uart.out(MCR, 0x09);
        uart.host((byte) 2);
        assertThat(uart.in(LSR) & 1).isZero();
        uart.out(MCR, 0x0B);
        assertThat(uart.in(RBR)).isEqualTo(2);
        var probed = new SerialHarness();
        probed.out(MCR, 0x1A); // Linux's loopback test, long before anybody opens the port
        probed.out(MCR, 0x08);
        probed.host((byte) 3);
        probed.out(FCR, 0x07);
        assertThat(probed.in(LSR) & 1).isZero();
        probed.out(MCR, 0x0B);
        assertThat(probed.in(RBR))
                .as("what was sent early waits for the first reader")
                .isEqualTo(3);
    }

    @Test
    void send_blocks_for_a_slow_guest_and_delivers_every_byte_in_order() throws Exception {
        var uart = new SerialHarness().open();
        byte[] sent = new byte[8_000];
        new Random(2).nextBytes(sent);
        var sender = CompletableFuture.supplyAsync(() -> {
            try {
                return uart.port.send(sent, 0, sent.length, TimeUnit.SECONDS.toNanos(30));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        var got = new ByteArrayOutputStream();
        while (got.size() < sent.length) {
            if ((uart.in(LSR) & 1) != 0) {
                got.write(uart.in(RBR));
            } else {
                Thread.onSpinWait();
            }
        }
        assertThat(sender.get(5, TimeUnit.SECONDS)).isEqualTo(sent.length);
        assertThat(got.toByteArray()).isEqualTo(sent);
    }

    /** A guest that the host does not let run just then can't see it; without pauses none ever would. */
    @Test
    void the_guest_sees_a_pause_between_loads() throws Exception {
        int longest = Integer.MAX_VALUE;
        for (int i = 0; i < 50 && longest > Serial16550.WIRE; i++) {
            longest = longestRun();
        }
        assertThat(longest).isBetween(16, Serial16550.WIRE);
    }

    /** Bytes that came one after the other at most, while four wires' lengths were sent. */
    private static int longestRun() throws Exception {
        var uart = new SerialHarness().open();
        byte[] sent = new byte[4 * Serial16550.WIRE];
        var sender = Thread.ofVirtual().start(() -> {
            try {
                uart.port.input().write(sent);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        int longest = 0;
        int run = 0;
        for (int got = 0; got < sent.length; ) {
            if ((uart.in(LSR) & 1) != 0) {
                uart.in(RBR);
                got++;
                longest = Math.max(longest, ++run);
            } else {
                run = 0;
            }
        }
        sender.join();
        return longest;
    }

    @Test
    void send_gives_up_in_time_and_says_how_much_went() throws Exception {
        var uart = new SerialHarness().open();
        long start = System.nanoTime();
        int sent = uart.port.send(new byte[5000], 0, 5000, TimeUnit.MILLISECONDS.toNanos(50));
        assertThat(sent).isEqualTo(Serial16550.WIRE);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(50), Duration.ofSeconds(5));
    }

    @Test
    void close_wakes_a_blocked_sender() throws Exception {
        var uart = new SerialHarness().open();
        var sender = CompletableFuture.runAsync(() -> {
            try {
                uart.port.input().write(new byte[5000]);
            } catch (IOException e) {
                throw new IllegalStateException(e.getMessage());
            }
        });
        while (uart.port.unread() == 0) {
            Thread.onSpinWait();
        }
        uart.port.close();
        assertThatThrownBy(() -> sender.get(5, TimeUnit.SECONDS)).hasMessageContaining("serial0 is closed");
        assertThat(uart.host((byte) 1)).isZero();
    }

    @Test
    void state_moves_with_bytes_in_fifo_and_wire_half_a_divisor_and_a_pending_interrupt() {
        var from = new SerialHarness(Model.TI16750).open();
        from.out(LCR, 0x80);
        from.out(FCR, 0x61);
        from.out(0, 0x0C); // DLL; DLM is still to come
        from.out(LCR, 0x03);
        from.out(IER, 0x03);
        byte[] sent = new byte[100];
        new Random(3).nextBytes(sent);
        from.host(sent);
        for (int i = 0; i < 7; i++) {
            from.in(RBR);
        }
        var to = new SerialHarness(Model.TI16750);
        States.move(from.port, to.port);
        assertThat(to.line).as("the line is driven at once").isTrue();
        assertThat(States.bytes(to.port)).isEqualTo(States.bytes(from.port));
        assertThat(to.in(IIR)).isEqualTo(0xE4);
        for (int i = 7; i < 100; i++) {
            assertThat((byte) to.in(RBR)).isEqualTo(sent[i]);
        }
        assertThat(to.in(IIR)).as("the transmitter's interrupt came along").isEqualTo(0xE2);
        to.out(LCR, 0x83);
        assertThat(to.in(0)).isEqualTo(0x0C);
        to.out(LCR, 0x03);
        to.out(THR, 'z');
        assertThat(to.out.toString(StandardCharsets.US_ASCII)).isEqualTo("z");
    }

    @Test
    void state_that_the_chip_cannot_be_in_is_refused() {
        var deep = new SerialHarness(Model.TI16750).open();
        deep.out(LCR, 0x80);
        deep.out(FCR, 0x21);
        byte[] state = States.bytes(deep.port);
        var plain = new SerialHarness();
        assertThatThrownBy(() -> plain.port.restore(new StateReader("serial0", 1, state)))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("fcr");
        assertThatThrownBy(() -> plain.port.restore(new StateReader("serial0", 2, state)))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("version 2");
    }

    @Test
    void random_register_sequences_never_throw_and_the_line_always_agrees_with_iir() {
        var random = new Random(4);
        for (int round = 0; round < 200; round++) {
            var uart = new SerialHarness(random.nextBoolean() ? Model.NS16550A : Model.TI16750);
            for (int i = 0; i < 500; i++) {
                int size = 1 << random.nextInt(4);
                int register = random.nextInt(9 - size);
                switch (random.nextInt(4)) {
                    case 0 -> uart.port.read(register, size);
                    case 1 -> uart.host((byte) i, (byte) round);
                    default -> uart.port.write(register, size, random.nextLong());
                }
                if (random.nextInt(50) == 0) {
                    var next = new SerialHarness(Model.TI16750);
                    byte[] state = States.bytes(uart.port);
                    next.port.restore(new StateReader("serial0", 1, state));
                    assertThat(next.line).isEqualTo(uart.line);
                }
                if ((uart.in(IIR) & 1) == 1) {
                    assertThat(uart.line).isFalse();
                }
            }
        }
    }
}
