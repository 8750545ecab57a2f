package io.javisor.devices;

/**
 * Where the devices sit by default, in one place: I/O ports and global system interrupts (GSIs, which on the in-kernel
 * irqchip are IOAPIC pins 0 to 23). Every device has a pin of its own, so that none shares.
 */
public final class LegacyPorts {
    /** First serial port: where every PC has it, and what Linux calls {@code ttyS0}. */
    public static final int COM1 = 0x3F8;

    /** Interrupt of the first serial port. */
    public static final int COM1_GSI = 4;

    /** Second serial port, {@code ttyS1}. */
    public static final int COM2 = 0x2F8;

    /** Interrupt of the second serial port. */
    public static final int COM2_GSI = 3;

    /** Third serial port, {@code ttyS2}. */
    public static final int COM3 = 0x3E8;

    /** Interrupt of the third serial port. On a PC it shared that of the first. */
    public static final int COM3_GSI = 5;

    /** Fourth serial port, {@code ttyS3}. */
    public static final int COM4 = 0x2E8;

    /** Interrupt of the fourth serial port. On a PC it shared that of the second. */
    public static final int COM4_GSI = 6;

    /** Ports that a serial port takes. */
    public static final int SERIAL_PORTS = 8;

    /** CMOS clock: index, then data. */
    public static final int CMOS = 0x70;

    /** Ports that the CMOS clock takes. */
    public static final int CMOS_PORTS = 2;

    /** CMOS register of the century, for the FADT's CENTURY field. */
    public static final int CMOS_CENTURY = 0x32;

    /** Power registers of hardware-reduced ACPI: sleep control, sleep status, reset. */
    public static final int ACPI_POWER = 0x600;

    /** Sleep control register, for the FADT. */
    public static final int ACPI_SLEEP_CONTROL = ACPI_POWER;

    /** Sleep status register, for the FADT. */
    public static final int ACPI_SLEEP_STATUS = ACPI_POWER + 1;

    /** Reset register, for the FADT. */
    public static final int ACPI_RESET = ACPI_POWER + 2;

    /** What to write to {@link #ACPI_RESET}, for the FADT. */
    public static final int ACPI_RESET_VALUE = 1;

    /** Ports that the power registers take. */
    public static final int ACPI_POWER_PORTS = 3;

    /** SLP_TYP of soft-off (S5), for the DSDT's {@code \_S5}. */
    public static final int ACPI_SLEEP_TYPE_S5 = 5;

    /** Event register of the generic event device. */
    public static final int ACPI_EVENTS = 0x604;

    /** Ports that the event register takes. */
    public static final int ACPI_EVENTS_PORTS = 1;

    /** Interrupt of the generic event device: the pin that a full ACPI machine gives its SCI. */
    public static final int ACPI_EVENTS_GSI = 9;

    /** Command and status port of the keyboard controller, of which only the reset line is there. */
    public static final int KEYBOARD_COMMAND = 0x64;

    /** PCI configuration: address at the first four ports (the second is also the reset control), data at the next four. */
    public static final int PCI_CONFIGURATION = 0xCF8;

    /** Ports that PCI configuration takes. */
    public static final int PCI_CONFIGURATION_PORTS = 8;

    /** Where PCs show power-on codes; Linux writes it to pass a microsecond ({@code io_delay=0x80}). */
    public static final int POST_CODE = 0x80;

    /** The other port that Linux passes time with ({@code io_delay=0xed}). */
    public static final int DELAY = 0xED;

    /** The debug console that firmware and small kernels know from Bochs. */
    public static final int DEBUG_CONSOLE = 0xE9;

    private LegacyPorts() {}
}
