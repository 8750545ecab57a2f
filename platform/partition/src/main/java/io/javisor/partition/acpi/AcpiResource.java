package io.javisor.partition.acpi;

/** One entry of a device's current resource settings (ACPI 6.5 section 6.4). */
public sealed interface AcpiResource {

    /**
     * I/O ports, 16-bit decoded.
     *
     * @param base first port
     * @param length ports, 1 to 255
     */
    record Ports(int base, int length) implements AcpiResource {}

    /**
     * Device memory.
     *
     * @param base first guest-physical address
     * @param length bytes
     */
    record Memory(long base, long length) implements AcpiResource {}

    /**
     * An interrupt by its global number, with an extended descriptor (which hardware-reduced ACPI needs).
     *
     * @param gsi global system interrupt
     * @param level level-triggered, else edge-triggered; active high both
     * @param shared whether other devices may use it too
     */
    record Irq(int gsi, boolean level, boolean shared) implements AcpiResource {}
}
