package io.javisor.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Named for the sections of the MC146818 data sheet. */
class CmosClockTest {
    private Instant host = Instant.parse("2031-12-07T23:59:58Z"); // a Sunday
    private final CmosClock clock = new CmosClock(() -> host);

    private int get(int register) {
        return get(clock, register);
    }

    private static int get(CmosClock clock, int register) {
        clock.write(0, 1, register);
        return (int) clock.read(1, 1);
    }

    private void set(int register, int value) {
        clock.write(0, 1, register);
        clock.write(1, 1, value);
    }

    @Test
    void time_calendar_bcd_24_hours() {
        assertThat(get(0x00)).isEqualTo(0x58);
        assertThat(get(0x02)).isEqualTo(0x59);
        assertThat(get(0x04)).isEqualTo(0x23);
        assertThat(get(0x06)).as("Sunday").isEqualTo(1);
        assertThat(get(0x07)).isEqualTo(0x07);
        assertThat(get(0x08)).isEqualTo(0x12);
        assertThat(get(0x09)).isEqualTo(0x31);
        assertThat(get(0x32)).isEqualTo(0x20);
        host = host.plusSeconds(2);
        assertThat(get(0x00)).isZero();
        assertThat(get(0x04)).isZero();
        assertThat(get(0x06)).as("Monday").isEqualTo(2);
    }

    @Test
    void register_b_selects_binary_and_12_hours() {
        set(0x0B, 0x04);
        assertThat(get(0x04)).isEqualTo(11 | 0x80);
        assertThat(get(0x09)).isEqualTo(31);
        host = Instant.parse("2031-12-07T00:30:00Z");
        assertThat(get(0x04)).as("midnight is 12 AM").isEqualTo(12);
        host = Instant.parse("2031-12-07T12:30:00Z");
        assertThat(get(0x04)).as("noon is 12 PM").isEqualTo(12 | 0x80);
        set(0x0B, 0x00);
        assertThat(get(0x04)).isEqualTo(0x12 | 0x80);
    }

    @Test
    void registers_a_c_d_never_busy_no_interrupts_good_battery() {
        set(0x0A, 0xFF);
        assertThat(get(0x0A)).isEqualTo(0x7F);
        assertThat(get(0x0C)).isZero();
        set(0x0D, 0x00);
        assertThat(get(0x0D)).isEqualTo(0x80);
    }

    @Test
    void set_bit_stops_the_clock_and_starts_it_from_the_fields() {
        set(0x0B, 0x82);
        int[] fields = {0x00, 0x30, 0x02, 0x15, 0x04, 0x08, 0x07, 0x29, 0x08, 0x02, 0x09, 0x24, 0x32, 0x20};
        for (int i = 0; i < fields.length; i += 2) {
            set(fields[i], fields[i + 1]);
        }
        host = host.plusSeconds(1000);
        assertThat(get(0x00)).as("stopped").isEqualTo(0x30);
        set(0x0B, 0x02);
        host = host.plusSeconds(31);
        assertThat(get(0x00)).isEqualTo(0x01);
        assertThat(get(0x02)).isEqualTo(0x16);
        assertThat(get(0x04)).isEqualTo(0x08);
        assertThat(get(0x07)).isEqualTo(0x29);
        assertThat(get(0x06)).as("29 February 2024 was a Thursday").isEqualTo(5);
    }

    @Test
    void one_field_written_while_running_keeps_the_others() {
        set(0x02, 0x10);
        assertThat(get(0x02)).isEqualTo(0x10);
        assertThat(get(0x04)).isEqualTo(0x23);
        host = host.plusSeconds(3600);
        assertThat(get(0x02)).isEqualTo(0x10);
        assertThat(get(0x04)).isEqualTo(0x00);
    }

    @Test
    void a_date_that_does_not_exist_is_not_taken() {
        set(0x08, 0x13);
        assertThat(get(0x08)).isEqualTo(0x12);
        set(0x08, 0xFF);
        assertThat(get(0x00)).isEqualTo(0x58);
    }

    @Test
    void memory_keeps_bytes_and_bit_7_of_the_index_is_the_nmi_mask() {
        set(0x7F, 0xA5);
        set(0x80 | 0x33, 0x5A);
        assertThat(get(0x7F)).isEqualTo(0xA5);
        assertThat(get(0x33)).isEqualTo(0x5A);
        assertThat(clock.read(0, 1)).isEqualTo(0xFF);
    }

    @Test
    void state_moves_while_the_clock_is_being_set() {
        set(0x0B, 0x86);
        set(0x09, 99);
        set(0x32, 19);
        set(0x40, 0x77);
        clock.write(0, 1, 0x09);
        var to = new CmosClock(() -> host);
        States.move(clock, to);
        assertThat(to.read(1, 1)).as("the index came along").isEqualTo(99);
        to.write(0, 1, 0x0B);
        to.write(1, 1, 0x06);
        assertThat(get(to, 0x32)).isEqualTo(19);
        assertThat(get(to, 0x09)).isEqualTo(99);
        assertThat(get(to, 0x40)).isEqualTo(0x77);
    }

    @Test
    void hostile_writes_and_states_never_throw_anything_else() {
        var random = new Random(5);
        for (int i = 0; i < 20_000; i++) {
            int size = 1 << random.nextInt(2);
            clock.write(size == 2 ? 0 : random.nextInt(2), size, random.nextLong());
            assertThatCode(() -> clock.read(1, 1)).doesNotThrowAnyException();
        }
        var bad = new StateWriter()
                .put("index", 0)
                .put("offsetSeconds", Long.MIN_VALUE)
                .put("memory", new byte[128]);
        assertThatThrownBy(() -> clock.restore(new StateReader("cmos", 1, bad.toByteArray())))
                .isInstanceOf(StateException.class);
        var far = new StateWriter()
                .put("index", 0)
                .put("offsetSeconds", 300_000_000_000L)
                .put("memory", new byte[128]);
        clock.restore(new StateReader("cmos", 1, far.toByteArray()));
        assertThat(get(0x09)).isEqualTo(0x99);
    }
}
