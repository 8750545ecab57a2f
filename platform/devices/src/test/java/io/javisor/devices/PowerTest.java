package io.javisor.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.partition.PowerPort;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Power-off, reset and the PCI ports beside the reset control; named for the sections of ACPI 6.5 and PCI 3.0. */
class PowerTest {
    private final List<String> asked = new ArrayList<>();
    private final PowerPort power = new PowerPort() {
        @Override
        public void powerOff() {
            asked.add("off");
        }

        @Override
        public void reset() {
            asked.add("reset");
        }
    };

    @Test
    void s4_8_3_7_sleep_control_powers_off_for_s5_with_slp_en_only() {
        var acpi = new AcpiPower(power);
        for (int type = 0; type < 8; type++) {
            acpi.write(0, 1, type << 2);
            if (type != 5) {
                acpi.write(0, 1, type << 2 | 0x20);
            }
        }
        assertThat(asked).isEmpty();
        acpi.write(0, 1, 5 << 2 | 0x20);
        assertThat(asked).containsExactly("off");
        assertThat(acpi.read(0, 1)).as("SLP_EN reads as 0").isEqualTo(5 << 2);
        assertThat(acpi.read(1, 1)).as("WAK_STS").isZero();
    }

    @Test
    void s4_8_3_6_reset_register_takes_its_value_only() {
        var acpi = new AcpiPower(power);
        acpi.write(2, 1, 0);
        acpi.write(2, 1, 0xFF);
        assertThat(asked).isEmpty();
        acpi.write(2, 1, 1);
        assertThat(asked).containsExactly("reset");
    }

    @Test
    void keyboard_controller_is_never_busy_and_pulses_reset() {
        var keyboard = new KeyboardReset(power);
        assertThat(keyboard.read(0, 1)).isZero();
        keyboard.write(0, 1, 0xD1);
        assertThat(asked).isEmpty();
        keyboard.write(0, 1, 0xFE);
        assertThat(asked).containsExactly("reset");
    }

    @Test
    void pci_s3_2_2_3_2_address_takes_32_bit_accesses_only() {
        var pci = new PciHostBridge(power);
        pci.write(0, 4, 0xFFFF_FFFFL);
        assertThat(pci.read(0, 4)).isEqualTo(0x80FF_FFFCL);
        pci.write(3, 1, 1); // Linux tries mechanism 2 off with this
        pci.write(0, 2, 0);
        assertThat(pci.read(0, 4)).isEqualTo(0x80FF_FFFCL);
        assertThat(pci.read(0, 2) & 0xFFFF).isEqualTo(0xFFFF);
    }

    @Test
    void pci_the_class_of_0_0_0_is_a_host_bridge_at_every_size_and_nothing_else_is_there() {
        var pci = new PciHostBridge(power);
        pci.write(0, 4, 0x8000_0008L);
        assertThat(pci.read(4, 4) & 0xFFFF_FFFFL).isEqualTo(0x0600_0000L);
        assertThat(pci.read(6, 2) & 0xFFFF)
                .as("what Linux's sanity check reads")
                .isEqualTo(0x0600);
        assertThat(pci.read(7, 1) & 0xFF).isEqualTo(0x06);
        for (long other : new long[] {0x0000_0008L, 0x8000_0000L, 0x8000_000CL, 0x8000_0808L, 0x8001_0008L}) {
            pci.write(0, 4, other);
            assertThat(pci.read(4, 4) & 0xFFFF_FFFFL).isEqualTo(0xFFFF_FFFFL);
        }
    }

    @Test
    void reset_control_resets_when_its_bit_rises() {
        var pci = new PciHostBridge(power);
        pci.write(1, 1, 0x02);
        assertThat(asked).isEmpty();
        pci.write(1, 1, 0x06);
        pci.write(1, 1, 0x06);
        assertThat(asked).containsExactly("reset");
        assertThat(pci.read(1, 1)).isEqualTo(0x06);
        pci.write(1, 1, 0x00);
        pci.write(1, 1, 0x0E);
        assertThat(asked).hasSize(2);
    }

    @Test
    void state_moves_between_the_address_and_the_data() {
        var from = new PciHostBridge(power);
        from.write(0, 4, 0x8000_0008L);
        from.write(1, 1, 0x02);
        var to = new PciHostBridge(power);
        States.move(from, to);
        assertThat(to.read(7, 1) & 0xFF).isEqualTo(0x06);
        assertThat(to.read(1, 1)).isEqualTo(0x02);
        var acpi = new AcpiPower(power);
        acpi.write(0, 1, 5 << 2);
        var acpiTo = new AcpiPower(power);
        States.move(acpi, acpiTo);
        assertThat(acpiTo.read(0, 1)).isEqualTo(5 << 2);
        var bad = new StateWriter().put("address", 3).put("resetControl", 0).toByteArray();
        assertThatThrownBy(() -> to.restore(new StateReader("pci-host-bridge", 1, bad)))
                .isInstanceOf(StateException.class);
    }

    @Test
    void random_accesses_never_throw() {
        var random = new Random(6);
        var acpi = new AcpiPower(power);
        var pci = new PciHostBridge(power);
        for (int i = 0; i < 50_000; i++) {
            int size = 1 << random.nextInt(4);
            int offset = random.nextInt(9 - size);
            pci.write(offset, size, random.nextLong());
            pci.read(random.nextInt(9 - size), size);
            acpi.write(random.nextInt(3), 1, random.nextLong());
            acpi.read(random.nextInt(3), 1);
        }
        assertThat(asked).contains("off", "reset");
    }

    @Test
    void debug_ports_swallow_or_pass_on() {
        var seen = new ArrayList<Byte>();
        assertThat(DebugPort.silent().read(0, 1) & 0xFF).isEqualTo(0xFF);
        DebugPort.silent().write(0, 1, 1);
        var console = DebugPort.console(seen::add);
        assertThat(console.read(0, 1)).isEqualTo(0xE9);
        console.write(0, 1, 'k');
        assertThat(seen).containsExactly((byte) 'k');
    }
}
