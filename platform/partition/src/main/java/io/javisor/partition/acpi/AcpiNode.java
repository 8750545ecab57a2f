package io.javisor.partition.acpi;

/** Something below {@code \_SB} in the ACPI namespace. */
public sealed interface AcpiNode permits AcpiDevice, AcpiEventDevice, AcpiGenerationCounter, AcpiModule {
    /** Four characters, upper-case letters, digits and underscores, not beginning with a digit. */
    String name();

    /** Throws IllegalArgumentException if a name is not one that the namespace takes. */
    static void checkName(String name) {
        if (!name.matches("[A-Z_][A-Z0-9_]{3}")) {
            throw new IllegalArgumentException("ACPI name must be four characters of A-Z, 0-9, _: " + name);
        }
    }
}
