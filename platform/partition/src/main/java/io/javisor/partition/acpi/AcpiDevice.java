package io.javisor.partition.acpi;

import java.util.List;
import java.util.OptionalInt;

/**
 * A device in the ACPI namespace, below {@code \_SB}.
 *
 * @param name four characters, upper-case letters, digits and underscores, not beginning with a digit
 * @param hardwareId {@code _HID}: an EISA ID ({@code "PNP0501"}), an ACPI ID ({@code "ACPI0013"}) or any text
 * @param uniqueId {@code _UID}
 * @param resources {@code _CRS}, in order
 * @param proximity the guest NUMA node ({@code _PXM}), if it has one
 */
public record AcpiDevice(
        String name, String hardwareId, int uniqueId, List<AcpiResource> resources, OptionalInt proximity)
        implements AcpiNode {

    /** Checks the name. */
    public AcpiDevice {
        AcpiNode.checkName(name);
        resources = List.copyOf(resources);
    }

    /** A device with no NUMA node. */
    public AcpiDevice(String name, String hardwareId, int uniqueId, List<AcpiResource> resources) {
        this(name, hardwareId, uniqueId, resources, OptionalInt.empty());
    }
}
