package io.javisor.devices;

import io.javisor.partition.InterruptLine;
import io.javisor.partition.acpi.AcpiEventDevice;
import io.javisor.partition.acpi.AcpiResource;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The register behind a generic event device: one byte, each bit an event that has happened. The line is up while a bit is
 * set; reading the register clears all bits and lowers it. Safe from any thread.
 */
public final class EventRegister extends ByteWideDevice implements Stateful {
    /** Event bit of the power button. */
    public static final int POWER_BUTTON = 0;

    /** Event bit of a new generation ID. */
    public static final int NEW_GENERATION = 1;

    /** What ACPI tells a power button of its press, and a generation counter of its change (ACPI 6.5 section 5.6.6). */
    private static final int NOTIFICATION = 0x80;

    private final InterruptLine line;
    private final ReentrantLock lock = new ReentrantLock();
    private int pending;

    /** @param line the generic event device's interrupt, level-triggered, active high */
    public EventRegister(InterruptLine line) {
        this.line = line;
    }

    /** What ACPI says of it, with the power button's and the generation ID's events. */
    public static AcpiEventDevice describe() {
        return new AcpiEventDevice(
                "GED_",
                0,
                LegacyPorts.ACPI_EVENTS,
                new AcpiResource.Irq(LegacyPorts.ACPI_EVENTS_GSI, true, false),
                List.of(
                        new AcpiEventDevice.Event(POWER_BUTTON, PowerButton.NAME, NOTIFICATION),
                        new AcpiEventDevice.Event(NEW_GENERATION, VmGenerationId.NAME, NOTIFICATION)));
    }

    /**
     * Lets an event happen; one that is still pending happens once.
     *
     * @param bit 0 to 7
     */
    public void raise(int bit) {
        if (bit < 0 || bit > 7) {
            throw new IllegalArgumentException("event bit " + bit + " is not in 0..7");
        }
        lock.lock();
        try {
            boolean first = pending == 0;
            pending |= 1 << bit;
            if (first) {
                line.set(true);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    int readByte(int offset) {
        lock.lock();
        try {
            int events = pending;
            if (events != 0) {
                pending = 0;
                line.set(false);
            }
            return events;
        } finally {
            lock.unlock();
        }
    }

    @Override
    void writeByte(int offset, int value) {}

    /** Forgets what is pending. */
    public void reset() {
        readByte(0);
    }

    @Override
    public String stateName() {
        return "acpi-events";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    @Override
    public void save(StateWriter out) {
        lock.lock();
        try {
            out.put("pending", pending);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        int events = in.getInt("pending", 0, 0xFF);
        lock.lock();
        try {
            pending = events;
            line.set(events != 0);
        } finally {
            lock.unlock();
        }
    }
}
