package io.javisor.devices;

import io.javisor.partition.PowerPort;

/**
 * The one thing that a PC's keyboard controller is still asked for: pulsing the processor's reset line. Claims the command
 * port alone and says that its input buffer is empty, which is what a guest polls before it resets; a keyboard must not be
 * described. Has no state. Safe from any thread.
 */
public final class KeyboardReset extends ByteWideDevice {
    /** Pulse output line 0, which is the reset line (IBM PC AT Technical Reference, 8042 commands F0–FF). */
    private static final int PULSE_RESET = 0xFE;

    private final PowerPort power;

    /** @param power what is told of a reset */
    public KeyboardReset(PowerPort power) {
        this.power = power;
    }

    @Override
    int readByte(int offset) {
        return 0;
    }

    @Override
    void writeByte(int offset, int value) {
        if (value == PULSE_RESET) {
            power.reset();
        }
    }
}
