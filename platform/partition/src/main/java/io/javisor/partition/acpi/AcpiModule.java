package io.javisor.partition.acpi;

import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;

/**
 * A module device ({@code _HID} ACPI0004, ACPI 6.5 section 9.11): a bus with devices below it, whose resources it passes on.
 *
 * @param name in the namespace
 * @param uniqueId {@code _UID}
 * @param resources {@code _CRS}, in order
 * @param proximity the guest NUMA node ({@code _PXM}), if it has one
 * @param children devices below it
 */
public record AcpiModule(
        String name, int uniqueId, List<AcpiResource> resources, OptionalInt proximity, List<AcpiNode> children)
        implements AcpiNode {

    /** Checks names. */
    public AcpiModule {
        AcpiNode.checkName(name);
        resources = List.copyOf(resources);
        children = List.copyOf(children);
        var names = new HashSet<String>();
        for (AcpiNode child : children) {
            if (!names.add(child.name())) {
                throw new IllegalArgumentException(name + ": two devices are named " + child.name());
            }
        }
    }
}
