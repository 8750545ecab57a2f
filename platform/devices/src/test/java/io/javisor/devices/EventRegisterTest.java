package io.javisor.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.MemoryRegion;
import io.javisor.partition.PlainBacking;
import io.javisor.partition.acpi.AcpiEventDevice;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** The event register, and the power button and the generation ID that stand on it. */
class EventRegisterTest {
    private boolean line;
    private int rises;
    private final EventRegister events = new EventRegister(this::set);

    private void set(boolean asserted) {
        rises += asserted && !line ? 1 : 0;
        line = asserted;
    }

    @Test
    void a_press_raises_the_line_until_the_register_is_read() {
        var button = new PowerButton(events);
        button.press();
        button.press();
        assertThat(line).isTrue();
        assertThat(rises).isEqualTo(1);
        events.write(0, 1, 0xFF);
        assertThat(events.read(0, 1)).isEqualTo(1 << EventRegister.POWER_BUTTON);
        assertThat(line).isFalse();
        assertThat(events.read(0, 1)).isZero();
    }

    @Test
    void state_moves_with_a_press_that_nobody_has_seen() {
        new PowerButton(events).press();
        boolean[] other = new boolean[1];
        var to = new EventRegister(level -> other[0] = level);
        States.move(events, to);
        assertThat(other[0]).isTrue();
        assertThat(to.read(0, 1)).isEqualTo(1);
        assertThat(other[0]).isFalse();
    }

    @Test
    void no_event_is_lost_between_raisers_and_a_reader() throws Exception {
        var done = new CountDownLatch(8);
        for (int bit = 0; bit < 8; bit++) {
            int b = bit;
            Thread.ofVirtual().start(() -> {
                events.raise(b);
                done.countDown();
            });
        }
        int seen = 0;
        while (done.getCount() > 0) {
            seen |= (int) events.read(0, 1);
        }
        seen |= (int) events.read(0, 1);
        assertThat(seen).isEqualTo(0xFF);
        assertThat(line).isFalse();
    }

    @Test
    void its_description_names_the_devices_that_it_notifies() {
        AcpiEventDevice ged = EventRegister.describe();
        assertThat(ged.events())
                .extracting(AcpiEventDevice.Event::target)
                .containsExactly(PowerButton.describe().name(), "VGEN");
        assertThatThrownBy(() -> new AcpiEventDevice(
                        "GED_",
                        0,
                        0x604,
                        ged.interrupt(),
                        List.of(ged.events().getFirst(), ged.events().getFirst())))
                .hasMessageContaining("given twice");
    }

    @Test
    void a_new_generation_is_written_as_a_guid_and_told() {
        var memory = new GuestMemory();
        memory.add(new MemoryRegion(0x10000, 0x1000, 0, new PlainBacking(MemorySegment.ofArray(new byte[0x1000])), 0));
        var id = new VmGenerationId(
                memory, 0x10008, events, () -> UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"));
        id.place();
        assertThat(line).as("the first one is nobody's news").isFalse();
        byte[] bytes = new byte[16];
        memory.read(0x10008, bytes);
        assertThat(HexFormat.of().formatHex(bytes)).isEqualTo("33221100554477668899aabbccddeeff");
        id.renew();
        assertThat(events.read(0, 1)).isEqualTo(1 << EventRegister.NEW_GENERATION);
        assertThat(id.describe().gpa()).isEqualTo(0x10008);
        States.move(id, id);
        var elsewhere = new StateWriter().put("gpa", 0x20000).toByteArray();
        assertThatThrownBy(() -> id.restore(new StateReader("generation-id", 1, elsewhere)))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("0x20000");
    }
}
