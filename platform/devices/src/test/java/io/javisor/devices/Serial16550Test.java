package io.javisor.devices;

import static io.javisor.devices.SerialHarness.DLL;
import static io.javisor.devices.SerialHarness.DLM;
import static io.javisor.devices.SerialHarness.FCR;
import static io.javisor.devices.SerialHarness.IER;
import static io.javisor.devices.SerialHarness.IIR;
import static io.javisor.devices.SerialHarness.LCR;
import static io.javisor.devices.SerialHarness.LSR;
import static io.javisor.devices.SerialHarness.MCR;
import static io.javisor.devices.SerialHarness.MSR;
import static io.javisor.devices.SerialHarness.RBR;
import static io.javisor.devices.SerialHarness.SCR;
import static io.javisor.devices.SerialHarness.THR;
import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.devices.Serial16550.Model;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Named for the sections of the PC16550D data sheet, and for what Linux's 8250 driver asks of a port. */
class Serial16550Test {
    private final SerialHarness uart = new SerialHarness();

    @Test
    void table3_master_reset_values() {
        uart.open();
        uart.out(LCR, 0x1B);
        uart.out(SCR, 0x5A);
        uart.out(IER, 0x0F);
        uart.port.reset();
        assertThat(uart.in(IER)).isZero();
        assertThat(uart.in(IIR)).isEqualTo(0x01);
        assertThat(uart.in(LCR)).isZero();
        assertThat(uart.in(MCR)).isZero();
        assertThat(uart.in(LSR)).isEqualTo(0x60);
        assertThat(uart.in(SCR)).isEqualTo(0x5A);
        assertThat(uart.line).isFalse();
    }

    @Test
    void s8_1_divisor_latch_hides_data_and_ier_only_while_dlab_is_set() {
        uart.out(IER, 0x05);
        uart.out(LCR, 0x83);
        uart.out(DLL, 0x01);
        uart.out(DLM, 0xC2);
        assertThat(uart.in(DLL)).isEqualTo(0x01);
        assertThat(uart.in(DLM)).isEqualTo(0xC2);
        uart.out(LCR, 0x03);
        assertThat(uart.in(IER)).isEqualTo(0x05);
        assertThat(uart.out.size()).as("nothing was sent").isZero();
    }

    @Test
    void s8_4_line_status_says_data_ready_until_the_fifo_is_read() {
        uart.open();
        assertThat(uart.host((byte) 'a', (byte) 'b')).isEqualTo(2);
        assertThat(uart.in(LSR)).isEqualTo(0x61);
        assertThat(uart.in(RBR)).isEqualTo('a');
        assertThat(uart.in(LSR)).isEqualTo(0x61);
        assertThat(uart.in(RBR)).isEqualTo('b');
        assertThat(uart.in(LSR)).isEqualTo(0x60);
        assertThat(uart.in(RBR)).isZero();
    }

    @Test
    void s8_4_overrun_happens_only_in_loopback_keeps_old_bytes_and_interrupts_first() {
        uart.open();
        uart.out(MCR, 0x1B);
        for (int i = 0; i < 17; i++) {
            uart.out(THR, i);
        }
        uart.out(IER, 0x07);
        assertThat(uart.in(IIR) & 0x0F).isEqualTo(0x06);
        assertThat(uart.in(LSR)).isEqualTo(0x63);
        assertThat(uart.in(LSR)).as("reading clears it").isEqualTo(0x61);
        assertThat(uart.in(IIR) & 0x0F).isEqualTo(0x04);
        for (int i = 0; i < 16; i++) {
            assertThat(uart.in(RBR)).isEqualTo(i);
        }
        assertThat(uart.out.size()).as("nothing leaves in loopback").isZero();
    }

    @Test
    void s8_5_fcr_needs_its_enable_bit_and_shows_in_iir() {
        uart.out(FCR, 0xC0);
        assertThat(uart.in(IIR)).isEqualTo(0x01);
        uart.out(FCR, 0x01);
        assertThat(uart.in(IIR)).isEqualTo(0xC1);
    }

    @Test
    void s8_5_changing_the_mode_or_clearing_the_receiver_empties_the_fifo() {
        uart.open();
        uart.host("0123456789".getBytes(StandardCharsets.US_ASCII));
        uart.out(FCR, 0x83);
        assertThat(uart.in(LSR)).isEqualTo(0x60);
        uart.host((byte) 1, (byte) 2);
        uart.out(FCR, 0x00);
        assertThat(uart.in(LSR)).isEqualTo(0x60);
    }

    @Test
    void s8_5_trigger_levels_separate_received_data_from_time_out() {
        int[] levels = {1, 4, 8, 14};
        for (int i = 0; i < levels.length; i++) {
            var u = new SerialHarness().open();
            u.out(FCR, (i << 6) | 0x01);
            u.out(IER, 0x01);
            if (levels[i] > 1) {
                u.host(new byte[levels[i] - 1]);
                assertThat(u.in(IIR))
                        .as("below level %d: time-out (8.12)", levels[i])
                        .isEqualTo(0xCC);
                assertThat(u.line).isTrue();
                u.host((byte) 0);
            } else {
                u.host((byte) 0);
            }
            assertThat(u.in(IIR)).as("at level %d", levels[i]).isEqualTo(0xC4);
        }
    }

    @Test
    void s8_6_enabling_the_transmitter_interrupt_raises_it_each_time_as_linux_tests() {
        uart.open();
        for (int i = 0; i < 2; i++) {
            uart.out(IER, 0x02);
            assertThat(uart.line).isTrue();
            assertThat(uart.in(IIR)).isEqualTo(0xC2);
            assertThat(uart.in(IIR)).as("reading IIR clears it").isEqualTo(0xC1);
            assertThat(uart.line).isFalse();
            uart.out(IER, 0x00);
        }
    }

    @Test
    void s8_6_writing_enabled_again_does_not_raise_it_again() {
        uart.open();
        uart.out(IER, 0x02);
        uart.in(IIR);
        uart.out(IER, 0x02);
        assertThat(uart.in(IIR)).isEqualTo(0xC1);
    }

    @Test
    void table5_reading_iir_clears_the_transmitter_only_if_it_is_what_iir_said() {
        uart.open();
        uart.out(IER, 0x03);
        uart.host((byte) 7);
        assertThat(uart.in(IIR) & 0x0F).isEqualTo(0x0C);
        uart.in(RBR);
        assertThat(uart.in(IIR) & 0x0F).isEqualTo(0x02);
        assertThat(uart.in(IIR) & 0x0F).isEqualTo(0x01);
    }

    @Test
    void table5_sixteen_bytes_cost_one_rise_of_the_line() {
        uart.open();
        uart.out(IER, 0x02);
        uart.in(IIR);
        int before = uart.edges;
        for (int i = 0; i < 16; i++) {
            uart.out(THR, 'x');
        }
        assertThat(uart.edges - before).isEqualTo(1);
        assertThat(uart.out.size()).isEqualTo(16);
    }

    @Test
    void s8_7_out2_gates_the_line_but_not_iir() {
        uart.out(IER, 0x02);
        assertThat(uart.in(IIR)).isEqualTo(0x02);
        uart.out(IER, 0x00);
        uart.out(IER, 0x02);
        assertThat(uart.line).isFalse();
        uart.out(MCR, 0x08);
        assertThat(uart.line).isTrue();
        uart.out(MCR, 0x18);
        assertThat(uart.line).isFalse();
    }

    @Test
    void s8_7_loopback_turns_outputs_into_inputs_as_linux_autodetects() {
        uart.out(MCR, 0x1A); // LOOP, OUT2, RTS
        assertThat(uart.in(MSR) & 0xF0).isEqualTo(0x90); // DCD, CTS
        uart.out(MCR, 0x15); // LOOP, OUT1, DTR
        assertThat(uart.in(MSR) & 0xF0).isEqualTo(0x60); // RI, DSR
        uart.out(MCR, 0x00);
        assertThat(uart.in(MSR) & 0xF0).isEqualTo(0xB0);
    }

    @Test
    void s8_7_loopback_keeps_the_hosts_bytes_waiting() {
        uart.open();
        uart.out(MCR, 0x1B);
        uart.host((byte) 'h');
        assertThat(uart.in(LSR) & 1).isZero();
        uart.out(MCR, 0x0B);
        assertThat(uart.in(RBR)).isEqualTo('h');
    }

    @Test
    void s8_8_modem_deltas_interrupt_clear_on_reading_and_ring_counts_when_it_ends() {
        uart.open();
        uart.out(MCR, 0x14);
        assertThat(uart.in(MSR) & 0x0F).as("CTS, DSR, DCD changed; RI began").isEqualTo(0x0B);
        assertThat(uart.in(MSR) & 0x0F).isZero();
        uart.out(MCR, 0x10);
        assertThat(uart.in(MSR) & 0x0F).as("RI ended").isEqualTo(0x04);
        uart.out(IER, 0x08);
        uart.out(MCR, 0x0B);
        assertThat(uart.in(IIR) & 0x0F).isZero();
        assertThat(uart.line).isTrue();
        uart.in(MSR);
        assertThat(uart.line).isFalse();
    }

    @Test
    void linux_autoconfig_sees_a_16550a_without_extended_registers() {
        uart.out(IER, 0x0F);
        assertThat(uart.in(IER)).isEqualTo(0x0F);
        uart.out(IER, 0xF0);
        assertThat(uart.in(IER)).as("no UUE, no sleep").isZero();
        uart.out(LCR, 0xBF);
        uart.out(2, 0);
        uart.out(LCR, 0);
        uart.out(FCR, 0x01);
        assertThat(uart.in(IIR) >> 6).isEqualTo(3);
        uart.out(LCR, 0xBF);
        assertThat(uart.in(2)).as("no EFR").isNotZero();
        uart.out(LCR, 0x00);
        uart.out(FCR, 0x21);
        assertThat(uart.in(IIR) >> 5).isEqualTo(6);
        uart.out(LCR, 0x80);
        uart.out(FCR, 0x21);
        assertThat(uart.in(IIR) >> 5).as("no 64-byte FIFO").isEqualTo(6);
    }

    @Test
    void linux_autoconfig_sees_a_16750_whose_deep_fifo_needs_dlab() {
        var u = new SerialHarness(Model.TI16750);
        u.out(FCR, 0x21);
        assertThat(u.in(IIR) >> 5).isEqualTo(6);
        u.out(FCR, 0x01);
        u.out(LCR, 0x80);
        u.out(FCR, 0x21);
        assertThat(u.in(IIR) >> 5).isEqualTo(7);
        u.out(LCR, 0x03);
        u.out(FCR, 0xA1);
        u.out(MCR, 0x0B);
        u.out(IER, 0x01);
        u.host(new byte[31]);
        assertThat(u.in(IIR) & 0x0F).isEqualTo(0x0C);
        u.host((byte) 0);
        assertThat(u.in(IIR) & 0x0F).isEqualTo(0x04);
    }

    @Test
    void wide_accesses_are_split_into_bytes() {
        uart.port.write(THR, 2, 0x0041);
        assertThat(uart.out.toString(StandardCharsets.US_ASCII)).isEqualTo("A");
        assertThat((uart.port.read(LCR, 4) >>> 16) & 0xFF).isEqualTo(0x60);
    }
}
