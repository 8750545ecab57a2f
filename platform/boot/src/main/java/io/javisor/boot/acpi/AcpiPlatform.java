package io.javisor.boot.acpi;

/**
 * The fixed hardware of a hardware-reduced ACPI machine, which the FADT and the DSDT name: I/O ports, all byte-wide.
 *
 * @param sleepControlPort sleep control register (ACPI 6.5 section 4.8.3.7)
 * @param sleepStatusPort sleep status register
 * @param resetPort reset register (section 4.8.3.6)
 * @param resetValue what to write to it, 0 to 255
 * @param sleepTypeS5 SLP_TYP of soft-off, 0 to 7
 * @param centuryRegister CMOS register of the century, or 0 if the machine has no CMOS clock
 */
public record AcpiPlatform(
        int sleepControlPort,
        int sleepStatusPort,
        int resetPort,
        int resetValue,
        int sleepTypeS5,
        int centuryRegister) {

    /** Checks ranges. */
    public AcpiPlatform {
        checkPort(sleepControlPort);
        checkPort(sleepStatusPort);
        checkPort(resetPort);
        if (resetValue < 0 || resetValue > 0xFF || centuryRegister < 0 || centuryRegister > 0x7F) {
            throw new IllegalArgumentException(
                    "reset value " + resetValue + " or century register " + centuryRegister + " is out of range");
        }
        if (sleepTypeS5 < 0 || sleepTypeS5 > 7) {
            throw new IllegalArgumentException("SLP_TYP " + sleepTypeS5 + ": must be 0 to 7");
        }
    }

    private static void checkPort(int port) {
        if (port < 1 || port > 0xFFFF) {
            throw new IllegalArgumentException("I/O port 0x" + Integer.toHexString(port) + ": must be 1 to 0xFFFF");
        }
    }
}
