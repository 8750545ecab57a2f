package io.javisor.devices;

import io.javisor.partition.PowerPort;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;

/**
 * Power-off and reset as hardware-reduced ACPI has them. Safe from any thread; the guest's writes call the power port on the
 * vCPU's thread.
 *
 * <pre>
 * 0  sleep control (ACPI 6.5 section 4.8.3.7): SLP_TYP in bits 2–4, SLP_EN in bit 5 (reads as 0)
 * 1  sleep status (4.8.3.7): WAK_STS in bit 7, cleared by writing 1; nothing here wakes, so it stays 0
 * 2  reset (4.8.3.6): the value 1 resets
 * </pre>
 */
public final class AcpiPower extends ByteWideDevice implements Stateful {
    private static final int SLEEP_TYPE_SHIFT = 2;
    private static final int SLEEP_TYPE_MASK = 0x1C;
    private static final int SLEEP_ENABLE = 0x20;

    private final PowerPort power;
    private volatile int sleepType;

    /** @param power what is told of power-off and reset */
    public AcpiPower(PowerPort power) {
        this.power = power;
    }

    @Override
    int readByte(int offset) {
        return switch (offset) {
            case 0 -> sleepType << SLEEP_TYPE_SHIFT;
            default -> 0;
        };
    }

    @Override
    void writeByte(int offset, int value) {
        if (offset == 0) {
            sleepType = (value & SLEEP_TYPE_MASK) >> SLEEP_TYPE_SHIFT;
            // S5 is the only sleeping state in the DSDT; a guest that makes others up stays awake.
            if ((value & SLEEP_ENABLE) != 0 && sleepType == LegacyPorts.ACPI_SLEEP_TYPE_S5) {
                power.powerOff();
            }
        } else if (offset == 2 && value == LegacyPorts.ACPI_RESET_VALUE) {
            power.reset();
        }
    }

    /** Back to power-on. */
    public void reset() {
        sleepType = 0;
    }

    @Override
    public String stateName() {
        return "acpi-power";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    @Override
    public void save(StateWriter out) {
        out.put("sleepType", sleepType);
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        sleepType = in.getInt("sleepType", 0, 7);
    }
}
