package io.javisor.devices;

import io.javisor.partition.acpi.AcpiDevice;
import java.util.List;

/**
 * The machine's power button: it asks the guest to shut down, and the guest may or may not. Linux needs its {@code button}
 * driver and somebody who listens (systemd-logind, acpid). A control-method button without registers of its own (ACPI 6.5
 * section 4.8.3.2): a press is an event of the {@link EventRegister}, which saves it.
 */
public final class PowerButton {
    static final String NAME = "PWRB";

    private final EventRegister events;

    /** @param events the register that tells the guest */
    public PowerButton(EventRegister events) {
        this.events = events;
    }

    /** What ACPI says of it. */
    public static AcpiDevice describe() {
        return new AcpiDevice(NAME, "PNP0C0C", 0, List.of());
    }

    /** Presses it once. Safe from any thread, never blocks. */
    public void press() {
        events.raise(EventRegister.POWER_BUTTON);
    }
}
