package io.javisor.partition.acpi;

/** One entry of a device's current resource settings (ACPI 6.5 section 6.4). */
public sealed interface AcpiResource {

    /**
     * I/O ports, 16-bit decoded.
     *
     * @param base first port
     * @param length ports, 1 to 255
     */
    record Ports(int base, int length) implements AcpiResource {
        /** Checks the range. */
        public Ports {
            if (base < 0 || length < 1 || length > 255 || base + length > 0x10000) {
                throw new IllegalArgumentException("I/O ports 0x" + Integer.toHexString(base) + " + " + length
                        + ": must be 1 to 255 ports below 0x10000");
            }
        }
    }

    /**
     * Device memory that the device itself uses.
     *
     * @param base first guest-physical address
     * @param length bytes
     */
    record Memory(long base, long length) implements AcpiResource {
        /** Checks the range. */
        public Memory {
            checkMemory(base, length);
        }
    }

    /**
     * Device memory that a bus hands on to the devices below it: what {@code hv_vmbus} looks for on its parent.
     *
     * @param base first guest-physical address
     * @param length bytes
     */
    record MemoryWindow(long base, long length) implements AcpiResource {
        /** Checks the range. */
        public MemoryWindow {
            checkMemory(base, length);
        }
    }

    /**
     * An interrupt by its global number, with an extended descriptor (which hardware-reduced ACPI needs).
     *
     * @param gsi global system interrupt
     * @param level level-triggered, else edge-triggered; active high both
     * @param shared whether other devices may use it too
     */
    record Irq(int gsi, boolean level, boolean shared) implements AcpiResource {}

    private static void checkMemory(long base, long length) {
        if (base < 0 || length <= 0 || base + length < 0) {
            throw new IllegalArgumentException(
                    "device memory 0x" + Long.toHexString(base) + " + 0x" + Long.toHexString(length));
        }
    }
}
